import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Producer, type KafkaError } from '../../src/index.ts'
import { TestCluster } from '../../src/testing/test-cluster.ts'
import { Ledger, watchProcess, type LogRow, type VerdictCounts } from '../support/oracles.ts'
import { FaultMaker } from './faults.ts'
import { makeCompression, makeLink, makePlan, type Plan } from './plan.ts'
import type { VirtualHost } from './virtual-host.ts'
import { VirtualNetwork } from './virtual-network.ts'
import { Workload } from './workload.ts'
import { World } from './world.ts'

export interface SimulationOptions {
  readonly seed: number
  readonly idempotent: boolean
  /** Lines of the trace that are kept; Infinity: all. */
  readonly keptLines?: number | undefined
  /** Done to the cluster before the oracles look: for tests of the oracles. */
  readonly spoil?: ((cluster: TestCluster) => void) | undefined
}

export interface SimulationResult {
  readonly seed: number
  readonly plan: Plan
  readonly violations: readonly string[]
  readonly counts: VerdictCounts
  /** The same for the same seed. */
  readonly traceHash: string
  /** The last lines of what happened. */
  readonly traceLines: (count?: number) => string[]
  readonly turns: number
  readonly virtualMs: number
}

const RETRY_CHANNEL = 'headrace:batch:retry'
/** So long the healed cluster has to come back into the picture before every record must be delivered. */
const RECOVERY_MS = 8000
/** Nothing is sent for so long: nothing may happen but what time brings. */
const IDLE_MS = 3000
const MAX_IDLE_TURNS = 60
/** A pump asks for another turn now and then; nothing does it again and again. */
const MAX_TURNS_WITHOUT_CAUSE = 20
const BROKER_AHEAD_MS = 12_345
/** What was sent before the end may arrive so much later. */
const AFTERMATH_MS = 20_000

/** One seed: a cluster, a program that uses a producer, faults; then all is well again, and the oracles judge. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const simulation = await Simulation.begin(options)
  return await simulation.judge()
}

class Simulation {
  readonly #options: SimulationOptions
  readonly #world: World
  readonly #plan: Plan
  readonly #client: VirtualHost
  readonly #network: VirtualNetwork
  readonly #cluster: TestCluster
  readonly #producer: Producer
  readonly #ledger: Ledger
  readonly #workload: Workload
  readonly #faults: FaultMaker
  readonly #problems: string[] = []

  private constructor(options: SimulationOptions, world: World, parts: Parts) {
    const { plan, client, network, cluster, brokerHost } = parts
    const { idempotent, seed } = options
    this.#options = options
    this.#world = world
    this.#plan = plan
    this.#client = client
    this.#network = network
    this.#cluster = cluster
    this.#ledger = new Ledger({
      ...{ idempotent, seed, acks: plan.producer.acks, countsRetries: true },
      mayForgetOffset: idempotent, // a duplicate that the broker knows only to be one
    })
    const settings = {
      ...plan.producer,
      ...{ brokers: cluster.bootstrap, createSocket: network.createSocket, idempotent },
      compression: makeCompression(world.random, client),
    }
    this.#producer = new (Producer as unknown as TestableProducer)(settings, client, plan.firstSequence)
    this.#workload = new Workload({ world, plan, client, producer: this.#producer, ledger: this.#ledger })
    this.#faults = new FaultMaker({ world, plan, cluster, network, client, brokerHost, isIdempotent: idempotent })
  }

  static async begin(options: SimulationOptions): Promise<Simulation> {
    const world = new World(options)
    const plan = makePlan(world.random, options.idempotent)
    const client = world.host('client')
    const controller = world.host('cluster')
    // A time of the broker's that happens to be the producer's own cannot be told from it.
    controller.setWall(BROKER_AHEAD_MS)
    const hosts = Array.from({ length: plan.brokerCount }, (_, i) => world.host(`broker ${i + 1}`))
    const brokerHost = (nodeId: number): VirtualHost => hosts[nodeId - 1] ?? controller
    const settings = (): ReturnType<typeof makeLink> => makeLink(world.random, plan.network)
    const network = new VirtualNetwork({ world, client, brokerHost, settings })
    const cluster = await TestCluster.start({
      ...{ brokers: plan.brokerCount, clock: controller, transport: network.transport, autoCreateTopics: false },
      apiVersions: plan.apiVersions,
      topics: {
        ...Object.fromEntries(plan.topics.map(({ name, ...topic }) => [name, topic])),
        ...(plan.sideTopic === null ? {} : { [plan.sideTopic]: 2 }),
      },
    })
    return new Simulation(options, world, { plan, client, network, cluster, brokerHost })
  }

  async judge(): Promise<SimulationResult> {
    const watch = watchProcess()
    const onRetry = (event: unknown): void => {
      const { topic, partition, records } = event as { topic: string; partition: number; records: number }
      this.#ledger.retried(topic, partition, records)
    }
    subscribe(RETRY_CHANNEL, onRetry)
    try {
      await this.#live()
    } catch (error) {
      this.#problems.push(`O12 thrown: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    } finally {
      unsubscribe(RETRY_CHANNEL, onRetry)
      watch.stop()
    }
    this.#options.spoil?.(this.#cluster)
    const verdict = this.#ledger.judge(this.#log())
    const { trace, turns, nowMs } = this.#world
    return {
      seed: this.#options.seed,
      plan: this.#plan,
      violations: [
        ...this.#problems,
        ...this.#workload.problems,
        ...watch.problems,
        ...this.#cluster.violations.map((what) => `broker: ${what}`),
        ...verdict.violations,
      ],
      counts: verdict.counts,
      traceHash: trace.hash,
      traceLines: (count) => trace.lines(count),
      turns,
      virtualMs: nowMs,
    }
  }

  async #live(): Promise<void> {
    const { lastingMs, producer } = this.#plan
    const { random } = this.#world
    this.#workload.schedule()
    this.#faults.schedule()
    const isClosedEarly = random.oneIn(5)
    const early = isClosedEarly ? this.#closeAt(random.below(lastingMs), random.pick([0, 10, 500, 5000])) : null
    await this.#pass(lastingMs)
    this.#faults.heal()
    await this.#pass(RECOVERY_MS)
    if (!isClosedEarly) {
      // The first ones find out what has changed: connections that died in silence, leaders that moved.
      for (const mustArrive of [false, true]) {
        this.#workload.sendToEach(mustArrive)
        await this.#passUntil(() => this.#workload.waitingCount === 0, producer.deliveryTimeoutMs + producer.maxBlockMs)
        // Brokers forget who has been silent for long; nothing may be written then of which nobody knows.
        if (random.oneIn(3)) this.#cluster.expireProducers()
      }
      await this.#beIdle()
    }
    const closing = early ?? this.#closeAt(0, 60_000)
    await this.#passUntil(() => closing.isSettled, 70_000)
    if (!closing.isSettled) this.#problems.push('O1 close never settled')
    if (!isClosedEarly && closing.error !== null) this.#problems.push(`close failed: ${closing.error.message}`)
    await this.#pass(AFTERMATH_MS)
    this.#judgeTheEnd()
  }

  /** Nothing to do: nothing is done. */
  async #beIdle(): Promise<void> {
    await this.#pass(500)
    const turns = this.#client.turns
    await this.#pass(IDLE_MS)
    const taken = this.#client.turns - turns
    // Where bytes drip, one answer takes many turns.
    const { isDripping, isNarrow } = this.#plan.network
    if (taken > MAX_IDLE_TURNS && !isDripping && !isNarrow)
      this.#problems.push(`O10 ${taken} turns in ${IDLE_MS} ms in which nothing was to be done`)
    await this.#release()
  }

  /** No connection keeps the process alive for long: only while a question that nobody waits for is out. */
  async #release(): Promise<void> {
    let held = this.#network.links
    for (let i = 0; i < 6 && held.length > 0; i++) {
      held = held.filter(({ client }) => !client.destroyed && client.isRef)
      await this.#pass(300)
    }
    for (const { name } of held) this.#problems.push(`O9 idle, but ${name} keeps the process alive`)
  }

  #judgeTheEnd(): void {
    const { timerCount, mostIdleTurns } = this.#client
    if (mostIdleTurns > MAX_TURNS_WITHOUT_CAUSE) this.#problems.push(`O10 ${mostIdleTurns} turns without a cause`)
    if (timerCount > 0) this.#problems.push(`O9 ${timerCount} timers are left after close`)
    if (this.#workload.waitingCount > 0) this.#problems.push(`O1 ${this.#workload.waitingCount} calls never settled`)
    for (const { client, name } of this.#network.links) {
      if (!client.destroyed) this.#problems.push(`O9 ${name} is open after close`)
    }
    const asked = this.#cluster.requests.filter(({ api }) => api === 'Metadata').length
    const { retryBackoffMs, retryBackoffMaxMs } = this.#plan.producer
    const shortestPauseMs = 0.8 * Math.min(Math.max(500, retryBackoffMs), retryBackoffMaxMs)
    const allowed = 40 + (3 * this.#world.nowMs) / shortestPauseMs
    if (asked > allowed) this.#problems.push(`O10 ${asked} questions for metadata in ${this.#world.nowMs} ms`)
  }

  #closeAt(delayMs: number, timeoutMs: number): { isSettled: boolean; error: KafkaError | null } {
    const outcome: { isSettled: boolean; error: KafkaError | null } = { isSettled: false, error: null }
    this.#client.after(delayMs, () => {
      this.#world.log('close', timeoutMs)
      this.#producer.close({ timeoutMs }).then(
        () => this.#onClosed(outcome, null),
        (error: unknown) => this.#onClosed(outcome, error as KafkaError),
      )
    })
    return outcome
  }

  /** Whoever closed may end the process now: everything must have settled, or be about to. */
  #onClosed(outcome: { isSettled: boolean; error: KafkaError | null }, error: KafkaError | null): void {
    outcome.isSettled = true
    outcome.error = error
    this.#client.soon(() => {
      const left = this.#workload.waitingCount
      if (left > 0) this.#problems.push(`O1 closed, but ${left} calls have not settled`)
    })
  }

  #pass(ms: number): Promise<void> {
    return this.#world.run(this.#world.nowMs + ms)
  }

  #passUntil(isDone: () => boolean, ms: number): Promise<void> {
    return this.#world.run(this.#world.nowMs + ms, isDone)
  }

  *#log(): Generator<LogRow> {
    for (const { name: topic } of this.#plan.topics) {
      for (const { partition, offset, timestamp, value } of this.#cluster.records(topic)) {
        yield { topic, partition, offset, timestamp, value }
      }
    }
  }
}

interface Parts {
  readonly plan: Plan
  readonly client: VirtualHost
  readonly network: VirtualNetwork
  readonly cluster: TestCluster
  readonly brokerHost: (nodeId: number) => VirtualHost
}

/** The constructor that tests know: with a clock, and options that this version may not have yet. */
type TestableProducer = new (options: object, clock: VirtualHost, firstSequence: number) => Producer
