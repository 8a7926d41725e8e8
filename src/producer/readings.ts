import type { Clock } from '../clock.ts'
import { withTopic, type RecordForTopic } from './arguments.ts'
import type { BufferMemory } from './buffer-memory.ts'
import { ReadingPace, readRecords, ReadStop } from './read-records.ts'
import type { ProducerRecord } from './record.ts'
import { aborted, type Signals } from './signals.ts'

export interface ReadingOptions {
  /** Of the records that name none. */
  readonly topic?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** The `sendAll`s that are reading. */
export class Readings {
  readonly #clock: Clock
  readonly #signals: Signals
  readonly #stops = new Set<ReadStop>()

  constructor(clock: Clock, signals: Signals) {
    this.#clock = clock
    this.#signals = signals
  }

  /**
   * Takes one record after the other, no faster than they settle.
   *
   * @returns what made it end early, if anything did.
   */
  async readAll(
    records: Iterable<RecordForTopic> | AsyncIterable<RecordForTopic>,
    { topic, signal }: ReadingOptions,
    memory: BufferMemory,
    accept: (record: ProducerRecord) => void,
  ): Promise<{ cause: unknown } | null> {
    const stop = new ReadStop()
    const unlisten = signal && this.#signals.onAbort(signal, () => stop.stop(aborted('sendAll', signal, false)))
    this.#stops.add(stop)
    const pace = new ReadingPace(this.#clock, memory)
    const take = (record: RecordForTopic): Promise<void> | null => {
      accept(withTopic(record, topic))
      return pace.afterRecord()
    }
    try {
      return await readRecords(records, take, stop)
    } finally {
      this.#stops.delete(stop)
      unlisten?.()
    }
  }

  stopAll(error: Error): void {
    for (const stop of this.#stops) stop.stop(error)
  }
}
