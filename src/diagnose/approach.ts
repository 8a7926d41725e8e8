import { isIP } from 'node:net'
import { formatAddress, type BrokerAddress } from '../connection/broker-address.ts'
import type { ConnectStep } from '../connection/connection-options.ts'
import type { Connection } from '../connection/connection.ts'
import type { LoggedIn } from '../connection/login.ts'
import type { KafkaError } from '../errors.ts'
import { metadata } from '../protocol/messages/metadata.ts'
import { produce } from '../protocol/messages/produce.ts'
import { chooseVersion, type VersionRanges } from '../protocol/negotiate.ts'
import type { TlsWarning } from '../tls/warnings.ts'
import { adviceFor } from './advice.ts'
import { certificateReport } from './certificate-words.ts'
import { failedBy, passed, type DiagnosisStep, type Found } from './diagnosis-step.ts'
import { likelyKafka } from './kafka-version.ts'
import { Mailbox } from './mailbox.ts'
import type { Visitor } from './visitor.ts'
import { Way, type ConnectStepName } from './way.ts'
import { counted } from './words.ts'

/** A connection that came about, from a bootstrap address. */
export interface Arrival {
  readonly connection: Connection
  readonly bootstrap: BrokerAddress
  /** Resolved; empty: not known. */
  readonly remoteAddress: string
  /** Beyond it the broker cannot be understood. */
  readonly maxMetadataVersion: number
}

type Happening = { readonly atMs: number } & (
  { readonly progress: ConnectStep } | { readonly error: KafkaError } | { readonly connection: Connection }
)

/** Connects to a bootstrap address, and tells each step. @returns null: it is of no use. */
export async function* approach(
  visitor: Visitor,
  bootstrap: BrokerAddress,
): AsyncGenerator<DiagnosisStep, Arrival | null> {
  const { clock } = visitor
  const happenings = new Mailbox<Happening>()
  const course = new Course(visitor, bootstrap)
  const onStep = (progress: ConnectStep): void => happenings.put({ atMs: clock.now(), progress })
  const onWarnings = (warnings: readonly TlsWarning[]): void => course.warn(warnings)
  void visitor.open(bootstrap, null, { onStep, onWarnings }).then(
    (connection) => happenings.put({ atMs: clock.now(), connection }),
    (error: unknown) => happenings.put({ atMs: clock.now(), error: error as KafkaError }),
  )
  for (;;) {
    const happening = await happenings.take()
    if ('connection' in happening) {
      const { connection } = happening
      return { connection, bootstrap, remoteAddress: course.remoteAddress, maxMetadataVersion: metadata.maxVersion }
    }
    if ('progress' in happening) yield* course.advance(happening.progress, happening.atMs)
    else yield* course.fail(happening.error, happening.atMs)
    if (course.isOver) return null
  }
}

const YEAR_MS = 365 * 86_400_000

/** Turns what happens to a connection into the steps that are told. */
class Course {
  remoteAddress = ''
  isOver = false
  readonly #visitor: Visitor
  readonly #bootstrap: BrokerAddress
  readonly #address: string
  readonly #way: Way
  readonly #warnings: TlsWarning[] = []
  #addressCount = 1
  #sinceMs: number
  /** TLS 1.3 judges a client's certificate after the handshake: only the first answer proves that it was taken. */
  #unproven: DiagnosisStep | null = null

  constructor(visitor: Visitor, bootstrap: BrokerAddress) {
    this.#visitor = visitor
    this.#bootstrap = bootstrap
    this.#address = formatAddress(bootstrap)
    this.#sinceMs = visitor.clock.now()
    this.#way = new Way(visitor)
  }

  warn(warnings: readonly TlsWarning[]): void {
    this.#warnings.push(...warnings)
  }

  /** What was told already, of a connection that is tried again in an older version, is not told twice. */
  advance(progress: ConnectStep, atMs: number): DiagnosisStep[] {
    const name = this.#way.pass(progress)
    if (name === null) return []
    const found = this.#found(name, atMs)
    if (progress.step === 'negotiated') return this.#negotiated(progress.versions, found)
    const [what, warning] = this.#describe(progress)
    const step = passed(found, `${this.#address}: ${what}`, warning)
    if (progress.step !== 'secured') return [step]
    this.#unproven = step
    return []
  }

  fail(error: KafkaError, atMs: number): DiagnosisStep[] {
    this.isOver = true
    const name = this.#way.failedAt(error)
    const before = name === 'tls' ? [] : this.#proven()
    const advice = adviceFor(error, name, this.#visitor.mechanism?.name)
    return [...before, failedBy(this.#found(name, atMs), error, this.#address, advice)]
  }

  #describe(progress: Exclude<ConnectStep, { step: 'negotiated' }>): [what: string, warning?: string | undefined] {
    switch (progress.step) {
      case 'resolved':
        this.#addressCount = progress.addresses.length
        return [this.#resolved(progress.addresses)]
      case 'connected':
        this.remoteAddress = progress.remoteAddress
        return [this.#connected(progress.remoteAddress)]
      case 'secured': {
        const nowMs = this.#visitor.clock.wallNow()
        const { message, warning } = certificateReport(progress.transport, this.#warnings, nowMs)
        return [message, warning]
      }
      case 'authenticated':
        return [this.#loggedIn(progress.session)]
    }
  }

  #resolved(addresses: readonly string[]): string {
    const { host } = this.#bootstrap
    const { mapAddress } = this.#visitor.options
    const list = addresses.join(', ') || 'no address'
    if (mapAddress !== undefined) return `where mapAddress leads is ${list}`
    return isIP(host) === 0 ? `${host} is ${list}` : 'it is an address, there is no name to resolve'
  }

  #connected(remoteAddress: string): string {
    if (this.#visitor.options.createSocket !== undefined) return 'createSocket gave a connection'
    const of = this.#addressCount > 1 ? ` (of ${this.#addressCount} addresses)` : ''
    return `${remoteAddress} takes connections${of}`
  }

  #negotiated(versions: VersionRanges, found: Found): DiagnosisStep[] {
    const before = this.#proven()
    try {
      chooseVersion(produce, versions, this.#address)
    } catch (error) {
      this.isOver = true
      const advice = versions.has(produce.key) ? '' : 'Is it the port of a controller? Use that of a broker.'
      return [...before, failedBy(found, error as KafkaError, this.#address, advice)]
    }
    const what = `the broker answers, with ${counted(versions.size, 'API')}: most likely Kafka ${likelyKafka(versions)}`
    return [...before, passed(found, `${this.#address}: ${what}`)]
  }

  #loggedIn({ sessionLifetimeMs, requestId }: LoggedIn): string {
    const { name, user } = this.#visitor.mechanism ?? { name: 'SASL', user: null }
    const who = user === null ? name : `${name}, user ${JSON.stringify(user)}`
    const lifetimeMs = Number(sessionLifetimeMs)
    const isEndless = lifetimeMs <= 0 || lifetimeMs > YEAR_MS
    const end = isEndless ? 'for as long as the connection lasts' : `for ${durationOf(lifetimeMs)}, then it is repeated`
    return `${who}: the broker takes the login, ${end}${requestId === undefined ? '' : ` (request id ${requestId})`}`
  }

  #proven(): DiagnosisStep[] {
    const steps = this.#unproven === null ? [] : [this.#unproven]
    this.#unproven = null
    return steps
  }

  #found(step: ConnectStepName, atMs: number): Found {
    const ms = atMs - this.#sinceMs
    this.#sinceMs = atMs
    return { step, ms }
  }
}

function durationOf(ms: number): string {
  if (ms < 10_000) return `${ms} ms`
  return ms < 600_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} minutes`
}
