import type { ProducerOptions } from '../../index.ts'
import { VERSION } from '../../version.ts'
import { bytes, counted, grouped } from '../numbers.ts'
import type { BenchPlan } from './plan.ts'
import { recordRate } from './rate.ts'

/** What a figure must stand beside to mean something. */
export interface Settings {
  readonly topic: string
  readonly partitions: number
  readonly seconds: number | null
  readonly records: number | null
  readonly warmupSeconds: number
  readonly ratePerSecond: number | null
  readonly concurrency: number
  readonly valueBytes: number
  readonly keys: number
  readonly acks: 'all' | 0 | 1
  readonly compression: string
  readonly batchBytes: number
  readonly lingerMs: number
  readonly headrace: string
  readonly node: string
}

export function settingsOf(plan: BenchPlan, options: ProducerOptions, partitions: number): Settings {
  const { acks = 'all', compression = 'none', batchBytes = 16_384, lingerMs = 0 } = options
  const { topic, warmupSeconds, valueBytes, keys, load } = plan
  return {
    ...{ topic, partitions, ...load, warmupSeconds, valueBytes, keys },
    acks: acks === -1 ? 'all' : acks,
    compression: typeof compression === 'string' ? compression : compression.codec,
    ...{ batchBytes, lingerMs, headrace: VERSION, node: process.version },
  }
}

/** Two lines, before it begins: what will be written where. */
export function announcement(settings: Settings, brokers: unknown): string[] {
  const { topic, partitions, warmupSeconds, records, seconds, ratePerSecond } = settings
  const where = typeof brokers === 'string' || Array.isArray(brokers) ? ` at ${String(brokers)}` : ''
  const much = records === null ? `${seconds ?? 0} s` : counted(records, 'record')
  const rate = ratePerSecond === null ? 'as fast as it goes' : `at ${recordRate(ratePerSecond)}`
  const warmup = warmupSeconds === 0 ? '' : `${warmupSeconds} s of warm-up, then `
  return [
    `writing to ${JSON.stringify(topic)} (${counted(partitions, 'partition')})${where}: ${warmup}${much} ${rate}`,
    settingsText(settings),
  ]
}

/** From when it counts. */
export function latencyStart({ ratePerSecond }: Settings): string {
  return ratePerSecond === null ? 'from the call of send' : 'from when a record was due'
}

export function settingsText(settings: Settings): string {
  const { concurrency, valueBytes, keys, acks, compression, batchBytes, lingerMs } = settings
  return [
    `values of ${bytes(valueBytes)}, ${keys === 0 ? 'no keys' : counted(keys, 'key')}`,
    `${counted(concurrency, 'send')} under way at most`,
    `acks ${acks}, compression ${compression}, batches of ${grouped(batchBytes)} B, linger ${lingerMs} ms`,
  ].join('; ')
}
