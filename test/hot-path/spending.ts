/** What is said to `spender.ts`, a process, and what it answers. */

/** How records are sent; `watched offer` has a callback. */
export type Way = 'send' | 'sendAll' | 'offer' | 'watched offer'

export interface SpendingJob {
  readonly brokers: string
  readonly topic: string
  readonly way: Way
  /** An object of `WASTE_BYTES` is made for each record beside: what is counted has to show it. */
  readonly wastes: boolean
  /** Waves before the first that is asked for: until the compiler is done. */
  readonly warmWaves: number
}

/** Records that are sent at once, and awaited together. All have room: 698 bytes of 32 MiB each. */
export const WAVE_RECORDS = 10_000

/** Its header is three words, and it has thirteen fields. */
export const WASTE_BYTES = 128

/** What a wave allocated; null: there was a collection in it, so nobody knows. */
export type Wave = { readonly heapBytes: number; readonly bufferBytes: number } | null

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}
