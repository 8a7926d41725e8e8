import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Clock } from '../../src/clock.ts'
import type { ProducerOptions } from '../../src/index.ts'
import { TestCluster, type TestClusterOptions } from '../../src/testing/test-cluster.ts'
import { Eavesdropper } from './eavesdropper.ts'
import { FakeClock, turns } from './fake-clock.ts'
import { judgeEnds, judgeRecords } from './judge-records.ts'
import { ObservedProducer } from './observed-producer.ts'
import { ObservedRecords, type ObservedRecord } from './observed-records.ts'
import { watchProcess, type ProcessWatch } from './oracles.ts'
import { poisonFreedMemory } from './poison.ts'

/** What can be excepted, and how its violations begin. */
const RULES = {
  settled: 'O1',
  noLoss: 'O2',
  noDuplicate: 'O3',
  order: 'O4',
  honestStatus: 'O5',
  coordinates: 'O6',
  bytes: 'O8',
  nothingLeft: 'O9',
  secrecy: 'O11',
  nothingUncaught: 'O12',
  clusterIsContent: 'cluster',
} as const

/** A rule that the test breaks on purpose, each with the reason. */
export type Exceptions = Partial<Record<keyof typeof RULES, string>>

export interface ProducerSetup {
  /** Default: the clock of the test. */
  readonly clock?: Clock
  /** Where sequences begin. Default 0. */
  readonly firstSequence?: number
}

/** Real milliseconds after which what was closed and is still there counts as left behind. */
const PATIENCE_MS = 3000

interface RetryEvent {
  readonly topic: string
  readonly partition: number
  readonly records: number
  readonly maybeWritten: boolean
}

/** One test: what it runs, what its producers are given and what they say, until all is judged. */
export class TestUnderWatch {
  readonly clock = new FakeClock()
  readonly #records = new ObservedRecords()
  readonly #eavesdropper = new Eavesdropper()
  readonly #clusters: TestCluster[] = []
  readonly #producers: ObservedProducer[] = []
  readonly #retriedRecords = new Map<string, number>()
  #exceptions: Exceptions = {}
  #watch: ProcessWatch | null = null
  /** Only then are timers of the process ours; vitest has its own, which come and go. */
  #isTimeReal = false

  begin(): void {
    poisonFreedMemory()
    this.#watch = watchProcess()
    this.#eavesdropper.start()
    subscribe('headrace:batch:retry', this.#onRetry)
  }

  async startCluster(options: TestClusterOptions): Promise<TestCluster> {
    const cluster = await TestCluster.start(options)
    this.#clusters.push(cluster)
    return cluster
  }

  newProducer(given: Partial<ProducerOptions>, { clock = this.clock, firstSequence }: ProducerSetup): ObservedProducer {
    const brokers = given.brokers ?? this.#clusters.at(-1)?.bootstrap ?? ''
    this.#eavesdropper.guard(given.sasl)
    const options = { ...given, brokers, logger: this.#eavesdropper.logger(given.logger) }
    const producer = new ObservedProducer(options, this.#records, clock, firstSequence)
    this.#producers.push(producer)
    if (clock !== this.clock) this.#isTimeReal = true
    return producer
  }

  except(exceptions: Exceptions): void {
    this.#exceptions = { ...this.#exceptions, ...exceptions }
    if (exceptions.secrecy !== undefined) this.#stopListening()
  }

  async end(): Promise<string[]> {
    await Promise.all(this.#producers.map((producer) => producer.close({ timeoutMs: 0 }).catch(() => undefined)))
    this.#healNetworks()
    await this.#settle(() => this.#producers.every((producer) => producer.stats().bufferUsedBytes === 0))
    const left = await this.#leftOver(/TCPSocketWrap|TCPConnectWrap/, 'the producers were')
    await Promise.all(this.#clusters.map((cluster) => cluster.close()))
    left.push(...(await this.#leftOver(this.#isTimeReal ? /./ : /^O9 (?!Timeout)/, 'all was')))
    this.#watch?.stop()
    this.#stopListening()
    return this.#judgeExceptions([
      ...this.#records.doubles,
      ...judgeEnds(this.#records.all),
      ...this.#producers.flatMap((producer) => this.#judgeCounters(producer)),
      ...this.#clusters.flatMap((cluster) => this.#judgeCluster(cluster)),
      ...left,
      ...this.clock.pendingMs.map((ms) => `O9 a timer of ${ms} ms was left behind`),
      ...this.#judgeSecrecy(),
      ...(this.#watch?.problems ?? []),
    ])
  }

  #judgeCluster(cluster: TestCluster): string[] {
    const producers = new Set<object>(this.#producers.filter((each) => clusterOf(each, this.#clusters) === cluster))
    const evidence = {
      records: this.#records.all.filter(({ producer }) => producers.has(producer)),
      isIdempotent: this.#producers
        .filter((each) => producers.has(each))
        .every((producer) => producer.stats().idempotent),
      retriedRecords: this.#retriedRecords,
    }
    return [...judgeRecords({ ...evidence, cluster }), ...cluster.violations.map((what) => `cluster: ${what}`)]
  }

  /** O1 as the producer counts: what settled twice, or never, does not come out even. */
  #judgeCounters(producer: ObservedProducer): string[] {
    const { accepted, delivered, failed, unsettled, waiting, bufferUsedBytes } = producer.stats()
    const own = this.#records.all.filter((record) => record.producer === producer)
    const known = own.filter(({ ending }) => ending === 'delivered').length
    const untold = own.filter(isEndUntold).length
    const isEven = unsettled === 0 && waiting === 0 && accepted === delivered + failed
    const isTold = delivered >= known && delivered <= known + untold
    if (isEven && isTold && bufferUsedBytes === 0) return []
    const counters = { accepted, delivered, failed, unsettled, waiting, bufferUsedBytes }
    return [`O1 ${JSON.stringify(counters)} when closed; ${known} deliveries were told, ${untold} ends were not`]
  }

  #judgeSecrecy(): string[] {
    for (const { error } of this.#records.all) this.#eavesdropper.hear('error', error)
    return this.#eavesdropper.judge(this.#records.all)
  }

  #judgeExceptions(violations: readonly string[]): string[] {
    const excepted = Object.keys(this.#exceptions) as (keyof typeof RULES)[]
    const isOf = (rule: keyof typeof RULES) => (violation: string) => violation.split(/[ :]/, 1)[0] === RULES[rule]
    const stale = excepted.filter((rule) => rule !== 'secrecy' && !violations.some(isOf(rule)))
    return [
      ...violations.filter((violation) => !excepted.some((rule) => isOf(rule)(violation))),
      ...stale.map((rule) => `nothing breaks ${rule}, which is excepted: ${this.#exceptions[rule] ?? ''}`),
    ]
  }

  /** What is stuck gets through, and is judged, too; behind a black hole no broker sees that we hung up. */
  #healNetworks(): void {
    for (const cluster of this.#clusters) cluster.ports.forEach((_, i) => cluster.blackHole(i + 1, 'none'))
  }

  async #leftOver(kinds: RegExp, after: string): Promise<string[]> {
    const left = (): string[] => this.#watch?.leftOver().filter((kind) => kinds.test(kind)) ?? []
    await this.#settle(() => left().length === 0)
    return left().map((what) => `${what} after ${after} closed`)
  }

  async #settle(isSettled: () => boolean): Promise<void> {
    const endMs = performance.now() + PATIENCE_MS
    while (!isSettled() && performance.now() < endMs) await turns(1)
  }

  #stopListening(): void {
    this.#eavesdropper.stop()
    unsubscribe('headrace:batch:retry', this.#onRetry)
  }

  readonly #onRetry = (event: unknown): void => {
    const { topic, partition, records, maybeWritten } = event as RetryEvent
    const lane = `${topic}-${partition}`
    if (maybeWritten) this.#retriedRecords.set(lane, (this.#retriedRecords.get(lane) ?? 0) + records)
  }
}

/** Nobody asked, or somebody called it off: what came of it, only the producer knows. */
function isEndUntold({ ending, error }: ObservedRecord): boolean {
  return ending === 'unwatched' || (ending === 'maybeWritten' && error?.code === 'ABORTED')
}

/** The one that its first address is of. Where a function finds them, or none is right, it is the first of the test. */
function clusterOf(
  { options: { brokers } }: ObservedProducer,
  clusters: readonly TestCluster[],
): TestCluster | undefined {
  const ports =
    typeof brokers === 'function' ? [] : [...String(brokers).matchAll(/:(\d+)/g)].map(([, port]) => Number(port))
  const owners = ports.map((port) => clusters.find((cluster) => cluster.ports.includes(port)))
  return owners.find((cluster) => cluster !== undefined) ?? clusters[0]
}
