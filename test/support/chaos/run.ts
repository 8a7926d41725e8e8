import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { Producer } from '../../../src/index.ts'
import { systemClock } from '../../../src/clock.ts'
import { Ledger, watchProcess, type Verdict } from '../oracles.ts'
import {
  KAFKA,
  NODES,
  openArena,
  SIDE_PARTITIONS,
  SIDE_TOPIC,
  TOPICS,
  type Arena,
  type ArenaOptions,
  type Entrance,
} from './arena.ts'
import { EngineEvents } from './engine-events.ts'
import { heal, holdUntil, inflictClusterFault, inflictProxyFault } from './inflict.ts'
import { Load } from './load.ts'
import { readLog } from './log-reader.ts'
import { poisonFreedMemory } from '../poison.ts'
import { Progress } from './progress.ts'
import { sabotagedBooks, sabotagedLog, type Sabotage } from './sabotage.ts'
import { clusterFaults, proxyFaults, type FaultGroup } from './schedule.ts'
import { SideLoad } from './side-load.ts'
import { runTrack, type DoneFault } from './track.ts'

export interface ChaosOptions {
  readonly seed: number
  readonly minutes: number
  /** The load ends, and with it the run, after so many. */
  readonly maxRecords: number
  readonly faults: readonly FaultGroup[]
  readonly recordsPerSecond: number
  readonly idempotent: boolean
  readonly acks: 'all' | 1 | 0
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  readonly connectionsLiveMs?: readonly [number, number]
  /** Undefined: no TLS, no login. */
  readonly entrance?: Entrance
  /** Values of 100 to 300 bytes only: for a high rate. */
  readonly isSmall?: boolean
  /** Undefined: the producer's default. */
  readonly deliveryTimeoutMs?: number
  readonly requestTimeoutMs: number
  readonly lingerMs: number
  readonly sabotage?: Sabotage
}

/** What a watcher of the run is told; all times in ms since the start of the load. */
export interface ChaosView {
  readonly onStart: ArenaOptions['onProgress']
  readonly onPhase: (phase: string) => void
  readonly onTick: (elapsedMs: number, progress: Progress, faults: number) => void
  readonly onFault: (fault: DoneFault, longestStallMs: number) => void
  readonly onEvent: (text: string) => void
}

export interface ChaosResult {
  readonly verdict: Verdict
  readonly progress: Progress
  readonly faults: readonly DoneFault[]
  readonly side: {
    readonly accepted: number
    readonly delivered: number
    readonly failures: Readonly<Record<string, number>>
  }
  readonly events: EngineEvents
  readonly connections: { readonly accepted: number; readonly brokenByProxy: number }
  readonly eventLoopDelayMs: { readonly p99: number; readonly max: number }
  readonly maxRssBytes: number
  readonly loadMs: number
  readonly closeMs: number
  readonly readBackMs: number
}

const DEFAULT_DELIVERY_TIMEOUT_MS = 120_000
const CLOSE_GRACE_MS = 10_000
const READ_BACK_TIMEOUT_SECONDS = 900
const TICK_MS = 250
/** Of the logins: a broker that reads a request a second late meets an ended session, and hangs up; machines are busy at times. */
const TOLERATED_LOSSES = 0.02

/**
 * Chaos from the first broker's start to the verdict. Everything that was started has ended when this resolves.
 *
 * @param enough ends the load early; healing and judging still take place.
 * @throws when the harness fails: brokers that do not start, a cluster that does not recover, a log that cannot be read.
 */
export async function runChaos(options: ChaosOptions, view: ChaosView, enough: AbortSignal): Promise<ChaosResult> {
  poisonFreedMemory()
  view.onPhase(`starting ${NODES} brokers of Kafka ${KAFKA}`)
  const { seed, connectionsLiveMs, entrance } = options
  const arena = await openArena({ seed, entrance, connectionsLiveMs, onProgress: view.onStart })
  try {
    return await new Run(options, view, arena).run(enough)
  } finally {
    await arena.close()
  }
}

class Run {
  readonly #options: ChaosOptions
  readonly #view: ChaosView
  readonly #arena: Arena
  readonly #ledger: Ledger
  readonly #progress = new Progress()
  readonly #faults: DoneFault[] = []
  readonly #watch = watchProcess()
  readonly #violations: string[] = []
  /** The producer has given up for good: nothing more is to be learned from the load. */
  readonly #fatal = new AbortController()
  readonly #events: EngineEvents
  #startedMs = 0
  #maxRssBytes = 0

  constructor(options: ChaosOptions, view: ChaosView, arena: Arena) {
    this.#options = options
    this.#view = view
    this.#arena = arena
    const { idempotent, acks, seed, faults } = options
    // Only a duplicate that the broker knows as such can have a forgotten place.
    const forgets = { mayForgetOffset: idempotent }
    // Where nothing is made to fail, nothing may be lost, whoever acknowledges.
    const mayLose = acks !== 'all' && (faults.length > 0 || options.connectionsLiveMs !== undefined)
    this.#ledger = new Ledger({ idempotent, acks, seed, mayLose, countsRetries: true, ...forgets })
    this.#events = new EngineEvents(this.#ledger, {
      onFailure: view.onEvent,
      onFatal: () => this.#fatal.abort(),
      nowMs: () => this.#nowMs(),
    })
  }

  async run(enough: AbortSignal): Promise<ChaosResult> {
    const eventLoop = monitorEventLoopDelay({ resolution: 10 })
    try {
      const producer = this.#producer()
      const side = new SideLoad((record) => producer.send(record), SIDE_TOPIC, SIDE_PARTITIONS)
      eventLoop.enable()
      await this.#rage(producer, side, enough)
      const loadMs = this.#nowMs()
      const closeMs = await this.#healAndClose(producer)
      eventLoop.disable()
      this.#judgeSessions()
      if (side.unsettled > 0) this.#violations.push(`O1 ${SIDE_TOPIC}: ${side.unsettled} records never settled`)
      const { verdict, readBackMs } = await this.#judge()
      const { accepted, delivered, failures } = side
      return {
        ...{ verdict, loadMs, closeMs, readBackMs, progress: this.#progress, faults: this.#faults },
        ...{ events: this.#events, maxRssBytes: this.#maxRssBytes },
        side: { accepted, delivered, failures: Object.fromEntries(failures) },
        connections: {
          accepted: this.#arena.proxies.reduce((sum, proxy) => sum + proxy.accepted, 0),
          brokenByProxy: this.#arena.proxies.reduce((sum, proxy) => sum + proxy.broken, 0),
        },
        eventLoopDelayMs: { p99: eventLoop.percentile(99) / 1e6, max: eventLoop.max / 1e6 },
      }
    } finally {
      this.#events.stop()
      this.#watch.stop()
    }
  }

  #nowMs(): number {
    return systemClock.now() - this.#startedMs
  }

  #producer(): Producer {
    const { idempotent, acks, compression, lingerMs, requestTimeoutMs, deliveryTimeoutMs } = this.#options
    const { access, mapAddress } = this.#arena
    const chosen = {
      ...access,
      clientId: 'headrace-chaos',
      mapAddress,
      maxInFlightRequests: 5,
    }
    return new Producer({
      ...{ ...chosen, idempotent, acks, compression, lingerMs, requestTimeoutMs },
      ...(deliveryTimeoutMs === undefined ? {} : { deliveryTimeoutMs }),
    })
  }

  /** Load and faults, until the time is over or the records are. */
  async #rage(producer: Producer, side: SideLoad, enough: AbortSignal): Promise<void> {
    const { minutes, seed, maxRecords, recordsPerSecond, faults, sabotage, isSmall } = this.#options
    const books = sabotagedBooks(this.#ledger, sabotage)
    const send: Producer['send'] = (record) => producer.send(record)
    const rate = {
      recordsPerSecond,
      maxRecords,
      isSmall: isSmall === true,
      seed,
      clock: systemClock,
      nowMs: () => this.#nowMs(),
    }
    const load = new Load({ send, books, progress: this.#progress, topics: TOPICS, ...rate })
    const over = new AbortController()
    const signal = AbortSignal.any([over.signal, enough, this.#fatal.signal])
    const hold = holdUntil(signal)
    const common = { hold, signal, nowMs: () => this.#nowMs(), onDone: (fault: DoneFault) => this.#onFault(fault) }
    this.#view.onPhase('load and faults')
    this.#startedMs = systemClock.now()
    const ticker = setInterval(() => this.#tick(), TICK_MS)
    load.start()
    side.start()
    const arena = this.#arena
    const tracks = Promise.all([
      runTrack({
        ...common,
        track: 'cluster',
        faults: clusterFaults(seed, faults, NODES),
        inflict: (f, o) => inflictClusterFault(f, arena, o),
      }),
      runTrack({
        ...common,
        track: 'proxy',
        faults: proxyFaults(seed, faults, NODES),
        inflict: (f, o) => inflictProxyFault(f, arena, o),
      }),
    ])
    try {
      // A track ends before the time is over only by failing, or because it has no faults.
      await Promise.race([hold(minutes * 60_000), load.isExhausted, tracks.then(() => hold(minutes * 60_000))])
    } finally {
      over.abort()
      load.stop()
      side.stop()
      await tracks.finally(() => clearInterval(ticker))
    }
  }

  /** @returns how long `close()` took, in ms. */
  async #healAndClose(producer: Producer): Promise<number> {
    this.#view.onPhase('healing, and closing the producer')
    const timeoutMs = (this.#options.deliveryTimeoutMs ?? DEFAULT_DELIVERY_TIMEOUT_MS) + CLOSE_GRACE_MS
    await heal(this.#arena)
    const startedMs = performance.now()
    const overdue = delay(timeoutMs + CLOSE_GRACE_MS, 'overdue' as const, { ref: false })
    const closed = producer.close({ timeoutMs }).then(
      () => 'closed' as const,
      (error: unknown) => String(error),
    )
    const outcome = await Promise.race([closed, overdue])
    if (outcome === 'overdue') this.#violations.push(`O1 close() did not end within ${timeoutMs + CLOSE_GRACE_MS} ms`)
    else if (outcome !== 'closed') this.#violations.push(`O1 close() of a producer of a healthy cluster: ${outcome}`)
    const closeMs = performance.now() - startedMs
    await delay(TICK_MS)
    const open = this.#arena.proxies.reduce((sum, proxy) => sum + proxy.open, 0)
    if (open > 0) this.#violations.push(`O9 ${open} connections are open after close()`)
    return closeMs
  }

  async #judge(): Promise<{ verdict: Verdict; readBackMs: number }> {
    this.#view.onPhase("reading everything back with Kafka's own consumer")
    const startedMs = performance.now()
    const bootstrap = this.#arena.cluster.listeners.plaintext
    const topics = TOPICS.map(({ name }) => name)
    const log = readLog({ bootstrap, version: KAFKA, topics, timeoutSeconds: READ_BACK_TIMEOUT_SECONDS })
    for await (const row of sabotagedLog(log, this.#options.sabotage)) this.#ledger.read(row)
    const { counts, violations } = this.#ledger.finish()
    const all = [...this.#watch.problems, ...this.#violations, ...this.#events.violations, ...violations]
    return { verdict: { counts, violations: all }, readBackMs: performance.now() - startedMs }
  }

  /** Without other faults a connection has hardly a reason to end, least of all because of a login (KIP-368). */
  #judgeSessions(): void {
    const { entrance, faults, connectionsLiveMs } = this.#options
    if (entrance === undefined) return
    const { relogins, lostConnections } = this.#events
    if (relogins === 0) this.#violations.push('A4 no session was ever renewed')
    if (faults.length > 0 || connectionsLiveMs !== undefined) return
    if (lostConnections > Math.max(2, relogins * TOLERATED_LOSSES))
      this.#violations.push(`A4 ${lostConnections} connections were lost although nobody broke them`)
  }

  #tick(): void {
    this.#maxRssBytes = Math.max(this.#maxRssBytes, process.memoryUsage.rss())
    this.#view.onTick(this.#nowMs(), this.#progress, this.#faults.length)
  }

  #onFault(fault: DoneFault): void {
    this.#faults.push(fault)
    this.#view.onFault(fault, this.#progress.longestStallMs(fault.startedMs, fault.endedMs))
  }
}
