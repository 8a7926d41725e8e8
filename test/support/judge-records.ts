/**
 * The oracles of faults-and-security.md 2.2 for records that hold anything at all: those of tests that send "x" twice. What
 * `Ledger` knows by identity is known here by place (a delivery names its offset) and by counting (the rest of the log).
 */
import type { LoggedRecord, TestCluster } from '../../src/testing/test-cluster.ts'
import { bytesOf, contentsOf, headersOf, nameOf, type ObservedRecord } from './observed-records.ts'

export interface Evidence {
  readonly records: readonly ObservedRecord[]
  readonly cluster: TestCluster
  /** All producers were idempotent to the end. */
  readonly isIdempotent: boolean
  /** Of a partition ("t-0"): so many records were tried again although they may be written. */
  readonly retriedRecords: ReadonlyMap<string, number>
}

interface Row {
  readonly topic: string
  readonly logged: LoggedRecord
  claimedBy: ObservedRecord | null
}

/** What the log says where its format has no times (message sets before Kafka 0.10). */
const NO_TIMESTAMP = -1

/** O1, when its producers are closed. */
export function judgeEnds(records: readonly ObservedRecord[]): string[] {
  return records.filter(({ ending }) => ending === 'pending').map((record) => `O1 ${nameOf(record)}: never settled`)
}

/** @returns violations of O2 to O6 and O8; each begins with its oracle. */
export function judgeRecords({ records, cluster, ...attempts }: Evidence): string[] {
  const rows = new Map<string, Row>()
  for (const topic of cluster.topics) {
    for (const logged of cluster.records(topic)) {
      rows.set(placeOf(topic, logged), { topic, logged, claimedBy: null })
    }
  }
  return [
    ...records.flatMap((record) => judgeDelivery(record, rows)),
    ...judgeRest(
      records,
      [...rows.values()].filter(({ claimedBy }) => claimedBy === null),
      attempts,
    ),
    ...judgeOrder(records),
  ]
}

function placeOf(topic: string, { partition, offset }: { partition: number; offset: bigint }): string {
  return `${topic}-${partition} offset ${offset}`
}

/** O2, O6 and O8: it is where it was said to be. */
function judgeDelivery(record: ObservedRecord, rows: Map<string, Row>): string[] {
  const { at } = record
  if (at === null || (at.offset < 0n && record.isUnacknowledged)) return []
  const wrong = (oracle: string, what: string): string[] => [
    `${oracle} ${nameOf(record)}: delivered to ${placeOf(at.topic, at)}${what}`,
  ]
  if (at.topic !== record.topic || (record.partition ?? at.partition) !== at.partition) return wrong('O6', '')
  if (at.offset < 0n) return wrong('O6', '')
  const row = rows.get(placeOf(at.topic, at))
  if (row === undefined) return wrong('O2', ', where nothing is')
  if (row.claimedBy !== null) return wrong('O6', `, where ${nameOf(row.claimedBy)} is, too`)
  const { key, value, headers, timestamp } = row.logged
  if (bytesOf(key) !== record.key || bytesOf(value) !== record.value) return wrong('O8', ', where other bytes are')
  row.claimedBy = record
  if (record.headers !== null && record.headers !== headersOf(headers)) return wrong('O8', ', with other headers')
  const told = [at.timestamp, record.timestamp ?? at.timestamp]
  if (timestamp === NO_TIMESTAMP || told.every((ms) => ms === timestamp)) return []
  return wrong('O6', ` at ${told.join(' or ')}, the log says ${timestamp}`)
}

/** O3, O5 and O8: what else is in the log was sent by somebody who cannot know, and not more often. */
function judgeRest(
  records: readonly ObservedRecord[],
  rows: readonly Row[],
  { isIdempotent, retriedRecords }: Pick<Evidence, 'isIdempotent' | 'retriedRecords'>,
): string[] {
  if (rows.length === 0) return []
  const open = new Map<string, number>()
  const known = new Map<string, ObservedRecord>()
  for (const record of records) {
    const contents = contentsOf(record)
    const { ending, at } = record
    if (ending === 'refused' || !known.has(contents)) known.set(contents, record)
    const isOpen = at === null ? ending !== 'refused' : at.offset < 0n
    if (isOpen) open.set(contents, (open.get(contents) ?? 0) + 1)
  }
  const copies = new Map<string, number>()
  const violations: string[] = []
  for (const { topic, logged } of rows) {
    const contents = contentsOf({ topic, key: bytesOf(logged.key), value: bytesOf(logged.value) })
    const left = open.get(contents) ?? 0
    if (left > 0) {
      open.set(contents, left - 1)
      continue
    }
    const lane = `${topic}-${logged.partition}`
    const place = `at ${placeOf(topic, logged)}`
    const record = known.get(contents)
    const second = (copies.get(lane) ?? 0) + 1
    if (record === undefined) violations.push(`O8 ${JSON.stringify(contents.slice(0, 40))}, sent by nobody, ${place}`)
    else if (record.ending === 'refused') violations.push(`O5 ${nameOf(record)}: not maybeWritten, but ${place}`)
    else if (isIdempotent || second > (retriedRecords.get(lane) ?? 0)) {
      violations.push(`O3 ${nameOf(record)}: a copy too many ${place}`)
    } else copies.set(lane, second)
  }
  return violations
}

/** O4: per producer and partition, offsets grow in the order of acceptance. */
function judgeOrder(records: readonly ObservedRecord[]): string[] {
  const latest = new Map<object, Map<string, bigint>>()
  const violations: string[] = []
  for (const record of [...records].sort((a, b) => a.rank - b.rank)) {
    const { at, producer } = record
    if (at === null || at.offset < 0n) continue
    let lanes = latest.get(producer)
    if (lanes === undefined) latest.set(producer, (lanes = new Map<string, bigint>()))
    const lane = `${at.topic}-${at.partition}`
    const before = lanes.get(lane) ?? -1n
    if (at.offset <= before) violations.push(`O4 ${nameOf(record)}: offset ${at.offset}, behind offset ${before}`)
    else lanes.set(lane, at.offset)
  }
  return violations
}
