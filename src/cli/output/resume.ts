import { UsageError } from '../exit-code.ts'
import { counted, grouped } from '../numbers.ts'
import { printNote } from '../terminal.ts'
import { readCheckpoint, type Checkpoint } from './checkpoint-file.ts'
import { lockCheckpoint } from './checkpoint-lock.ts'
import { whyAnotherInput } from './input-identity.ts'
import { checkCanResume } from './open-input.ts'
import type { OutputConfig } from './output-config.ts'

/** A checkpoint that is ours until `release`. */
export interface HeldCheckpoint {
  readonly path: string
  readonly inputPath: string
  /** What a run before left behind; null: this is the first. */
  readonly before: Checkpoint | null
  release(): Promise<void>
}

/**
 * Takes the checkpoint, and says where it goes on.
 *
 * @throws {UsageError} the input cannot be read again, another process has the checkpoint, or it is about something else.
 */
export async function holdCheckpoint(
  path: string,
  file: string | undefined,
  config: OutputConfig,
): Promise<HeldCheckpoint> {
  const inputPath = await checkCanResume(file)
  checkSchema(config)
  const release = await lockCheckpoint(path)
  try {
    const before = await readCheckpoint(path)
    if (before !== null) await checkSame(path, inputPath, before, config)
    return { path, inputPath, before, release }
  } catch (error) {
    await release()
    throw error
  }
}

/** A schema that is derived from the first rows is gone with the process; consumers would meet another one. */
function checkSchema({ path, output }: OutputConfig): void {
  const { avroFraming, avroSchema } = output
  const isBare = avroFraming !== undefined && avroFraming.toLowerCase() !== 'container'
  if (!isBare || avroSchema !== undefined) return
  throw new UsageError(
    `--checkpoint: ${path}: avroFraming ${avroFraming} needs avroSchema, too: a derived schema does not outlive the process`,
  )
}

async function checkSame(path: string, file: string, before: Checkpoint, config: OutputConfig): Promise<void> {
  const remedy = `; if it is to be sent from its beginning, remove ${path}`
  const { topic } = config.output
  if (before.topic !== topic) {
    throw new UsageError(
      `--checkpoint: ${path} is of topic ${JSON.stringify(before.topic)}, not ${JSON.stringify(topic)}`,
    )
  }
  const isCsv = before.format === 'csv'
  if (isCsv !== (config.input.format === 'csv')) {
    throw new UsageError(`--checkpoint: ${path} is of an input in ${isCsv ? 'csv' : 'ndjson'}${remedy}`)
  }
  const difference = await whyAnotherInput(file, before.input, before.safeBytes)
  if (difference !== null) {
    throw new UsageError(`--checkpoint: ${path} is not of ${file} as it is now: ${difference}${remedy}`)
  }
}

/** The addresses of an output, as a checkpoint keeps them. */
export function addressesOf({ output }: OutputConfig): string {
  return String(output.bootstrapServers)
}

/** What whoever resumes must know. */
export function tellResumed({ path, before }: HeldCheckpoint, config: OutputConfig): void {
  if (before === null) return
  const { safeRows, windowRows } = before
  const twice =
    windowRows === 0
      ? 'no row behind that was sent'
      : `up to ${counted(windowRows, 'row')} after it may be in the topic already`
  printNote(`resuming at row ${grouped(safeRows + 1)} (${path}); ${twice}`)
  const { bootstrapServers: then = addressesOf(config) } = before
  if (then === addressesOf(config)) return
  const remedy = `if this is another cluster, remove ${path}`
  printNote(`headrace: warning: bootstrapServers were ${JSON.stringify(then)} then: ${remedy}`)
}
