import { open, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isObject } from '../config-file.ts'
import { UsageError } from '../exit-code.ts'
import { reasonOf } from '../read-file.ts'
import { isIdentity, type InputIdentity } from './input-identity.ts'

const FORMATS = ['json', 'json array', 'csv'] as const

/** What `--checkpoint` keeps. Everything before `safeBytes` is in Kafka, or was dropped and told. */
export interface Checkpoint {
  readonly topic: string
  /** With commas. Other addresses may be those of another cluster. Not there in older ones. */
  readonly bootstrapServers?: string
  readonly format: (typeof FORMATS)[number]
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

type Members = Readonly<Record<string, unknown>>

const KIND = 'headrace output checkpoint'
const VERSION = 1

/**
 * @returns null: there is none yet.
 * @throws {UsageError} it cannot be read, is not one, or is one of a headrace to come.
 */
export async function readCheckpoint(path: string): Promise<Checkpoint | null> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    const reason = (error as NodeJS.ErrnoException).code === 'EISDIR' ? 'it is a directory' : reasonOf(error)
    throw new UsageError(`--checkpoint: cannot read ${path}: ${reason}`, { cause: error })
  }
  const found = parse(text)
  const version = found?.['version']
  if (typeof version === 'number' && version > VERSION) {
    const versions = `its version is ${version}, this one reads ${VERSION}`
    throw new UsageError(`--checkpoint: ${path} was written by a newer headrace (${versions})`)
  }
  if (found === null || version !== VERSION || !isWhole(found)) {
    throw new UsageError(`--checkpoint: ${path} is not a checkpoint of headrace output`)
  }
  return found as unknown as Checkpoint
}

function parse(text: string): Members | null {
  try {
    const document: unknown = JSON.parse(text)
    return isObject(document) && document['kind'] === KIND ? document : null
  } catch {
    return null
  }
}

/** A wrong place would leave rows out in silence: nothing is taken on trust. */
function isWhole({ topic, format, names, safeBytes, safeLines, safeRows, windowRows, input }: Members): boolean {
  const counts = [safeBytes, safeLines, safeRows, windowRows]
  if (!counts.every((count) => Number.isSafeInteger(count) && Number(count) >= 0)) return false
  if (typeof topic !== 'string' || !(FORMATS as readonly unknown[]).includes(format) || !isIdentity(input)) return false
  if (names === null) return format !== 'csv' || safeBytes === 0
  return Array.isArray(names) && names.every((name) => typeof name === 'string')
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
