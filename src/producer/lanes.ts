import type { Clock } from '../clock.ts'
import type { Accepted } from './accepted.ts'
import { Fifo } from './fifo.ts'
import type { PartitionQueue } from './partition-queue.ts'

/** The records for one broker: a dead one must not eat the buffer of all (faults-and-security.md, P5). */
export interface Lane {
  /** When records of it settled last, or it was made, by the clock. */
  usedMs: number
  usedBytes: number
  /** Of `waiters`. */
  waitingBytes: number
  /** Records that wait for room, oldest first. */
  readonly waiters: Fifo<Waiter>
}

export interface Waiter {
  readonly accepted: Accepted
  readonly queue: PartitionQueue
  /** Of all waiters the oldest has the lowest. */
  readonly number: number
  readonly deadlineMs: number
}

/** How long a broker keeps its share of the buffer without records. */
const LANE_REST_MS = 60_000

/** Metadata's word for a partition without a leader. */
export const NO_LEADER = -1

/** A lane for each broker that records go to, or went to within a minute. */
export class Lanes {
  readonly #clock: Clock
  readonly #lanes = new Map<number, Lane>()
  /** The lane that was asked for last, which is the next one's, too, for most records; NaN: none. */
  #latestId = NaN
  #latest: Lane | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#lanes.size
  }

  all(): IterableIterator<Lane> {
    return this.#lanes.values()
  }

  /** The lane that the partition is in; if it is in none, that of its leader. */
  of(queue: PartitionQueue, leader: number): Lane {
    const id = (queue.laneId ??= leader)
    if (id === this.#latestId && this.#latest !== null) return this.#latest
    const lane = this.#lanes.get(id) ?? this.#add(id)
    this.#latest = lane
    this.#latestId = id
    return lane
  }

  /** A broker that nothing was sent to for a minute keeps no share: it may be gone, or have been nobody (no leader). */
  dropResting(current: Lane): void {
    const nowMs = this.#clock.now()
    current.usedMs = nowMs
    for (const [id, { usedBytes, waiters, usedMs }] of this.#lanes) {
      const isEmpty = usedBytes === 0 && waiters.length === 0
      if (!isEmpty || nowMs - usedMs <= LANE_REST_MS) continue
      this.#lanes.delete(id)
      if (id === this.#latestId) this.#latestId = NaN
    }
  }

  #add(id: number): Lane {
    const lane: Lane = { usedBytes: 0, waitingBytes: 0, waiters: new Fifo(), usedMs: this.#clock.now() }
    this.#lanes.set(id, lane)
    return lane
  }
}
