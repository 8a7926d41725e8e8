/** The least, the middle and the most of some rounds. */
export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

/** @returns null where nothing was measured. */
export function spreadOf(values: readonly (number | null | undefined)[]): Spread | null {
  const sorted = values.filter((value): value is number => Number.isFinite(value)).sort((a, b) => a - b)
  if (sorted.length === 0) return null
  return { min: sorted[0] ?? NaN, median: medianOf(sorted), max: sorted.at(-1) ?? NaN }
}

function medianOf(sorted: readonly number[]): number {
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2
}

/**
 * Each round's figure over the other one's of the same round: a machine that was slower for a minute was so for both.
 * Rounds that one of them lacks do not count.
 */
export function ratioOf(mine: ReadonlyMap<number, number>, others: ReadonlyMap<number, number>): Spread | null {
  const ratios: number[] = []
  for (const [round, value] of mine) {
    const other = others.get(round)
    if (other !== undefined && other > 0) ratios.push(value / other)
  }
  return spreadOf(ratios)
}

/** A generator of [0, 1) that a seed repeats (mulberry32, by Tommy Ettinger). */
export function seeded(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items]
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const [a, b] = [result[i] as T, result[j] as T]
    result[i] = b
    result[j] = a
  }
  return result
}
