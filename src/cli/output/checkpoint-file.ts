import { open, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isObject } from '../config-file.ts'
import { UsageError } from '../exit-code.ts'
import { reasonOf } from '../read-file.ts'
import type { InputIdentity } from './input-identity.ts'

/** What `--checkpoint` keeps. Everything before `safeBytes` is in Kafka, or was dropped and told. */
export interface Checkpoint {
  readonly topic: string
  readonly format: 'json' | 'json array' | 'csv'
  /** CSV: of the header row, which is not read again. */
  readonly names: readonly string[] | null
  /** Reading goes on behind these. */
  readonly safeBytes: number
  readonly safeLines: number
  /** Rows before that place, those that could not be read among them. */
  readonly safeRows: number
  /** So many rows behind that place may be in the topic already. */
  readonly windowRows: number
  readonly input: InputIdentity
}

const KIND = 'headrace output checkpoint'
const VERSION = 1

/**
 * @returns null: there is none yet.
 * @throws {UsageError} it cannot be read, or is not one.
 */
export async function readCheckpoint(path: string): Promise<Checkpoint | null> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new UsageError(`--checkpoint: cannot read ${path}: ${reasonOf(error)}`, { cause: error })
  }
  const found = parse(text)
  if (found === null) throw new UsageError(`--checkpoint: ${path} is not a checkpoint of headrace output`)
  return found
}

function parse(text: string): Checkpoint | null {
  try {
    const document: unknown = JSON.parse(text)
    if (!isObject(document) || document['kind'] !== KIND || document['version'] !== VERSION) return null
    const { safeBytes, safeLines, safeRows, windowRows, input } = document
    const counts = [safeBytes, safeLines, safeRows, windowRows]
    const isWhole = counts.every((count) => Number.isSafeInteger(count) && Number(count) >= 0) && isObject(input)
    return isWhole ? (document as unknown as Checkpoint) : null
  } catch {
    return null
  }
}

/**
 * Written beside, flushed to the disk, then put in place: whoever reads finds the old one or the new one, whole, whatever
 * happens in between.
 */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const beside = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`)
  try {
    const file = await open(beside, 'w', 0o644)
    try {
      await file.writeFile(`${JSON.stringify({ kind: KIND, version: VERSION, ...checkpoint }, null, 2)}\n`)
      await file.datasync()
    } finally {
      await file.close()
    }
    await rename(beside, path)
    await flushFolder(dirname(path))
  } catch (error) {
    await rm(beside, { force: true })
    throw new UsageError(`--checkpoint: cannot write ${path}: ${reasonOf(error)}`, { cause: error })
  }
}

/** The new name is on the disk, too. Windows has no such thing. */
async function flushFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
