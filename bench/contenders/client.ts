import type { Job } from '../compare/job.ts'

/** The records of a job: values in turn, and with keys the keys in turn. Made before the clock starts. */
export interface Supply {
  readonly values: readonly Buffer[]
  readonly keys: readonly Buffer[]
}

/** A switch that a timer turns: asking the time for each record would cost more than some clients do. */
export interface Until {
  isOver: boolean
}

/** One producer as the bench drives it. Whatever is not acknowledged rejects: a bench that loses records has no figures. */
export interface Client {
  readonly version: string
  readonly settings: Readonly<Record<string, unknown>>
  /** As many records as it goes, at most `job.concurrency` under way, until the switch; resolves with their number when all are acknowledged. */
  flood(until: Until): Promise<number>
  /** Sends so many at once; `acked` is told of each by its number. Undefined: it cannot be offered a rate. */
  readonly burst?: (first: number, count: number, acked: (index: number) => void) => Promise<void>
  close(): Promise<void>
}

export type Connect = (job: Job, supply: Supply) => Promise<Client>

/** What Kafka lets a producer have in flight. */
export const MAX_CALLS = 5

/** Brokers refuse a batch over 1 MiB; this leaves room for keys and for partitions that get more than others. */
const MAX_BATCH_BYTES = 900_000
const MAX_BATCH_BYTES_SPREAD = 450_000

/** Calls under way at once, and records in each, for clients whose batches are made by hand. */
export function handmade({ concurrency, valueBytes, partitions }: Job): { calls: number; batch: number } {
  const calls = Math.min(MAX_CALLS, concurrency)
  const callBytes = Math.max(MAX_BATCH_BYTES, MAX_BATCH_BYTES_SPREAD * partitions)
  return { calls, batch: Math.max(1, Math.min(Math.floor(concurrency / calls), Math.floor(callBytes / valueBytes))) }
}

/** Runs `work` again and again in so many chains until the switch. */
export async function chains(count: number, until: Until, work: () => Promise<void>): Promise<void> {
  const chain = async (): Promise<void> => {
    while (!until.isOver) await work()
  }
  await Promise.all(Array.from({ length: count }, chain))
}
