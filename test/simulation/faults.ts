import { OptionError } from '../../src/errors.ts'
import type { FaultOptions, FaultRule, TestCluster } from '../../src/testing/test-cluster.ts'
import type { Random } from '../fuzz/random.ts'
import type { Plan } from './plan.ts'
import type { VirtualHost } from './virtual-host.ts'
import type { Link, VirtualNetwork } from './virtual-network.ts'
import type { Wire } from './wire.ts'
import type { World } from './world.ts'

/** What can go wrong with what. */
export interface FaultTargets {
  readonly world: World
  readonly plan: Plan
  readonly cluster: TestCluster
  readonly network: VirtualNetwork
  readonly client: VirtualHost
  readonly brokerHost: (nodeId: number) => VirtualHost
  readonly isIdempotent: boolean
}

/** Errors after which records may be there all the same, and others (faults-and-security.md 2.3). */
const PRODUCE_MAYBE = [6, 7, 13, 20, 56, 74, -1]
const PRODUCE_NOT = [2, 3, 5, 9, 10, 17, 19, 29, 87, 89]
/** What a broker says that has lost sight of a producer; only one that is idempotent may hear it. */
const PRODUCE_SEQUENCE = [45, 59]
const METADATA = [3, 3, 3, 5, 5, 17, 29, -1]
const HANDSHAKE = [35, 42, -1]
const INIT_PRODUCER_ID = [14, 15, 16, 51, -1, 7]

/** The faults of one world: begins them at random, undoes them all at the end. */
export class FaultMaker {
  readonly #targets: FaultTargets
  readonly #random: Random
  readonly #rules: FaultRule[] = []
  readonly #down = new Set<number>()
  readonly #grown = new Set<string>()
  #isCutting = false

  constructor(targets: FaultTargets) {
    this.#targets = targets
    this.#random = targets.world.random
  }

  /** Plans faults for the time in which things may go wrong. */
  schedule(): void {
    const { world, plan } = this.#targets
    for (let i = 0; i < plan.faultCount; i++) world.after(this.#random.below(plan.lastingMs), () => this.#begin())
  }

  /** All is well again. What TCP held back arrives now: it was only late. */
  heal(): void {
    const { world, plan, network } = this.#targets
    world.log('heal')
    for (const rule of this.#rules) rule.remove()
    this.#isCutting = false
    for (let nodeId = 1; nodeId <= plan.brokerCount; nodeId++) {
      network.setPolicy(nodeId, 'accept')
      this.#start(nodeId)
    }
    // A moment later all brokers are up.
    for (const { name, partitions } of plan.topics) {
      for (let partition = 0; partition < partitions; partition++) world.after(1, () => this.#elect(name, partition))
    }
    for (const { up, down } of network.links) {
      up.heal()
      down.heal()
    }
  }

  #begin(): void {
    const kinds = [
      () => this.#refuseProduce(),
      () => this.#refuseProduce(),
      () => this.#doubt(),
      () => this.#doubt(),
      () => this.#answerBadly('Produce'),
      () => this.#answerBadly('Produce'),
      () => this.#answerBadly('Metadata'),
      () => this.#answerBadly('ApiVersions'),
      () => this.#rule({ api: 'Metadata', topic: this.#topic(), error: this.#random.pick(METADATA) }),
      () => this.#rule({ api: 'ApiVersions', error: this.#random.pick(HANDSHAKE) }),
      () => this.#troubleInit(),
      () => this.#throttle(),
      () => this.#throttle(),
      () => this.#confuse(),
      () => this.#grow(),
      () => this.#leaderless(),
      () => this.#leaderless(),
      () => this.#recreate(),
      () => this.#recreate(),
      () => this.#bounce(),
      () => this.#bounce(),
      () => this.#moveLeaders(1),
      () => this.#moveLeaders(10),
      () => this.#cut(),
      () => this.#cut(),
      () => this.#cutAll(),
      () => this.#stall(),
      () => this.#stall(),
      () => this.#halfClose(),
      () => this.#swallow(),
      () => this.#freeze(this.#targets.client),
      () => this.#freeze(this.#targets.brokerHost(this.#node())),
      () => this.#setWall(),
    ]
    this.#random.pick(kinds)()
  }

  #refuseProduce(): void {
    const isMaybe = this.#random.oneIn(2)
    const codes = isMaybe ? PRODUCE_MAYBE : [...PRODUCE_NOT, ...(this.#targets.isIdempotent ? PRODUCE_SEQUENCE : [])]
    this.#rule({
      ...this.#where(),
      ...{ api: 'Produce', error: this.#random.pick(codes), isWritten: isMaybe && this.#random.oneIn(2) },
    })
  }

  /** Records are written and nobody is told; what is sent again is refused. What must the producer think of it? */
  #doubt(): void {
    const { name, partitions } = this.#random.pick(this.#targets.plan.topics)
    const where = { api: 'Produce', topic: name, partition: this.#random.below(partitions), times: 1 } as const
    const lost: Partial<FaultOptions>[] = [
      { closeAfterBytes: 0 },
      { silent: true },
      { error: this.#random.pick(PRODUCE_MAYBE), isWritten: this.#random.oneIn(2) },
    ]
    const refusals = [...PRODUCE_NOT, ...(this.#targets.isIdempotent ? PRODUCE_SEQUENCE : [])]
    this.#rule({ ...where, ...this.#random.pick(lost) })
    this.#rule({ ...where, error: this.#random.pick(refusals), times: this.#random.pick([1, 1, 3]) })
  }

  /** The answer comes late, never, in pieces, or not to its end. */
  #answerBadly(api: FaultOptions['api']): void {
    const where = api === 'Produce' ? this.#where() : {}
    const isWritten = api === 'Produce' && this.#random.oneIn(3) ? { isWritten: false } : {}
    const kinds: Partial<FaultOptions>[] = [
      { delayMs: this.#ms() },
      { delayMs: this.#ms(), splitBytes: 1 + this.#random.below(50) },
      { silent: true, ...isWritten },
      { closeBefore: true },
      { closeAfterBytes: 0 },
      { closeAfterBytes: this.#random.below(150) },
    ]
    this.#rule({ ...where, api, ...this.#random.pick(kinds) })
  }

  /** What no broker does, and a client must survive all the same. */
  #confuse(): void {
    const api = this.#random.pick(['Produce', 'Metadata', 'ApiVersions'] as const)
    const kinds: Partial<FaultOptions>[] = [{ wrongCorrelationId: true }, { duplicateAnswer: true }, { late: true }]
    this.#rule({ api, ...this.#random.pick(kinds) })
  }

  #throttle(): void {
    const api = this.#random.pick(['Produce', 'Produce', 'Metadata'] as const)
    this.#rule({ api, throttleMs: this.#ms() })
  }

  #grow(): void {
    const { world, cluster } = this.#targets
    const { name, partitions } = this.#random.pick(this.#targets.plan.topics)
    const count = partitions + 1 + this.#random.below(4)
    if (this.#grown.has(name)) return
    this.#grown.add(name)
    world.log('grow', name, count)
    cluster.addPartitions(name, count)
  }

  /** The topic aside goes, and comes back as another one. */
  #recreate(): void {
    const { world, cluster, plan } = this.#targets
    const name = plan.sideTopic
    if (name === null || !cluster.topics.includes(name)) return
    world.log('delete', name)
    cluster.deleteTopic(name)
    world.after(this.#ms(), () => {
      world.log('recreate', name)
      cluster.createTopic(name, { partitions: 1 + this.#random.below(3), replicationFactor: 3 })
    })
  }

  /** A partition is without a leader for a while. */
  #leaderless(): void {
    const { world, plan, cluster } = this.#targets
    const { name, partitions } = this.#random.pick(plan.topics)
    const partition = this.#random.below(partitions)
    world.log('leaderless', name, partition)
    cluster.moveLeader(name, partition, -1)
    world.after(this.#ms(), () => this.#elect(name, partition))
  }

  /** Gives a partition that has no leader one that is up. */
  #elect(name: string, partition: number): void {
    const { world, plan, cluster } = this.#targets
    const up = Array.from({ length: plan.brokerCount }, (_, i) => i + 1).filter((nodeId) => !this.#down.has(nodeId))
    if (up.length === 0 || cluster.leader(name, partition) >= 0) return
    const nodeId = this.#random.pick(up)
    world.log('elect', name, partition, nodeId)
    cluster.moveLeader(name, partition, nodeId)
  }

  #troubleInit(): void {
    const api = 'InitProducerId'
    const error = this.#random.pick(INIT_PRODUCER_ID)
    if (this.#targets.isIdempotent)
      this.#rule({ api, ...this.#random.pick([{ error }, { silent: true }, { delayMs: this.#ms() }]) })
  }

  #rule(options: FaultOptions): void {
    const times = options.times ?? this.#random.pick([1, 1, 1, 2, 5, Infinity])
    const { world, cluster } = this.#targets
    world.log('fault', JSON.stringify({ ...options, times }))
    try {
      const rule = cluster.fail({ ...options, times })
      this.#rules.push(rule)
      if (times === Infinity) world.after(this.#ms(), () => rule.remove())
    } catch (error) {
      if (!(error instanceof OptionError)) throw error
      throw new Error(`a fault that the cluster does not know: ${error.message}`, { cause: error })
    }
  }

  /** A broker is gone for a while. */
  #bounce(): void {
    const { world, cluster } = this.#targets
    const nodeId = this.#node()
    if (this.#down.has(nodeId)) return
    this.#down.add(nodeId)
    world.log('stop', nodeId)
    void cluster.stopBroker(nodeId)
    world.after(this.#ms(), () => this.#start(nodeId))
  }

  #start(nodeId: number): void {
    const { world, cluster } = this.#targets
    if (!this.#down.delete(nodeId)) return
    world.log('start', nodeId)
    void cluster.startBroker(nodeId)
  }

  #moveLeaders(count: number): void {
    const { world, plan, cluster } = this.#targets
    for (let i = 0; i < count; i++) {
      world.after(i === 0 ? 0 : this.#ms(), () => {
        const { name, partitions } = this.#random.pick(plan.topics)
        const partition = this.#random.below(partitions)
        const nodeId = this.#node()
        if (this.#down.has(nodeId)) return
        world.log('move', name, partition, nodeId)
        cluster.moveLeader(name, partition, nodeId)
      })
    }
  }

  /** One connection ends at some byte. */
  #cut(): void {
    const link = this.#link()
    if (link !== null) this.#cutWire(this.#random.pick([link.up, link.down]))
  }

  /** Connections live shortly for a while. */
  #cutAll(): void {
    const { world } = this.#targets
    this.#isCutting = true
    world.log('connections live shortly')
    const again = (): void => {
      if (!this.#isCutting) return
      this.#cut()
      world.after(20 + this.#random.below(200), again)
    }
    again()
    world.after(this.#ms(), () => void (this.#isCutting = false))
  }

  #cutWire(wire: Wire): void {
    const bytes = this.#random.below(this.#random.pick([1, 100, 3000]))
    this.#targets.world.log('cut after', wire.name, bytes)
    wire.cutAfter(bytes)
  }

  /** Established but silent, in one direction or both, for a while or until all is well again. */
  #stall(): void {
    const link = this.#link()
    if (link === null) return
    const ms = this.#random.oneIn(3) ? Infinity : this.#ms()
    for (const wire of this.#random.pick([[link.up], [link.down], [link.up, link.down]])) {
      this.#targets.world.log('stall', wire.name, ms)
      wire.stall(ms)
    }
  }

  #halfClose(): void {
    const link = this.#link()
    this.#targets.world.log('half-close', link?.name ?? null)
    link?.server.end()
  }

  /** Nobody answers who dials. */
  #swallow(): void {
    const { world, network } = this.#targets
    const nodeId = this.#node()
    world.log('swallow', nodeId)
    network.setPolicy(nodeId, 'swallow')
    world.after(this.#ms(), () => network.setPolicy(nodeId, 'accept'))
  }

  #freeze(host: VirtualHost): void {
    const ms = this.#ms()
    this.#targets.world.log('freeze', host.name, ms)
    host.freeze(ms)
  }

  #setWall(): void {
    const byMs = this.#random.pick([-3_600_000, 3_600_000, -5, 86_400_000_000])
    this.#targets.world.log('wall clock', byMs)
    this.#targets.client.setWall(byMs)
  }

  #where(): Partial<FaultOptions> {
    if (this.#random.oneIn(3)) return {}
    const { name, partitions } = this.#random.pick(this.#targets.plan.topics)
    return this.#random.oneIn(2) ? { topic: name } : { topic: name, partition: this.#random.below(partitions) }
  }

  #topic(): string {
    return this.#random.pick(this.#targets.plan.topics).name
  }

  #node(): number {
    return 1 + this.#random.below(this.#targets.plan.brokerCount)
  }

  #link(): Link | null {
    const { links } = this.#targets.network
    return links.length === 0 ? null : this.#random.pick(links)
  }

  /** How long something lasts: shorter and longer than the timeouts. */
  #ms(): number {
    return 1 + this.#random.below(this.#random.pick([20, 300, 1500, 4000]))
  }
}
