import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { DiagnosticEvents } from '../../../src/index.ts'
import type { Ledger } from '../oracles.ts'
import { SIDE_TOPIC } from './arena.ts'

/** What a partition lived through lately, for whoever has to explain a failure. */
interface Episode {
  readonly atMs: number
  readonly what: string
  readonly records: number
  readonly attempts: number
  readonly code: string
}

const KEPT_EPISODES = 12
const MAX_SHOWN_FAILURES = 5
/** With brokers that come back within seconds a record can fail because its time is over, and for no other reason. */
const EXPECTED_ERRORS = ['DELIVERY_TIMEOUT', 'DELIVERY_UNCERTAIN']

export interface EngineListener {
  /** The first failures, with what led to them, in words. */
  readonly onFailure: (text: string) => void
  /** The producer can go on no more. */
  readonly onFatal: () => void
  readonly nowMs: () => number
}

/** What the engine says about itself while it is tormented: counted, and judged where it accuses the cluster. */
export class EngineEvents {
  retriedBatches = 0
  retriedRecords = 0
  epochBumps = 0
  /** Logins on connections that had one. */
  relogins = 0
  longestReloginMs = 0
  /** Connections that were ready and ended, but not by us. */
  lostConnections = 0
  /** Why, the first few. */
  readonly losses: string[] = []
  /** Why batches were tried again, by code: how often. */
  readonly retryErrors: Record<string, number> = {}
  /** Why batches of judged topics failed, by code: how often. */
  readonly errors: Record<string, number> = {}
  /** What should not have been said in this cluster, which loses nothing that it has acknowledged. */
  readonly violations: string[] = []
  readonly #ledger: Pick<Ledger, 'retried'>
  readonly #listener: EngineListener
  readonly #episodes = new Map<string, Episode[]>()
  readonly #subscriptions: [name: keyof DiagnosticEvents, listener: (message: unknown) => void][] = []
  #shownFailures = 0

  /** Listens from now on. */
  constructor(ledger: Pick<Ledger, 'retried'>, listener: EngineListener) {
    this.#ledger = ledger
    this.#listener = listener
    this.#on('headrace:batch:delivered', (event) => this.#remember('delivered', event))
    this.#on('headrace:batch:retry', (event) => this.#onRetry(event))
    this.#on('headrace:batch:failed', (event) => this.#onFailed(event))
    this.#on('headrace:producer:epoch-bump', ({ topic, partition }) => {
      this.epochBumps++
      this.#remember('epoch bump', { topic, partition, records: 0, attempts: 0 })
    })
    this.#on('headrace:connection:authenticated', ({ isReauthentication, authenticationMs }) => {
      if (!isReauthentication) return
      this.relogins++
      this.longestReloginMs = Math.max(this.longestReloginMs, authenticationMs)
    })
    this.#on('headrace:connection:closed', ({ error }) => {
      if (error.code !== 'CLOSED_BY_CLIENT' && this.lostConnections++ < MAX_SHOWN_FAILURES)
        this.losses.push(error.message)
      if (error.message.includes('authenticating again failed')) {
        this.violations.push(`A4 a login during a session failed: ${error.message}`)
      }
    })
    this.#on('headrace:producer:desync', ({ error }) => this.violations.push(`O7 ${error.message}`))
    this.#on('headrace:partition:truncated', ({ topic, partition, baseOffset }) => {
      const what = `the cluster is accused of having lost records before offset ${baseOffset}`
      this.violations.push(`O7 ${topic}-${partition}: ${what}; lately: ${this.#lately(topic, partition)}`)
    })
  }

  stop(): void {
    for (const [name, listener] of this.#subscriptions) unsubscribe(name, listener)
  }

  #on<Name extends keyof DiagnosticEvents>(name: Name, react: (event: DiagnosticEvents[Name]) => void): void {
    const listener = (message: unknown): void => react(message as DiagnosticEvents[Name])
    this.#subscriptions.push([name, listener])
    subscribe(name, listener)
  }

  #onRetry(event: DiagnosticEvents['headrace:batch:retry']): void {
    const { topic, partition, records, maybeWritten, error } = event
    this.retriedBatches++
    this.retriedRecords += records
    this.retryErrors[error.code] = (this.retryErrors[error.code] ?? 0) + 1
    this.#remember(maybeWritten ? 'again, maybe written' : 'again', event, error.code)
    if (maybeWritten) this.#ledger.retried(topic, partition, records)
  }

  #onFailed(event: DiagnosticEvents['headrace:batch:failed']): void {
    const { topic, partition, records, attempts, error } = event
    this.#remember('failed', event, error.code)
    if (error.fatal) this.#listener.onFatal()
    if (topic === SIDE_TOPIC) return
    const isNew = this.errors[error.code] === undefined
    this.errors[error.code] = (this.errors[error.code] ?? 0) + 1
    if (isNew && !EXPECTED_ERRORS.includes(error.code)) {
      this.violations.push(`failed for no good reason: ${topic}-${partition}: ${error.message}`)
    }
    if (!isNew && this.#shownFailures++ >= MAX_SHOWN_FAILURES) return
    const what = `${records} records after ${attempts} attempts: ${error.message}`
    this.#listener.onFailure(`failed: ${topic}-${partition}, ${what}\n    lately: ${this.#lately(topic, partition)}`)
  }

  #remember(
    what: string,
    event: { topic: string; partition: number; records: number; attempts: number },
    code = '',
  ): void {
    const { topic, partition, records, attempts } = event
    const name = `${topic}-${partition}`
    let episodes = this.#episodes.get(name)
    if (episodes === undefined) this.#episodes.set(name, (episodes = []))
    episodes.push({ atMs: this.#listener.nowMs(), what, records, attempts, code })
    if (episodes.length > KEPT_EPISODES) episodes.shift()
  }

  #lately(topic: string, partition: number): string {
    const episodes = this.#episodes.get(`${topic}-${partition}`) ?? []
    return episodes
      .map(({ atMs, what, records, attempts, code }) => {
        const reason = code === '' ? '' : ` (${code})`
        return `${(atMs / 1000).toFixed(3)} s ${what}${reason}, ${records} records, attempt ${attempts}`
      })
      .join(' | ')
  }
}
