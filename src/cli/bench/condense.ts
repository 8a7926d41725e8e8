import type { Second } from './timeline.ts'

/** At most `count` stretches of time: rates are their mean, a percentile the worst of its seconds. */
export function condense(timeline: readonly Second[], count: number): Second[] {
  const size = Math.ceil(timeline.length / count)
  if (size <= 1) return [...timeline]
  const groups = Array.from({ length: Math.ceil(timeline.length / size) }, (_, i) =>
    timeline.slice(i * size, (i + 1) * size),
  )
  return groups.map((group) => ({
    startSeconds: group[0]?.startSeconds ?? 0,
    seconds: sum(group, 'seconds'),
    delivered: sum(group, 'delivered'),
    failed: sum(group, 'failed'),
    p50Ms: worst(group, 'p50Ms'),
    p99Ms: worst(group, 'p99Ms'),
  }))
}

function sum(group: readonly Second[], name: 'seconds' | 'delivered' | 'failed'): number {
  return group.reduce((total, second) => total + second[name], 0)
}

function worst(group: readonly Second[], name: 'p50Ms' | 'p99Ms'): number | null {
  const known = group.map((second) => second[name]).filter((ms) => ms !== null)
  return known.length === 0 ? null : Math.max(...known)
}
