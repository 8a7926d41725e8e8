/**
 * The oracles of faults-and-security.md 2.2, for every test that can read the log back: the simulation, chaos on real
 * Kafka, tests with faults. A test tells the ledger what it sent and what it was told; the log says what is true.
 *
 * | | |
 * |---|---|
 * | O1 settled | each accepted value settles exactly once |
 * | O2 no loss | what was delivered is in the log (not with `acks: 0`) |
 * | O3 no duplicate | idempotent: at most once, ever; otherwise only as often as was tried again |
 * | O4 order | per partition, delivered values lie in the order in which they were accepted |
 * | O5 honest status | what failed without `maybeWritten` is not in the log |
 * | O6 coordinates | partition, offset and timestamp of a delivery are those of the log |
 * | O8 bytes | values are whole, and where they say that they belong |
 *
 * O9 and O12 are `watchProcess`. O7 is in the engine, O10 is measured where time is real.
 */
import type { KafkaError, RecordMetadata } from '../../src/index.ts'
import { decodeLedgerValue, encodeLedgerValue } from './ledger-value.ts'
import { LedgerRows, Status } from './ledger-rows.ts'

export { watchProcess, type ProcessWatch } from './watch-process.ts'

export interface LedgerOptions {
  readonly idempotent: boolean
  readonly acks: 'all' | 1 | 0
  /** Also the run's number in each value: values of another run are foreign. */
  readonly seed: number
  /** O4 is judged. Default: yes, but with `acks: 0`, where a new connection may overtake what the old one still carries. */
  readonly isOrdered?: boolean
  /** Delivered values may be lost: `acks: 1`, and leaders are killed. Default: with `acks: 0` only. */
  readonly mayLose?: boolean
  /** Deliveries without an offset are right: a duplicate was answered whose place the broker had forgotten (46). */
  readonly mayForgetOffset?: boolean
  /**
   * Not idempotent: `retried` is told of every batch that is tried again, and second copies beyond that are violations.
   * Default: second copies are counted and allowed, for the ledger cannot see attempts.
   */
  readonly countsRetries?: boolean
}

/** A record as it was read back. */
export interface LogRow {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number
  readonly value: Buffer | null
}

export interface VerdictCounts {
  accepted: number
  delivered: number
  /** All that failed, `maybeWritten` among them. */
  failed: number
  maybeWritten: number
  unsettled: number
  /** Rows of the log. */
  read: number
  lost: number
  /** Copies beyond the first, whether allowed or not. */
  duplicated: number
  reordered: number
  wrongStatus: number
  misplaced: number
  wrongCoordinates: number
}

export interface Verdict {
  readonly counts: VerdictCounts
  /** For people, the first ones only; empty: all is well. Each names oracle, topic, partition and counter. */
  readonly violations: readonly string[]
}

const MAX_VIOLATIONS = 100

/** How far the log of one partition was read. */
interface Reading {
  lastOffset: bigint
  /** Accept order of the latest delivered value. */
  lastRank: number
  copies: number
  retriedRecords: number
}

export class Ledger {
  readonly #options: LedgerOptions
  readonly #rows = new LedgerRows()
  readonly #counters = new Map<number, number>()
  readonly #readings = new Map<number, Reading>()
  /** Deliveries that no copy has borne out so far: what the log says instead. */
  readonly #mismatches = new Map<number, string>()
  readonly #violations: string[] = []
  readonly #counts: VerdictCounts = {
    ...{ accepted: 0, delivered: 0, failed: 0, maybeWritten: 0, unsettled: 0, read: 0 },
    ...{ lost: 0, duplicated: 0, reordered: 0, wrongStatus: 0, misplaced: 0, wrongCoordinates: 0 },
  }

  constructor(options: LedgerOptions) {
    this.#options = options
  }

  /** The next value for a topic. @param partition null: the partitioner decides. */
  next(topic: string, partition: number | null, sizeBytes: number): { id: number; value: Buffer } {
    const lane = this.#rows.lane(topic, partition ?? -1)
    const counter = this.#counters.get(lane) ?? 0
    this.#counters.set(lane, counter + 1)
    const id = this.#rows.add(lane, counter)
    const run = this.#options.seed >>> 0
    return { id, value: encodeLedgerValue({ run, id, topic, partition: partition ?? -1, counter }, sizeBytes) }
  }

  /** `send` was called, or `offer` returned true. In the order of these calls values must lie in the log. */
  accepted(id: number): void {
    if (this.#rows.status(id) !== Status.made) return this.#violation(`O1 ${this.#name(id)}: accepted twice`)
    this.#rows.accept(id, this.#counts.accepted++)
  }

  delivered(id: number, { topic, partition, offset, timestamp }: RecordMetadata): void {
    if (!this.#settle(id, 'delivered')) return
    this.#counts.delivered++
    this.#rows.deliver(id, this.#rows.lane(topic, partition), offset, timestamp)
    const { acks, mayForgetOffset = false } = this.#options
    if (offset >= 0n || acks === 0 || mayForgetOffset) return
    this.#counts.wrongCoordinates++
    this.#violation(`O6 ${this.#name(id)}: delivered without an offset`)
  }

  failed(id: number, error: KafkaError): void {
    if (!this.#settle(id, `failed (${error.code})`)) return
    this.#counts.failed++
    if (error.maybeWritten) this.#counts.maybeWritten++
    this.#rows.fail(id, error.maybeWritten)
  }

  /** So many records were tried again although they may be written: so many second copies can be. */
  retried(topic: string, partition: number, records: number): void {
    this.#reading(this.#rows.lane(topic, partition)).retriedRecords += records
  }

  /** All rows of the log at once, per partition in the order of offsets. */
  judge(log: Iterable<LogRow>): Verdict {
    for (const row of log) this.read(row)
    return this.finish()
  }

  /** One row of the log, per partition in the order of offsets, when all has settled. */
  read({ topic, partition, offset, timestamp, value: bytes }: LogRow): void {
    this.#counts.read++
    const lane = this.#rows.lane(topic, partition)
    const reading = this.#reading(lane)
    const where = `${topic}-${partition} offset ${offset}`
    if (offset <= reading.lastOffset) this.#violation(`log ${where}: read after offset ${reading.lastOffset}`)
    reading.lastOffset = offset
    const value = decodeLedgerValue(bytes)
    if (typeof value === 'string') return this.#misplaced(where, value)
    const { id, run } = value
    if (run !== this.#options.seed >>> 0 || id >= this.#rows.count) {
      return this.#misplaced(where, `value ${id} of run ${run}, which was never made`)
    }
    if (value.topic !== topic || (value.partition >= 0 && value.partition !== partition)) {
      this.#misplaced(where, `holds ${this.#name(id)}`)
    }
    this.#judgeCopy(id, reading, where)
    this.#judgeCoordinates(id, { lane, offset, timestamp }, where)
  }

  /** The verdict, when all was read. Once only. */
  finish(): Verdict {
    const counts = this.#counts
    const mayLose = this.#options.mayLose ?? this.#options.acks === 0
    for (let id = 0; id < this.#rows.count; id++) {
      const status = this.#rows.status(id)
      if (status === Status.accepted) {
        counts.unsettled++
        this.#violation(`O1 ${this.#name(id)}: never settled`)
      } else if (status === Status.delivered && this.#rows.copies(id) === 0) {
        counts.lost++
        if (!mayLose) this.#violation(`O2 ${this.#name(id)}: delivered ${this.#rows.coordinates(id)}, not in the log`)
      }
    }
    for (const [id, said] of this.#mismatches) {
      this.#violation(`O6 ${this.#name(id)}: delivered ${this.#rows.coordinates(id)}, the log says ${said}`)
    }
    counts.wrongCoordinates += this.#mismatches.size
    this.#judgeRetries()
    return { counts, violations: this.#violations }
  }

  #judgeCopy(id: number, reading: Reading, where: string): void {
    const status = this.#rows.status(id)
    if (status === Status.refused || status === Status.made) {
      this.#counts.wrongStatus++
      this.#violation(
        `O5 ${this.#name(id)}: ${status === Status.made ? 'never sent' : 'failed, not maybeWritten'}, but at ${where}`,
      )
    }
    if (this.#rows.countCopy(id) > 1) {
      this.#counts.duplicated++
      reading.copies++
      if (this.#options.idempotent) this.#violation(`O3 ${this.#name(id)}: a second copy at ${where}`)
      return
    }
    const { isOrdered = this.#options.acks !== 0 } = this.#options
    if (status !== Status.delivered || !isOrdered) return
    const rank = this.#rows.rank(id)
    if (rank < reading.lastRank) {
      this.#counts.reordered++
      this.#violation(`O4 ${this.#name(id)}: accepted as number ${rank}, behind number ${reading.lastRank} at ${where}`)
    }
    reading.lastRank = Math.max(reading.lastRank, rank)
  }

  #judgeCoordinates(id: number, at: { lane: number; offset: bigint; timestamp: number }, where: string): void {
    if (this.#rows.status(id) !== Status.delivered) return
    if (this.#rows.isAt(id, at)) {
      this.#rows.bearOut(id)
      this.#mismatches.delete(id)
    } else if (!this.#rows.isBorneOut(id)) this.#mismatches.set(id, `${where} timestamp ${at.timestamp}`)
  }

  #judgeRetries(): void {
    if (this.#options.idempotent || this.#options.countsRetries !== true) return
    for (const [lane, { copies, retriedRecords }] of this.#readings) {
      if (copies <= retriedRecords) continue
      const what = `${copies} second copies, but only ${retriedRecords} records were tried again`
      this.#violation(`O3 ${this.#rows.laneName(lane)}: ${what}`)
    }
  }

  #settle(id: number, how: string): boolean {
    const status = this.#rows.status(id)
    if (status === Status.accepted) return true
    this.#violation(
      `O1 ${this.#name(id)}: ${how} ${status === Status.made ? 'without being accepted' : 'a second time'}`,
    )
    return false
  }

  #misplaced(where: string, what: string): void {
    this.#counts.misplaced++
    this.#violation(`O8 ${where}: ${what}`)
  }

  #reading(lane: number): Reading {
    let reading = this.#readings.get(lane)
    if (reading === undefined) {
      reading = { lastOffset: -1n, lastRank: -1, copies: 0, retriedRecords: 0 }
      this.#readings.set(lane, reading)
    }
    return reading
  }

  #name(id: number): string {
    return `${this.#rows.laneName(this.#rows.laneOf(id))} counter ${this.#rows.counter(id)} (id ${id})`
  }

  #violation(what: string): void {
    if (this.#violations.length < MAX_VIOLATIONS) this.#violations.push(what)
  }
}
