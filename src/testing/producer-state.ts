/**
 * What the leader of a partition remembers of the producers that wrote to it, and how it judges their next batch.
 *
 * Source: ProducerStateEntry, ProducerAppendInfo and UnifiedLog.analyzeAndValidateProducerState of Apache Kafka 4.3.1;
 * test/brokers/producer-state.test.ts asks real brokers and this one the same.
 */
import { errorByCode } from '../protocol/error-codes.ts'
import type { RecordBatchHeader } from '../protocol/record-batch-layout.ts'
import type { ProducerRules } from './producer-rules.ts'
import { INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER } from '../protocol/error-numbers.ts'

const MAX_SEQUENCE = 2 ** 31 - 1

/** A batch that is in the log, as far as its producer goes. */
export interface RememberedBatch {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
  readonly lastOffset: number
  /** Latest of its records, or when it was appended, milliseconds since the Unix epoch. */
  readonly maxTimestamp: bigint
}

export type Verdict =
  | { readonly kind: 'append' }
  /** It is there already: success, with what is true of the first one. */
  | { readonly kind: 'duplicate'; readonly batch: RememberedBatch }
  | { readonly kind: 'refuse'; readonly errorCode: number; readonly message: string }

type Sequenced = Pick<RecordBatchHeader, 'producerId' | 'producerEpoch' | 'baseSequence' | 'recordCount'>

interface Entry {
  epoch: number
  /** Oldest first, never empty. */
  batches: RememberedBatch[]
}

const APPEND: Verdict = { kind: 'append' }

/** The state of all producers of one partition. */
export class ProducerState {
  readonly #entries = new Map<bigint, Entry>()
  readonly #rules: ProducerRules

  constructor(rules: ProducerRules) {
    this.#rules = rules
  }

  judge(header: Sequenced): Verdict {
    if (header.producerId < 0n) return APPEND
    const { producerEpoch: epoch, baseSequence: first } = header
    const entry = this.#entries.get(header.producerId)
    if (entry === undefined) {
      const { unknownProducer } = this.#rules
      return unknownProducer === 0 || first === 0 ? APPEND : refuse(unknownProducer, header, 'nobody knows it')
    }
    if (epoch < entry.epoch) return refuse(INVALID_PRODUCER_EPOCH, header, `the epoch is ${entry.epoch}`)
    if (epoch > entry.epoch) {
      return first === 0 ? APPEND : refuse(OUT_OF_ORDER_SEQUENCE_NUMBER, header, 'a new epoch begins with 0')
    }
    const last = lastSequenceOf(header)
    const batch = entry.batches.find((known) => known.firstSequence === first && known.lastSequence === last)
    if (batch !== undefined) return { kind: 'duplicate', batch }
    const next = sequenceAfter(entry.batches.at(-1)?.lastSequence ?? -1)
    return first === next ? APPEND : refuse(OUT_OF_ORDER_SEQUENCE_NUMBER, header, `the next one is ${next}`)
  }

  /** A batch went into the log. */
  remember(header: Sequenced, baseOffset: number, maxTimestamp: bigint): void {
    const { producerId, producerEpoch: epoch, baseSequence: firstSequence } = header
    if (producerId < 0n) return
    const known = this.#entries.get(producerId)
    const lastOffset = baseOffset + header.recordCount - 1
    const batch = { firstSequence, lastSequence: lastSequenceOf(header), baseOffset, lastOffset, maxTimestamp }
    if (known === undefined || known.epoch !== epoch) {
      this.#entries.set(producerId, { epoch, batches: [batch] })
      return
    }
    known.batches.push(batch)
    if (known.batches.length > this.#rules.batchesToRetain) known.batches.shift()
  }

  /** Records before an offset are gone: so are producers that have no other, in Kafka versions that forget them. */
  forgetBefore(offset: number): void {
    if (!this.#rules.forgetsWithRecords) return
    for (const [producerId, entry] of this.#entries) {
      const { lastOffset } = entry.batches.at(-1) ?? { lastOffset: -1 }
      if (lastOffset < offset) this.#entries.delete(producerId)
    }
  }

  clear(): void {
    this.#entries.clear()
  }
}

function lastSequenceOf({ baseSequence, recordCount }: Sequenced): number {
  return (baseSequence + recordCount - 1) % (MAX_SEQUENCE + 1)
}

function sequenceAfter(sequence: number): number {
  return sequence === MAX_SEQUENCE ? 0 : sequence + 1
}

function refuse(errorCode: number, { producerId, producerEpoch, baseSequence }: Sequenced, why: string): Verdict {
  const message = `${errorByCode(errorCode).name}: sequence ${baseSequence} of producer ${producerId}, epoch ${producerEpoch}: ${why}`
  return { kind: 'refuse', errorCode, message }
}
