import type { Clock, Timer } from '../../../src/clock.ts'
import type { KafkaError, ProducerRecord, RecordMetadata } from '../../../src/index.ts'
import { Random } from '../../fuzz/random.ts'
import type { Progress } from './progress.ts'

export interface TopicPlan {
  readonly name: string
  readonly partitions: number
  /** The load names the partition of each record; else the partitioner chooses. */
  readonly isExplicit: boolean
}

/** The part of `Ledger` that hears of sends and their ends. */
export interface Books {
  next(topic: string, partition: number | null, sizeBytes: number): { id: number; value: Buffer }
  accepted(id: number): void
  delivered(id: number, metadata: RecordMetadata): void
  failed(id: number, error: KafkaError): void
}

export interface LoadOptions {
  readonly send: (record: ProducerRecord) => Promise<RecordMetadata>
  readonly books: Books
  readonly progress: Progress
  readonly topics: readonly TopicPlan[]
  readonly recordsPerSecond: number
  /** It ends by itself after so many. */
  readonly maxRecords: number
  /** Only the smallest sizes. */
  readonly isSmall?: boolean
  readonly seed: number
  readonly clock: Clock
  /** Milliseconds since the start of the load, by that clock. */
  readonly nowMs: () => number
}

/** Back-pressure: no more than this is out at once. */
const MAX_UNSETTLED_RECORDS = 20_000
const MAX_UNSETTLED_BYTES = 16 << 20
const TICK_MS = 5
const MAX_RECORDS_A_TICK = 400
/** After a standstill the load makes up for this much of it: a burst, as after any real outage. */
const CATCH_UP_MS = 10_000

/** Out of a thousand records: so many of this least and most size in bytes. About 600 bytes on average. */
const SIZES = [
  { share: 850, least: 100, most: 300 },
  { share: 130, least: 300, most: 2_000 },
  { share: 18, least: 2_000, most: 20_000 },
  { share: 2, least: 20_000, most: 100_000 },
] as const

/** Sends records at a steady rate, as long as they settle. */
export class Load {
  /** Resolves when `maxRecords` were sent. */
  readonly isExhausted: Promise<void>
  readonly #options: LoadOptions
  readonly #random: Random
  #exhausted: () => void = () => undefined
  #timer: Timer | undefined
  #forgivenRecords = 0
  #sent = 0
  #unsettledBytes = 0

  constructor(options: LoadOptions) {
    this.#options = options
    this.#random = new Random(options.seed)
    this.isExhausted = new Promise((resolve) => (this.#exhausted = resolve))
  }

  start(): void {
    this.#timer = this.#options.clock.after(TICK_MS, () => this.#tick())
  }

  /** Sends no more; what is out goes on. */
  stop(): void {
    this.#timer?.cancel()
  }

  #tick(): void {
    const { recordsPerSecond, maxRecords, nowMs } = this.#options
    this.start()
    const owed = (nowMs() * recordsPerSecond) / 1000 - this.#forgivenRecords - this.#sent
    this.#forgivenRecords += Math.max(0, owed - (CATCH_UP_MS * recordsPerSecond) / 1000)
    for (let left = Math.min(owed, MAX_RECORDS_A_TICK); left >= 1 && this.#hasRoom; left--) {
      if (this.#sent >= maxRecords) {
        this.stop()
        return this.#exhausted()
      }
      this.#sendOne()
    }
  }

  get #hasRoom(): boolean {
    return this.#options.progress.unsettled < MAX_UNSETTLED_RECORDS && this.#unsettledBytes < MAX_UNSETTLED_BYTES
  }

  #sendOne(): void {
    const { send, books, progress, topics, nowMs } = this.#options
    const { name: topic, partition } = this.#place(topics)
    const { id, value } = books.next(topic, partition, this.#size())
    const lane = partition === null ? null : `${topic}-${partition}`
    const sentMs = nowMs()
    books.accepted(id)
    progress.onAccepted(lane, sentMs)
    this.#sent++
    this.#unsettledBytes += value.length
    send(partition === null ? { topic, value } : { topic, partition, value }).then(
      (metadata) => {
        this.#unsettledBytes -= value.length
        books.delivered(id, metadata)
        if (metadata.offset < 0n) progress.withoutOffset++
        progress.onDelivered(lane, sentMs, nowMs(), value.length)
      },
      (error: unknown) => {
        this.#unsettledBytes -= value.length
        books.failed(id, error as KafkaError)
        progress.onFailed(lane, nowMs())
      },
    )
  }

  /** Every partition gets the same share. */
  #place(topics: readonly TopicPlan[]): { name: string; partition: number | null } {
    let number = this.#random.below(topics.reduce((sum, { partitions }) => sum + partitions, 0))
    for (const { name, partitions, isExplicit } of topics) {
      if (number < partitions) return { name, partition: isExplicit ? number : null }
      number -= partitions
    }
    throw new RangeError('a load needs a topic')
  }

  #size(): number {
    let number = this.#random.below(this.#options.isSmall === true ? SIZES[0].share : 1000)
    for (const { share, least, most } of SIZES) {
      if (number < share) return least + this.#random.below(most - least + 1)
      number -= share
    }
    return 0
  }
}
