import { diagnosticChannel } from '../diagnostics.ts'
import type { Batch } from './batch.ts'
import { deliveryUncertain } from './batch-errors.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { ProducerId } from './producer-id.ts'
import type { Settlement } from './settlement.ts'
import type { ProducerCounters } from './counters.ts'

interface EpochsParts {
  readonly producerId: ProducerId
  readonly settlement: Settlement
  readonly counters: ProducerCounters
}

const epochBumpChannel = diagnosticChannel('headrace:producer:epoch-bump')

/**
 * Which partition uses which epoch.
 *
 * A partition whose sequences are broken needs a new epoch, and one that does not use the current identity takes it over,
 * each for itself, once nothing of its old epoch is out (faults-and-security.md, S6). Batches that may have been written
 * keep their old stamp: in front of the line they are tried again under it; further back they are reported, because what
 * is in front of them must get a new one. All others get new places, in their order.
 *
 * Source: KIP-360; TransactionManager.bumpIdempotentEpochAndResetIdIfNeeded of Apache Kafka, made stricter.
 */
export class Epochs {
  readonly #parts: EpochsParts

  constructor(parts: EpochsParts) {
    this.#parts = parts
  }

  /**
   * Whether the head may be sent under the stamp it has, or will get. `later`: an answer must come first; `again`: look
   * again, something has changed.
   */
  isInSequence(queue: PartitionQueue, head: Batch): 'yes' | 'later' | 'again' {
    const { producerId } = this.#parts
    const { sequences } = queue
    const { identity } = producerId
    if (!producerId.isOn) return sequences.identity === null ? 'yes' : this.#leave(queue, head)
    const isCurrent = identity !== null && sequences.identity === identity
    if (isCurrent && !sequences.isBroken) return 'yes'
    // An older epoch serves as long as something with its stamp waits, and nothing is wrong with it.
    if (head.stamp !== null && (head.maybeWritten || !sequences.isBroken)) return 'yes'
    if (queue.inFlight.length > 0) return 'later'
    if (isCurrent) {
      this.#bump(queue)
      return 'again'
    }
    if (identity === null) return 'again'
    this.#releaseStamps(queue)
    sequences.adopt(identity)
    // The broker takes any first sequence of a producer that it does not know: the first batch goes alone again.
    queue.openOn = null
    return 'yes'
  }

  /** Nothing can be sent before there is an identity: a new batch, or one that must get a new stamp. */
  needsIdentity({ sequences }: PartitionQueue, head: Batch): boolean {
    const { producerId } = this.#parts
    if (!producerId.isOn || producerId.identity !== null) return false
    return head.stamp === null || (sequences.isBroken && !head.maybeWritten)
  }

  #bump({ topic, partition, sequences }: PartitionQueue): void {
    const { producerId, counters } = this.#parts
    const { identity } = producerId
    producerId.bump(sequences.isIdSpent)
    counters.epochBumps++
    if (epochBumpChannel.hasSubscribers && identity !== null) {
      epochBumpChannel.publish({ topic, partition, ...identity, isIdSpent: producerId.identity === null })
    }
  }

  /** Idempotence turned out not to be had after all. */
  #leave(queue: PartitionQueue, head: Batch): 'yes' | 'later' {
    if (head.stamp !== null && head.maybeWritten) return 'yes'
    if (queue.inFlight.length > 0) return 'later'
    this.#releaseStamps(queue)
    queue.sequences.drop()
    return 'yes'
  }

  #releaseStamps(queue: PartitionQueue): void {
    for (const batch of [...queue.waiting]) {
      if (batch.stamp === null) continue
      if (!batch.maybeWritten) batch.unstamp()
      else this.#report(queue, batch)
    }
  }

  #report(queue: PartitionQueue, batch: Batch): void {
    queue.drop(batch)
    this.#parts.settlement.fail(queue, batch, deliveryUncertain(batch))
  }
}
