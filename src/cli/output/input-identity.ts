import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { isObject } from '../config-file.ts'
import { UsageError } from '../exit-code.ts'

/** Enough to know a file again: how it begins, and what stands before the place where reading is to go on. */
export interface InputIdentity {
  readonly headBytes: number
  readonly headSha256: string
  readonly tailBytes: number
  readonly tailSha256: string
}

const HEAD_BYTES = 65_536
const TAIL_BYTES = 4096

/** Whether it can be one, as far as it shows. */
export function isIdentity(given: unknown): given is InputIdentity {
  if (!isObject(given)) return false
  const { headBytes, headSha256, tailBytes, tailSha256 } = given
  const isLength = (length: unknown, most: number): boolean =>
    Number.isInteger(length) && Number(length) >= 0 && Number(length) <= most
  const areLengths = isLength(headBytes, HEAD_BYTES) && isLength(tailBytes, TAIL_BYTES)
  return areLengths && typeof headSha256 === 'string' && typeof tailSha256 === 'string'
}

/**
 * @param safeBytes how far the file was read; what stands behind that may still be written.
 * @throws {UsageError} so much is not there any more.
 */
export async function identityOf(path: string, safeBytes: number): Promise<InputIdentity> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    if (size < safeBytes) {
      const sizes = `it has ${size} bytes, of which ${safeBytes} were read`
      throw new UsageError(`${path} has become shorter while it was read: ${sizes}`)
    }
    const headBytes = Math.min(HEAD_BYTES, safeBytes)
    const tailBytes = Math.min(TAIL_BYTES, safeBytes)
    const headSha256 = await hashOf(file, 0, headBytes)
    return { headBytes, headSha256, tailBytes, tailSha256: await hashOf(file, safeBytes - tailBytes, tailBytes) }
  } finally {
    await file.close()
  }
}

/** Why `path` is not the file that was read before, as the rest of a sentence; null: it is, perhaps with more at its end. */
export async function whyAnotherInput(path: string, before: InputIdentity, safeBytes: number): Promise<string | null> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    if (size < safeBytes) return `it has ${size} bytes, of which ${safeBytes} were read`
    if ((await hashOf(file, 0, before.headBytes)) !== before.headSha256) return 'it begins differently'
    const tail = await hashOf(file, safeBytes - before.tailBytes, before.tailBytes)
    return tail === before.tailSha256 ? null : `it differs before byte ${safeBytes}, where reading would go on`
  } finally {
    await file.close()
  }
}

async function hashOf(file: FileHandle, from: number, length: number): Promise<string> {
  const buffer = Buffer.alloc(length)
  let read = 0
  while (read < length) {
    const { bytesRead } = await file.read(buffer, read, length - read, from + read)
    if (bytesRead === 0) break
    read += bytesRead
  }
  return createHash('sha256').update(buffer.subarray(0, read)).digest('hex')
}
