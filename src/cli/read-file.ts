import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { UsageError } from './exit-code.ts'

/** Certificates, keys, passwords, configuration: nothing of the kind is larger. */
const MAX_BYTES = 1024 * 1024
const READABLE_BY_OTHERS = 0o004

export interface SmallFile {
  readonly bytes: Buffer
  /** Not a pipe: it can be read again. */
  readonly isFile: boolean
  readonly isOpenToOthers: boolean
}

/**
 * Reads a file that somebody named in a flag or in a configuration file.
 *
 * @param whose who named it: errors begin with it.
 * @throws {UsageError} it cannot be read, or is larger than 1 MiB.
 */
export function readSmallFile(whose: string, path: string): SmallFile {
  try {
    const file = openSync(path, 'r')
    try {
      const stats = fstatSync(file)
      if (stats.isDirectory()) throw new UsageError(`${whose}: cannot read ${path}: it is a directory`)
      const bytes = readAtMost(file, MAX_BYTES + 1)
      if (bytes.length > MAX_BYTES) throw new UsageError(`${whose}: ${path} is larger than 1 MiB`)
      // Windows has no such bits, and Node makes them up.
      const isOpenToOthers = process.platform !== 'win32' && (stats.mode & READABLE_BY_OTHERS) !== 0
      return { bytes, isFile: stats.isFile(), isOpenToOthers: stats.isFile() && isOpenToOthers }
    } finally {
      closeSync(file)
    }
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`${whose}: cannot read ${path}: ${reasonOf(error)}`, { cause: error })
  }
}

/** Why a file cannot be read, in words. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES') return 'permission denied'
  return message
}

function readAtMost(file: number, maxBytes: number): Buffer {
  const buffer = Buffer.alloc(maxBytes)
  let length = 0
  while (length < maxBytes) {
    const read = readSync(file, buffer, length, maxBytes - length, null)
    if (read === 0) break
    length += read
  }
  return buffer.subarray(0, length)
}
