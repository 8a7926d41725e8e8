import type { ProducerStamp } from '../protocol/record-batch.ts'

/** Who the broker takes us for. Another epoch of the same id starts its sequences at 0 (KIP-360). */
export interface ProducerIdentity {
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** What a batch was first sent with. Sent again it is the same bytes, or the broker could not know it again. */
export interface BatchStamp extends ProducerIdentity {
  /**
   * Counts records since the epoch began and never wraps, so that it can be compared; what goes out is its low 31 bits
   * (`wireSequence`).
   */
  readonly firstSequence: number
}

/** After 2^31-1 comes 0. Source: DefaultRecordBatch.incrementSequence of Apache Kafka. */
export function wireSequence(sequence: number): number {
  return sequence & 0x7fffffff // bitwise operators see a number modulo 2^32
}

export function producerStamp({ producerId, producerEpoch, firstSequence }: BatchStamp): ProducerStamp {
  return { producerId, producerEpoch, baseSequence: wireSequence(firstSequence) }
}

/** Records whose place in the log is known. */
interface Acknowledged {
  readonly firstSequence: number
  readonly baseOffset: bigint
  readonly endOffset: bigint
  readonly source: AckSource
}

/** More than can be out at once: an answer is never for something older than these. */
const REMEMBERED = 8

/** Where an acknowledgement came from: what may explain that a log is shorter than it was. */
export interface AckSource {
  readonly topicId: string
  readonly connection: object
  /** Of the partition's leader as metadata had it; -1: brokers are too old to say. */
  readonly leaderEpoch: number
}

/**
 * The sequence numbers of one partition. They belong to the partition, not to what metadata says of it: a topic that is
 * missing from one answer must not start again at 0, or the broker takes new records for old ones
 * (faults-and-security.md, S3).
 *
 * ```
 * identity  (id, epoch) of every batch that has a stamp
 * next      the sequence of the next record
 * broken    a stamped batch ended without an acknowledgement: whether there is a gap, nobody knows. Nothing new is
 *           stamped until a new epoch is adopted, which happens when nothing of the old one is out.
 * ```
 */
export class Sequences {
  #identity: ProducerIdentity | null = null
  #next: number
  readonly #first: number
  #isBroken = false
  #isIdSpent = false
  /** The latest acknowledgements, by sequence: what comes must fit in between. */
  #acknowledged: Acknowledged[] = []

  /** @param first where the first epoch begins: 0, except in tests of the wrap. */
  constructor(first = 0) {
    this.#first = first
    this.#next = first
  }

  get identity(): ProducerIdentity | null {
    return this.#identity
  }

  get isBroken(): boolean {
    return this.#isBroken
  }

  /** Not another epoch but another producer id is needed. */
  get isIdSpent(): boolean {
    return this.#isIdSpent
  }

  markBroken(isIdSpent = false): void {
    if (this.#identity === null) return
    this.#isBroken = true
    this.#isIdSpent ||= isIdSpent
  }

  /** Begins anew under another identity. The caller sees to it that nothing of the old one is on its way. */
  adopt(identity: ProducerIdentity): void {
    // Only a log that knows nothing of us takes another first sequence than 0.
    this.#next = this.#identity === null ? this.#first : 0
    this.#identity = identity
    this.#isBroken = false
    this.#isIdSpent = false
    const last = this.#acknowledged.at(-1)
    this.#acknowledged = last === undefined ? [] : [{ ...last, firstSequence: -1 }]
  }

  /** Sequences are not used any more. */
  drop(): void {
    this.#identity = null
    this.#isBroken = false
    this.#isIdSpent = false
  }

  /** The numbers of the next `recordCount` records. */
  take(recordCount: number): BatchStamp {
    if (this.#identity === null || this.#isBroken) throw new Error('sequences: taken without an identity')
    const { producerId, producerEpoch } = this.#identity
    const stamp = { producerId, producerEpoch, firstSequence: this.#next }
    this.#next += recordCount
    return stamp
  }

  /** The partition may be another one by now (its topic was deleted): its offsets say nothing of the old ones. */
  forgetLog(): void {
    this.#acknowledged = []
  }

  /**
   * The partition had another leader, or its broker has forgotten us: the log may be shorter than it was, even if the
   * next acknowledgement comes over the same connection.
   */
  doubtLog(): void {
    const connection = {}
    this.#acknowledged = this.#acknowledged.map((known) => ({ ...known, source: { ...known.source, connection } }))
  }

  /**
   * Looks at an acknowledged offset: records with higher sequences must lie behind those with lower ones, whichever was
   * acknowledged first. If they do not, either the log lost its tail, which needs another leader or at least a lost
   * connection, or the broker took new records for old ones: `desync` (faults-and-security.md, O7).
   */
  acknowledge(
    { firstSequence }: BatchStamp,
    baseOffset: bigint,
    recordCount: number,
    source: AckSource,
  ): 'fine' | 'truncated' | 'desync' {
    if (baseOffset < 0n) return 'fine'
    const endOffset = baseOffset + BigInt(recordCount)
    const all = this.#acknowledged
    if (all.some((known) => known.source.topicId !== source.topicId)) all.length = 0
    const found = all.findIndex((known) => known.firstSequence > firstSequence)
    const at = found < 0 ? all.length : found
    const [before, after] = [all[at - 1], all[at]]
    const isBehind = before === undefined || before.endOffset <= baseOffset
    const isAhead = after === undefined || endOffset <= after.baseOffset
    if (isBehind && isAhead) {
      all.splice(at, 0, { firstSequence, baseOffset, endOffset, source })
      if (all.length > REMEMBERED) all.shift()
      return 'fine'
    }
    const other = isBehind ? after : before
    const isSameLeader =
      other?.source.connection === source.connection && other.source.leaderEpoch === source.leaderEpoch
    if (isSameLeader) return 'desync'
    this.#acknowledged = [{ firstSequence, baseOffset, endOffset, source }]
    return 'truncated'
  }
}
