import type { DeliveryResult, KafkaDestination } from '../../destination/destination.ts'
import { Tally } from '../tally.ts'
import { LineBatch, MAX_LINE_BYTES } from './event-lines.ts'
import { isOwnFault } from './own-faults.ts'
import type { LineResult } from './result-lines.ts'
import { TextLines, type TextLine } from './text-lines.ts'

export interface FileDeliveryOptions {
  readonly destination: Pick<KafkaDestination, 'deliver'>
  /** Hears of every line, in their order. */
  readonly onResult: (line: number, result: LineResult) => void
  /** After the results of one delivery. */
  readonly onBatch: () => void
  /** Nothing more will be read: a read that waits for more input is to be ended. */
  readonly onStop: () => void
}

/** Why reading ended before the input did. */
export type Stop =
  | { readonly because: 'interrupted' }
  | { readonly because: 'hopeless'; readonly code: string }
  | { readonly because: 'broken'; readonly error: unknown }

/** What is delivered at once, at most; what comes meanwhile is the next batch. */
const BATCH_EVENTS = 1000
const BATCH_SIZE = 4 * 1024 * 1024

/**
 * Events of an endless input through a destination, in order, with bounded memory: one batch is on its way, the next one
 * is being read. One after the other, so that the order in each partition is that of the lines.
 */
export class FileDelivery {
  /** Of results: one for each event and mapping, and for each line that is no event. */
  readonly tally = new Tally()
  events = 0
  skipped = 0
  duplicates = 0
  settledInputBytes = 0
  /** The last line whose results are there. */
  settledLine = 0
  readonly #options: FileDeliveryOptions
  readonly #splitter = new TextLines(MAX_LINE_BYTES)
  #pending = new LineBatch(1)
  #delivering: Promise<void> | null = null
  #onTaken: (() => void) | null = null
  #stop: Stop | null = null

  constructor(options: FileDeliveryOptions) {
    this.#options = options
  }

  get stopped(): Stop | null {
    return this.#stop
  }

  /** Reads nothing more; what was read is delivered. */
  interrupt(): void {
    this.#stopFor({ because: 'interrupted' })
  }

  /** Resolves when every event that was read has its results; one that fails is counted, and not thrown. */
  async run(input: AsyncIterable<Buffer>): Promise<void> {
    try {
      for await (const bytes of input) {
        this.#pending.inputBytes += bytes.length
        await this.#take(this.#splitter.push(bytes))
        if (this.#stop !== null) break
      }
      if (this.#stop === null) await this.#take(this.#splitter.end())
    } catch (error) {
      // Whoever interrupts also destroys the input, which makes the loop throw.
      this.#stopFor({ because: 'broken', error })
    }
    while (this.#delivering !== null) await this.#delivering
  }

  async #take(lines: readonly TextLine[]): Promise<void> {
    for (const line of lines) {
      while (isFull(this.#pending) && this.#stop === null) await this.#taken()
      if (this.#stop !== null) return
      this.#pending.add(line)
    }
    this.#pump()
  }

  /** Resolves when what was read is on its way. */
  #taken(): Promise<void> {
    return new Promise((resolve) => {
      this.#onTaken = resolve
      this.#pump()
    })
  }

  /** Delivers what was read, unless something is on its way: then it is called again at the end of that. */
  #pump(): void {
    const isHopeless = this.#stop?.because === 'hopeless'
    const batch = this.#pending
    if (this.#delivering !== null || isHopeless || batch.count === 0) return
    this.#pending = new LineBatch(batch.lastLine + 1)
    this.#delivering = this.#deliver(batch).finally(() => {
      this.#delivering = null
      this.#pump()
    })
    this.#onTaken?.()
  }

  async #deliver(batch: LineBatch): Promise<void> {
    try {
      const results = await this.#options.destination.deliver(batch.events(), { isBatch: true })
      this.#settle(batch, results)
      this.settledLine = batch.lastLine
      this.settledInputBytes += batch.inputBytes
      this.#options.onBatch()
      const [first] = results
      const isHopeless = results.every((result) => result.status !== 200 && !isOwnFault(result))
      if (isHopeless && first !== undefined) this.#stopFor({ because: 'hopeless', code: first.error?.code ?? '' })
    } catch (error) {
      this.#stopFor({ because: 'broken', error })
    }
  }

  #settle({ lines, faults }: LineBatch, results: readonly DeliveryResult[]): void {
    let nextFault = 0
    let nextResult = 0
    const faultsBefore = (line: number): void => {
      for (let fault = faults[nextFault]; fault !== undefined && fault.line < line; fault = faults[++nextFault]) {
        const { status, code, message } = fault
        this.#add(fault.line, { mapping: null, status, error: { code, message }, retry: false })
      }
    }
    for (const [event, line] of lines.entries()) {
      faultsBefore(line)
      const from = nextResult
      while (results[nextResult]?.event === event) this.#add(line, results[nextResult++] ?? null)
      if (nextResult === from) this.#add(line, null)
    }
    faultsBefore(Infinity)
    this.events += lines.length
  }

  #add(line: number, result: LineResult): void {
    this.#options.onResult(line, result)
    if (result === null) this.skipped++
    else if (result.error === undefined) this.tally.delivered++
    else this.tally.addFailure(line, { ...result.error, maybeWritten: result.maybeWritten === true })
    if (result?.isDuplicate === true && result.error === undefined) this.duplicates++
  }

  #stopFor(stop: Stop): void {
    if (this.#stop !== null) return
    this.#stop = stop
    this.#options.onStop()
    this.#onTaken?.()
  }
}

function isFull({ count, size }: LineBatch): boolean {
  return count >= BATCH_EVENTS || size >= BATCH_SIZE
}
