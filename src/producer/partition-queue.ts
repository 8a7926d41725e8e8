import type { Connection } from '../connection/connection.ts'
import type { Batch } from './batch.ts'
import { Sequences } from './sequences.ts'

/**
 * Batches of one partition, oldest first: those that are out, then those that wait.
 *
 * ```
 * inFlight   sent, no answer yet; in the order of their sequences
 * waiting    [ stamped: sent before, to be sent again | never sent | open ]
 * ```
 */
export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  readonly sequences: Sequences
  /** The broker whose part of `bufferBytes` its records count against; null while it holds none. */
  laneId: number | null = null
  /** Of `bufferBytes`: what its batches and its waiting records hold. */
  heldBytes = 0
  /**
   * The connection that acknowledged the latest batch, if nothing went wrong since. Only there may more than one batch
   * be out: after any trouble, and with every new leader, the first batch goes alone (the gate; producer-semantics.md 3.3).
   */
  openOn: Connection | null = null
  /** When its latest batch was acknowledged, by the clock. */
  acknowledgedMs = -Infinity
  /** The broker sets the time of the records, as far as answers to first attempts tell. */
  hasLogAppendTime = false
  /** A broker found a batch too large: from now on they are closed at this size, uncompressed. */
  maxBatchBytes = Infinity
  /** What the batch came to that records last went into, uncompressed. */
  latestBatchBytes = 0
  readonly #waiting: Batch[] = []
  readonly #inFlight: Batch[] = []

  constructor(topic: string, partition: number, firstSequence?: number) {
    this.topic = topic
    this.partition = partition
    this.sequences = new Sequences(firstSequence)
  }

  /** Sent and not answered. One may have settled meanwhile: its deadline passed. */
  get inFlight(): readonly Batch[] {
    return this.#inFlight
  }

  get waiting(): readonly Batch[] {
    return this.#waiting
  }

  get head(): Batch | undefined {
    return this.#waiting[0]
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#inFlight.length === 0
  }

  /** The batch that still takes records, if there is one. */
  get open(): Batch | undefined {
    const last = this.#waiting[this.#waiting.length - 1]
    return last?.state === 'open' && !last.isClosed ? last : undefined
  }

  push(batch: Batch): void {
    this.#waiting.push(batch)
  }

  /** Takes the head out for sending. */
  takeHead(): Batch {
    const head = this.#waiting.shift()
    if (head === undefined) throw new Error('queue: nothing to send')
    this.#inFlight.push(head)
    return head
  }

  /** The answer is there, or will never be. */
  landed(batch: Batch): void {
    const at = this.#inFlight.indexOf(batch)
    if (at >= 0) this.#inFlight.splice(at, 1)
  }

  /** Back to where it was, in front of everything that came after it; `parts`: what it was cut into goes there instead. */
  putBack(batch: Batch, parts: readonly Batch[] = [batch]): void {
    this.landed(batch)
    const sequence = batch.stamp?.firstSequence ?? -1
    const at = this.#waiting.findIndex(({ stamp }) => stamp === null || stamp.firstSequence > sequence)
    this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, ...parts)
  }

  drop(batch: Batch): void {
    const at = this.#waiting.indexOf(batch)
    if (at >= 0) this.#waiting.splice(at, 1)
  }

  /** Nothing that was sent before it is unsettled: a gap in front of it is no matter of order. */
  isFirstInSequence({ stamp }: Batch): boolean {
    if (stamp === null) return false
    const isEarlier = (other: Batch): boolean => other.stamp !== null && other.stamp.firstSequence < stamp.firstSequence
    return !this.#inFlight.some(isEarlier) && !this.#waiting.some(isEarlier)
  }
}
