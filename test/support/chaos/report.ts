import { cpus, loadavg, release, type } from 'node:os'
import type { VerdictCounts } from '../oracles.ts'
import { KAFKA, NODES, SIDE_TOPIC, TOPICS } from './arena.ts'
import type { ChaosOptions, ChaosResult } from './run.ts'
import type { DoneFault } from './track.ts'

export interface Provenance {
  readonly headrace: string
  /** Git's short hash, with `+` when files differ from it; empty: unknown. */
  readonly commit: string
  readonly startedAt: string
  /** The command that does the same again. */
  readonly command: string
}

const JUDGEMENTS = [
  ['lost', 'delivered, and not in the log'],
  ['duplicated', 'second copies in the log'],
  ['reordered', 'not in the order of their sends'],
  ['wrongStatus', 'called not written, and in the log'],
  ['wrongCoordinates', 'not where they were said to be'],
  ['misplaced', 'in a wrong partition, or changed'],
  ['unsettled', 'neither delivered nor failed'],
] as const

/** Whether the run found nothing wrong. */
export function hasPassed({ verdict }: ChaosResult): boolean {
  return verdict.violations.length === 0
}

/** Everything, for programs. */
export function reportJson(provenance: Provenance, options: ChaosOptions, result: ChaosResult): object {
  const { verdict, progress, faults, loadMs, ...rest } = result
  const { accepted, delivered, failed, deliveredBytes, withoutOffset } = progress
  return {
    passed: hasPassed(result),
    ...provenance,
    ...{ kafka: KAFKA, nodes: NODES, node: process.version, options },
    ...{ counts: verdict.counts, violations: verdict.violations },
    records: { accepted, delivered, failed, deliveredBytes, withoutOffset, perSecond: (delivered / loadMs) * 1000 },
    latencyMs: latencies(result),
    faults: faults.map((fault) => ({ ...fault, longestStallMs: stallOf(result, fault) })),
    ...{ loadMs, ...rest },
    stallsMs: stalls(result),
  }
}

/** For people: what was done to whom, what came of it, and how to do it again. */
export function reportText(provenance: Provenance, options: ChaosOptions, result: ChaosResult): string {
  const { verdict } = result
  return [
    ...header(provenance, options, result),
    ...clusterFaults(result),
    ...proxyFaults(result),
    ...records(result),
    ...sessions(options, result),
    ...judgement(verdict.counts, options, result),
    ...verdict.violations.slice(0, 20).map((violation) => `  VIOLATION  ${violation}`),
    ...(verdict.violations.length > 20 ? [`  and ${verdict.violations.length - 20} more`] : []),
    '',
    hasPassed(result)
      ? 'verdict     PASSED: no violation'
      : `verdict     FAILED: ${verdict.violations.length} violations`,
    `again       ${provenance.command}`,
  ].join('\n')
}

function header({ headrace, commit, startedAt }: Provenance, options: ChaosOptions, result: ChaosResult): string[] {
  const { idempotent, acks, compression, recordsPerSecond, connectionsLiveMs } = options
  const { deliveryTimeoutMs = 'default', requestTimeoutMs, lingerMs } = options
  const partitions = TOPICS.reduce((sum, topic) => sum + topic.partitions, 0)
  const [cpu] = cpus()
  const lives =
    connectionsLiveMs === undefined ? [] : [`            each connection lives ${connectionsLiveMs.join(' to ')} ms`]
  return [
    '',
    `chaos       seed ${options.seed}, ${startedAt}, load ${minutes(result.loadMs)}`,
    `software    headrace ${headrace}${commit === '' ? '' : ` (${commit})`}, Node ${process.version}, Apache Kafka ${KAFKA}`,
    `machine     ${cpus().length} x ${cpu?.model ?? '?'}, ${type()} ${release()}, load average ${loadavg()[0]?.toFixed(1) ?? '?'}`,
    `cluster     ${NODES} brokers and controllers, ${partitions} judged partitions in ${TOPICS.length} topics, replication 3, min ISR 2`,
    `producer    idempotent ${idempotent}, acks ${acks}, compression ${compression}, 5 requests in flight, lingerMs ${lingerMs}`,
    `            deliveryTimeoutMs ${deliveryTimeoutMs}, requestTimeoutMs ${requestTimeoutMs}, at most ${recordsPerSecond} records/s`,
    ...lives,
    ...entranceLine(options),
  ]
}

function entranceLine({ entrance }: ChaosOptions): string[] {
  if (entrance === undefined) return []
  const { mechanism, isTls, sessionMs } = entrance
  return [`            ${mechanism} ${isTls ? 'over TLS' : 'without TLS'}, sessions of ${sessionMs} ms`]
}

function sessions({ entrance }: ChaosOptions, { events }: ChaosResult): string[] {
  if (entrance === undefined) return []
  const { relogins, longestReloginMs, lostConnections, losses } = events
  const times = `${count(relogins)} logins on connections in use, the longest took ${longestReloginMs.toFixed(1)} ms`
  const why = losses.map((loss) => `            lost: ${loss}`)
  return [`sessions    ${times}; ${count(lostConnections)} connections lost`, ...why]
}

function clusterFaults(result: ChaosResult): string[] {
  const faults = result.faults.filter(({ track }) => track === 'cluster')
  if (faults.length === 0) return []
  const lines = faults.map((fault) => {
    const { number, kind, node, startedMs, endedMs, note } = fault
    const cells = [
      String(number).padStart(4),
      clock(startedMs).padStart(7),
      kind.padEnd(8),
      node === 0 ? '   ' : `  ${node}`,
    ]
    const times = [seconds(endedMs - startedMs).padStart(8), seconds(stallOf(result, fault)).padStart(8)]
    return `${[...cells, ...times].join('  ')}  ${note}`
  })
  return ['', `   #       at  fault     node    lasted     stall  ${tally(faults)}`, ...lines]
}

function proxyFaults(result: ChaosResult): string[] {
  const faults = result.faults.filter(({ track }) => track === 'proxy')
  const { accepted, brokenByProxy } = result.connections
  const total = `connections ${count(accepted)} made, ${count(brokenByProxy)} broken by the proxies`
  if (faults.length === 0) return ['', total]
  const longest = faults.reduce((most, fault) => Math.max(most, stallOf(result, fault)), 0)
  return ['', total, `network     ${tally(faults)}; longest stall beside them ${seconds(longest)}`]
}

function records(result: ChaosResult): string[] {
  const { progress, side, events, loadMs, closeMs, readBackMs, eventLoopDelayMs, verdict } = result
  const { p50, p90, p99, p999, max } = latencies(result)
  const rate = `${count((progress.delivered / loadMs) * 1000)}/s, ${(progress.deliveredBytes / 1e6).toFixed(0)} MB`
  const retried = `${count(events.retriedBatches)} batches with ${count(events.retriedRecords)} records, ${count(events.epochBumps)} epoch bumps`
  const forgotten = progress.withoutOffset === 0 ? '' : `; ${count(progress.withoutOffset)} without an offset`
  return [
    '',
    `records     ${count(progress.accepted)} accepted, ${count(progress.delivered)} delivered (${rate})${forgotten}`,
    `            ${count(progress.failed)} failed${byCode(events.errors)}`,
    `            ${count(verdict.counts.maybeWritten)} of them maybe written, of which ${count(maybeWrittenFound(verdict.counts))} are in the log`,
    `latency     p50 ${p50} ms, p90 ${p90} ms, p99 ${p99} ms, p99.9 ${p999} ms, longest ${max} ms`,
    `retries     ${retried}${byCode(events.retryErrors)}`,
    `side topic  ${SIDE_TOPIC}, not judged: ${count(side.accepted)} accepted, ${count(side.delivered)} delivered${byCode(side.failures, ', failed: ')}`,
    `process     event loop delay p99 ${eventLoopDelayMs.p99.toFixed(0)} ms, longest ${eventLoopDelayMs.max.toFixed(0)} ms; RSS at most ${(result.maxRssBytes / 2 ** 20).toFixed(0)} MiB, the ledger included`,
    `after       close() took ${seconds(closeMs)}; ${count(verdict.counts.read)} records read back in ${seconds(readBackMs)}`,
  ]
}

function judgement(counts: VerdictCounts, { idempotent }: ChaosOptions, { events }: ChaosResult): string[] {
  const lines = JUDGEMENTS.map(([name, what]) => {
    const isAllowed = name === 'duplicated' && !idempotent && counts.duplicated > 0
    const allowed = isAllowed
      ? `; without idempotence allowed per partition up to what was retried (${count(events.retriedRecords)})`
      : ''
    return `  ${String(counts[name]).padStart(9)}  ${name.padEnd(16)}  ${what}${allowed}`
  })
  return ['', ...lines]
}

function latencies({ progress: { latency } }: ChaosResult): Record<'p50' | 'p90' | 'p99' | 'p999' | 'max', number> {
  const at = (share: number): number => latency.percentileMs(share)
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: Math.ceil(latency.maxMs) }
}

function stalls({ progress }: ChaosResult): { longest: number; above200ms: number } {
  const longest = progress.stalls.reduce((most, { fromMs, toMs }) => Math.max(most, toMs - fromMs), 0)
  return { longest, above200ms: progress.stalls.length }
}

function stallOf({ progress }: ChaosResult, { startedMs, endedMs }: DoneFault): number {
  return progress.longestStallMs(startedMs, endedMs)
}

/** Rows of the log that belong to nothing else. */
function maybeWrittenFound({ read, misplaced, duplicated, wrongStatus, delivered, lost }: VerdictCounts): number {
  return read - misplaced - duplicated - wrongStatus - (delivered - lost)
}

/** `: CODE 12, OTHER 3`, or nothing. */
function byCode(counts: Readonly<Record<string, number>>, lead = ': '): string {
  const rows = Object.entries(counts).sort(([, a], [, b]) => b - a)
  return rows.length === 0 ? '' : `${lead}${rows.map(([code, times]) => `${code} ${count(times)}`).join(', ')}`
}

function tally(faults: readonly DoneFault[]): string {
  const counts = new Map<string, number>()
  for (const { kind } of faults) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return [...counts].map(([kind, times]) => `${times} ${kind}`).join(', ')
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

/** `12:34` */
export function clock(ms: number): string {
  const whole = Math.floor(ms / 1000)
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}

function minutes(ms: number): string {
  return ms < 120_000 ? seconds(ms) : `${(ms / 60_000).toFixed(1)} min`
}
