import { setTimeout as delay } from 'node:timers/promises'
import type { KafkaOutput, WriteReport } from '../../output/output.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { onInterrupt } from '../interrupt.ts'
import { grouped } from '../numbers.ts'
import { startProgress } from '../progress.ts'
import { printNote } from '../terminal.ts'
import { Checkpointer } from './checkpointer.ts'
import { complain, exitCodeOfSteps, showSteps, stepsOf } from './connection-test.ts'
import { ErrorLog } from './error-log.ts'
import { openOutput } from './open-output.ts'
import { openRows, type RowInput } from './open-input.ts'
import type { OutputConfig } from './output-config.ts'
import { OutputWatch } from './output-events.ts'
import { reportOutput } from './output-report.ts'
import { addressesOf, holdCheckpoint, tellResumed, type HeldCheckpoint } from './resume.ts'
import { AT_THE_BEGINNING, RowFeed, type Position } from './row-feed.ts'
import { endingOf, type WriteEnding } from './write-ending.ts'

export interface RunOptions {
  readonly config: OutputConfig
  readonly file?: string | undefined
  readonly errors?: string | undefined
  readonly checkpoint?: string | undefined
  /** So many rows may have to be sent again after a crash. */
  readonly checkpointRows: number
  readonly isJson: boolean
}

/** For what is asked of the brokers on the side. */
const LOOK_AROUND_MS = 1000

/** Asks the cluster, and sends nothing. */
export async function testConnection(config: OutputConfig, isJson: boolean): Promise<ExitCode> {
  const output = openOutput(config, {})
  try {
    const steps = await stepsOf(output)
    showSteps(steps, isJson)
    return exitCodeOfSteps(steps)
  } finally {
    await output.close({ timeoutMs: 0 })
  }
}

/** Rows of the input to Kafka. @throws {UsageError} nothing was sent. */
export async function runOutput(options: RunOptions): Promise<ExitCode> {
  const { config, file, checkpoint } = options
  const held = checkpoint === undefined ? null : await holdCheckpoint(checkpoint, file, config)
  try {
    const input = await openRows(file, config.input, held?.before ?? null)
    try {
      return await new OutputRun(options, input, held).run()
    } finally {
      input.close()
    }
  } finally {
    await held?.release()
  }
}

/** One input through one output. */
class OutputRun {
  readonly #options: RunOptions
  readonly #input: RowInput
  readonly #held: HeldCheckpoint | null
  readonly #log: ErrorLog
  readonly #output: KafkaOutput
  readonly #feed: RowFeed
  readonly #checkpointer: Checkpointer | null
  readonly #watch: OutputWatch
  readonly #windowRows: number
  readonly #start: Position
  readonly #ending = new AbortController()
  #stopped: string | null = null
  #progress: WriteReport | null = null

  constructor(options: RunOptions, input: RowInput, held: HeldCheckpoint | null) {
    const { config, checkpointRows } = options
    this.#options = options
    this.#input = input
    this.#held = held
    this.#watch = new OutputWatch(config.output, () => this.#leaveBlockedRow())
    this.#log = new ErrorLog(options.errors ?? null, input.name)
    this.#output = openOutput(config, { onDataError: (record) => this.#log.add(record) })
    const before = held?.before ?? null
    this.#start =
      before === null ? AT_THE_BEGINNING : { bytes: before.safeBytes, lines: before.safeLines, rows: before.safeRows }
    // A message that is still open holds rows back; there must be room for others.
    this.#windowRows = held === null ? Infinity : Math.max(checkpointRows, 2 * (config.output.rowsPerMessage ?? 1))
    this.#feed = new RowFeed({
      ...{ source: input.rows, start: this.#start, windowRows: this.#windowRows },
      onFault: (fault, row) => {
        this.#log.addFault(fault)
        if (config.input.badRows === 'skip') return true
        this.#stopped = `reading ended at row ${grouped(row)}, which cannot be read: ${fault.message}`
        return false
      },
    })
    this.#checkpointer = held === null ? null : this.#openCheckpointer(held)
  }

  async run(): Promise<ExitCode> {
    const watch = this.#watch
    try {
      if (complain(await stepsOf(this.#output))) return EXIT.connection
      if (this.#held !== null) tellResumed(this.#held, this.#options.config)
      if (this.#input.isTerminal) printNote('reading rows from the terminal, one a line; Ctrl-D ends')
      // Before the first row: from now on rows may be in the topic.
      await this.#checkpointer?.finish(0, this.#start, this.#windowRows)
      const startedMs = performance.now()
      const { report, stopped } = await this.#writeAll()
      const seconds = (performance.now() - startedMs) / 1000
      await Promise.race([watch.started, delay(LOOK_AROUND_MS, undefined, { ref: false })])
      const position = await this.#keep(report)
      this.#log.flush()
      const checkpoint = this.#held === null ? null : { path: this.#held.path, position }
      return reportOutput(
        {
          ...{ report, stopped, watch, seconds, checkpoint, faults: this.#feed.faults },
          ...{ topic: this.#options.config.output.topic, metrics: this.#output.metrics() },
          inputBytes: this.#feed.read.bytes - this.#start.bytes,
        },
        this.#options.isJson,
      )
    } finally {
      watch.stop()
      this.#log.close()
      await this.#output.close({ timeoutMs: 0 })
    }
  }

  async #writeAll(): Promise<WriteEnding> {
    const stopProgress = this.#startProgress()
    const stopListening = onInterrupt((count) => this.#interrupt(count, stopProgress))
    try {
      const report = await this.#output.write(this.#feed.rows(), {
        ...{ signal: this.#ending.signal, firstRow: this.#start.rows + 1 },
        onProgress: (progress) => {
          this.#progress = progress
          this.#checkpointer?.move(progress.safeRows, this.#feed.positionAfter(progress.safeRows))
          this.#leaveBlockedRow()
        },
      })
      return { report, stopped: this.#stopped }
    } catch (error) {
      const ending = endingOf(error, this.#input.name)
      return { ...ending, stopped: this.#stopped ?? ending.stopped }
    } finally {
      stopProgress()
      stopListening()
    }
  }

  /** @returns where the next run begins. */
  async #keep({ safeRows, rows, delivered, dropped }: WriteReport): Promise<Position> {
    const position = this.#feed.positionAfter(safeRows)
    const isAllSettled = delivered + dropped === rows && safeRows === rows
    await this.#checkpointer?.finish(safeRows, position, isAllSettled ? 0 : this.#windowRows)
    return position
  }

  #interrupt(count: number, stopProgress: () => void): void {
    stopProgress()
    if (count > 1) return void this.#output.close({ timeoutMs: 0 }).catch(isInTheReport)
    printNote('interrupted: delivering what was read; once more gives it up')
    this.#stop(`interrupted: reading ended after row ${grouped(this.#feed.read.rows)}`)
  }

  #stop(sentence: string): void {
    this.#stopped ??= sentence
    this.#feed.stop()
    // A read that waits for more input is to end.
    this.#input.close()
    this.#leaveBlockedRow()
  }

  /** What was read is delivered, but for a row that nobody can convert: that would be waited for for ever. */
  #leaveBlockedRow(): void {
    const { delivered = 0, dropped = 0 } = this.#progress ?? {}
    const isAlone = this.#watch.isBlocked && delivered + dropped >= this.#feed.given - 1
    if (this.#stopped !== null && isAlone) this.#ending.abort()
  }

  #openCheckpointer({ path, inputPath }: HeldCheckpoint): Checkpointer {
    const { config } = this.#options
    const place = { topic: config.output.topic, bootstrapServers: addressesOf(config) }
    return new Checkpointer({
      ...{ path, inputPath, windowRows: this.#windowRows },
      describe: () => ({ ...place, ...this.#input.describe() }),
      onKept: (rows) => this.#feed.keep(rows),
      onError: (error) => this.#stop(error instanceof Error ? error.message : String(error)),
    })
  }

  #startProgress(): () => void {
    // Where rows are typed, a moving line would be in the way.
    if (this.#input.isTerminal) return () => undefined
    return startProgress(this.#input.sizeBytes, () => {
      const { safeRows = 0, delivered = 0, dropped = 0 } = this.#progress ?? {}
      const { retried } = this.#watch
      const lost = dropped + this.#feed.faults
      const more = `${lost > 0 ? `, ${grouped(lost)} dropped` : ''}${retried > 0 ? `, ${grouped(retried)} retried` : ''}`
      return { doneBytes: this.#feed.positionAfter(safeRows).bytes, records: delivered, more }
    })
  }
}

/** What `close` gives up ends the write, which says so. */
function isInTheReport(): void {
  return undefined
}
