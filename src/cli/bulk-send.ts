import type { DeliveryReport, KafkaError, Producer, ProducerRecord } from '../index.ts'
import { LineSplitter, type Line } from './line-splitter.ts'
import type { RecordReader } from './record-reader.ts'
import { Tally } from './tally.ts'

export interface BulkSendOptions {
  readonly producer: Producer
  readonly read: RecordReader
  readonly maxLineBytes: number
  /** Nothing more will be read: a read that waits for more input is to be ended. */
  readonly onStop: () => void
}

/** Why reading ended before the input did. */
export type Stop =
  | { readonly because: 'interrupted' }
  | { readonly because: 'hopeless'; readonly error: KafkaError }
  | { readonly because: 'broken'; readonly error: unknown }

/** Records of one chunk of the input, from reading to settling. */
interface Chunk {
  readonly firstLine: number
  /** Places of lines that gave no record, ascending. */
  readonly skipped: number[]
  /** Key and value bytes of each record. */
  readonly sizes: number[]
}

/** What may be unsettled at once, weighed as bytes read plus this for each line: empty lines cost memory too. */
const WINDOW_BYTES = 16 * 1024 * 1024
const LINE_WEIGHT_BYTES = 128

/** The fault of one record; the next may do better. Anything else that hits all records of a chunk hits them all. */
const RECORD_FAULTS: ReadonlySet<string> = new Set([
  'RECORD_TOO_LARGE',
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'CORRUPT_MESSAGE',
])

/**
 * Lines of an endless input through a producer, in order, with bounded memory.
 *
 * Each chunk of the input is one `sendAllSettled`, whose report is counted and dropped when it settles. The next begins
 * when the engine has taken the last record of this one, not when they have settled: the pipeline never runs dry, and
 * records of a partition stay in order, because no two calls hand over records at the same time.
 */
export class BulkSend {
  readonly tally = new Tally()
  readonly #options: BulkSendOptions
  readonly #splitter: LineSplitter
  readonly #unsettled = new Set<Promise<void>>()
  #unsettledWeight = 0
  #onLighter: (() => void) | null = null
  #lines = 0
  #stop: Stop | null = null
  #settledInputBytes = 0

  constructor(options: BulkSendOptions) {
    this.#options = options
    this.#splitter = new LineSplitter(options.maxLineBytes)
  }

  get stopped(): Stop | null {
    return this.#stop
  }

  /** How much of the input is done with. */
  get settledInputBytes(): number {
    return this.#settledInputBytes
  }

  get linesRead(): number {
    return this.#lines
  }

  /** Hands over nothing more; what the engine has taken settles. */
  interrupt(): void {
    this.#stopFor({ because: 'interrupted' })
  }

  /** Resolves when everything that was handed over has settled; a record that fails is counted, and not thrown. */
  async run(input: AsyncIterable<Buffer>): Promise<void> {
    try {
      for await (const bytes of input) {
        await this.#send(this.#splitter.push(bytes), bytes.length)
        if (this.#stop !== null) break
      }
      if (this.#stop === null) await this.#send(this.#splitter.end(), 0)
    } catch (error) {
      // Whoever interrupts also destroys the input, which makes the loop throw.
      this.#stopFor({ because: 'broken', error })
    }
    while (this.#unsettled.size > 0) await Promise.all(this.#unsettled)
  }

  async #send(lines: readonly Line[], inputBytes: number): Promise<void> {
    const chunk: Chunk = { firstLine: this.#lines + 1, skipped: [], sizes: [] }
    const weight = inputBytes + lines.length * LINE_WEIGHT_BYTES
    this.#unsettledWeight += weight
    await new Promise<void>((onTaken) => {
      const settled = this.#options.producer
        .sendAllSettled(this.#records(lines, chunk, onTaken))
        .then((report) => this.#count(chunk, report))
        .catch((error: unknown) => this.#stopFor({ because: 'broken', error }))
        .finally(() => {
          onTaken()
          this.#unsettled.delete(settled)
          this.#unsettledWeight -= weight
          this.#settledInputBytes += inputBytes
          this.#onLighter?.()
        })
      this.#unsettled.add(settled)
    })
    while (this.#unsettledWeight > WINDOW_BYTES) await new Promise<void>((resolve) => (this.#onLighter = resolve))
  }

  /** Synchronous: `for await` would cost a turn of the microtask queue for every line. */
  *#records(lines: readonly Line[], chunk: Chunk, onTaken: () => void): Generator<ProducerRecord> {
    let place = -1
    for (const line of lines) {
      if (this.#stop !== null) break
      place++
      this.#lines++
      const record = line.bytes === null ? this.#tooLong(line.length) : this.#options.read(line.bytes)
      if (record === null || 'message' in record) {
        chunk.skipped.push(place)
        if (record !== null) this.tally.addFailure(chunk.firstLine + place, record)
        continue
      }
      chunk.sizes.push((record.key?.length ?? 0) + (record.value?.length ?? 0))
      yield record
    }
    onTaken()
  }

  #tooLong(length: number): { code: string; message: string } {
    const what = `a line of ${length} bytes is over --max-request-bytes (${this.#options.maxLineBytes})`
    return { code: 'RECORD_TOO_LARGE', message: what }
  }

  #count(chunk: Chunk, report: DeliveryReport): void {
    const { failed, count } = report
    for (const size of chunk.sizes) this.tally.bytes += size
    this.tally.delivered += count - failed.length
    for (const { index, error } of failed) {
      this.tally.bytes -= chunk.sizes[index] ?? 0
      this.tally.addFailure(lineOf(chunk, index), error)
    }
    const fault = failed.find(({ error }) => !RECORD_FAULTS.has(error.code))?.error
    if (count > 0 && failed.length === count && fault !== undefined) {
      this.#stopFor({ because: 'hopeless', error: fault })
    }
  }

  #stopFor(stop: Stop): void {
    if (this.#stop !== null) return
    this.#stop = stop
    this.#options.onStop()
    this.#onLighter?.()
  }
}

/** The line of a record, given its place among the chunk's records. */
function lineOf({ firstLine, skipped }: Chunk, index: number): number {
  let place = index
  for (const other of skipped) {
    if (other > place) break
    place++
  }
  return firstLine + place
}
