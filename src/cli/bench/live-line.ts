import { startMovingLine, type MovingLine } from '../moving-line.ts'
import { grouped, milliseconds } from '../numbers.ts'
import type { Failures } from './failures.ts'
import type { Load } from './load.ts'
import { recordRate } from './rate.ts'
import type { Timeline } from './timeline.ts'

export interface LiveState {
  readonly name: string
  /** 0 to 1. */
  readonly doneShare: number
  readonly load: Pick<Load, 'underWay'>
  readonly timeline: Pick<Timeline, 'seconds' | 'delivered'>
  readonly failures: Pick<Failures, 'total'>
}

const INTERVAL_MS = 250
const FORMAT = '{bar} {name}  {figures}'

/**
 * A moving line on stderr, if that is a terminal: rate and p99 of the last second that is over.
 *
 * @returns stops it and leaves nothing behind; may be called again.
 */
export function startLive(read: () => LiveState): () => void {
  const readLine = (): ReturnType<MovingLine['read']> => {
    const state = read()
    return { done: Math.min(state.doneShare, 1), figures: { name: state.name, figures: figuresOf(state) } }
  }
  return startMovingLine({ format: FORMAT, barSize: 15, total: 1, intervalMs: INTERVAL_MS, read: readLine })
}

/** `812,000 records/s  p99 3.21 ms  10,000 under way  1,600,000 delivered  2 failed` */
export function figuresOf({ load, timeline, failures }: LiveState): string {
  const last = timeline.seconds.at(-1)
  const now = last === undefined ? [] : [recordRate(last.delivered / last.seconds)]
  if (typeof last?.p99Ms === 'number') now.push(`p99 ${milliseconds(last.p99Ms)}`)
  now.push(`${grouped(load.underWay)} under way`, `${grouped(timeline.delivered)} delivered`)
  if (failures.total > 0) now.push(`${grouped(failures.total)} failed`)
  return now.join('  ')
}
