import { channel } from 'node:diagnostics_channel'
import type { CacheEvent } from './producer-cache.ts'
import type { DeliveryResult } from './delivery-result.ts'

/** As Segment's framework has it; a host brings its own. What it throws is ignored. */
export interface StatsClient {
  incr(name: string, value?: number, tags?: string[]): void
  histogram(name: string, value: number, tags?: string[]): void
}

/** What `diagnostics_channel` is told. No contents of events, no secrets. */
export interface DestinationDiagnosticEvents {
  'headrace:destination:delivered': { events: number; results: readonly DeliveryResult[] }
  'headrace:destination:connection': { event: CacheEvent }
}

const delivered = channel('headrace:destination:delivered')
const connection = channel('headrace:destination:connection')

const CONNECTION_COUNTERS: Readonly<Record<CacheEvent, string>> = {
  opened: 'kafka_connection_opened',
  reused: 'kafka_connection_reused',
  closed: 'kafka_connection_closed',
  disconnect_error: 'kafka_disconnect_error',
}

/** The numbers of a destination (A.10), told to the host's client and to `diagnostics_channel`. */
export class Metrics {
  readonly #stats: StatsClient | undefined
  readonly #tags: readonly string[]

  constructor(stats: StatsClient | undefined, tags: readonly string[] = []) {
    this.#stats = stats
    this.#tags = [...tags]
  }

  /** Somebody is told numbers: those that have to be worked out are worth it. */
  get isHeard(): boolean {
    return this.#stats !== undefined
  }

  connection(event: CacheEvent): void {
    this.#tell((stats, tags) => stats.incr(CONNECTION_COUNTERS[event], 1, tags))
    if (connection.hasSubscribers) connection.publish({ event })
  }

  /** @param keys one for each distinct topic, partition and default partition of a call. */
  uniqueKeys(keys: number): void {
    this.#tell((stats, tags) => stats.histogram('kafka.configurable_batch_keys.unique_keys', keys, tags))
  }

  batchBytes(bytes: number): void {
    this.#tell((stats, tags) => stats.histogram('kafka.batch_bytes', bytes, tags))
  }

  delivered(events: number, results: readonly DeliveryResult[]): void {
    if (delivered.hasSubscribers) delivered.publish({ events, results })
  }

  #tell(say: (stats: StatsClient, tags: string[]) => void): void {
    if (this.#stats === undefined) return
    try {
      say(this.#stats, [...this.#tags])
    } catch {
      // The numbers of a host are its own affair: events go on.
    }
  }
}
