import type { Clock } from '../clock.ts'
import { AuthenticationError, ConnectionError, type KafkaError } from '../errors.ts'
import { chooseVersion, type VersionRanges } from '../protocol/negotiate.ts'
import { saslAuthenticate } from '../protocol/messages/sasl-authenticate.ts'
import { saslHandshake } from '../protocol/messages/sasl-handshake.ts'
import type { Api, RequestInput, ResponseOf } from '../protocol/schema.ts'
import { show } from '../options.ts'
import { Refusal, runExchange, type ExchangeResult, type Send } from '../sasl/exchange.ts'
import type { Mechanism } from '../sasl/mechanism.ts'
import { plaintextProblem } from '../sasl/plaintext.ts'
import type { Session } from '../sasl/renewal.ts'
import { asGuess } from './guess.ts'
import type { Transport } from './transport.ts'

const UNSUPPORTED_SASL_MECHANISM = 33
const ILLEGAL_SASL_STATE = 34
/** No broker has so many. */
const MAX_NAMES = 20
/** RFC 4422, 3.1. Anything else is not repeated: a broker that knows a password may put it here. */
const MECHANISM_NAME = /^[A-Z0-9_-]{1,20}$/

/** What a login says goes through this; each rejects with a `KafkaError`. */
export interface LoginWire {
  ask<A extends Api>(api: A, version: number, body: RequestInput<A>): Promise<ResponseOf<A>>
  /** A token behind its length, without any header, and an answer like it: SASL as it was before Kafka 1.0. */
  askBare(token: Uint8Array): Promise<Uint8Array>
}

export interface LoginPlace {
  /** `host:port`, for errors. */
  readonly address: string
  /** The broker's advertised name, without port. */
  readonly host: string
  readonly mechanism: Mechanism
  readonly versions: VersionRanges
  readonly transport: Pick<Transport, 'isTls' | 'remoteAddress'>
  readonly allowPlaintextCredentials?: boolean | undefined
  readonly clock: Clock
  /** Aborts when the connection ends, at its deadline at the latest. */
  readonly signal: AbortSignal
}

/** A login that was taken. */
export interface LoggedIn extends Session, ExchangeResult {
  /** When SaslHandshake was answered, by the clock: the broker has begun no later. */
  readonly shookHandsAtMs: number
  /** When its last message was sent, by the clock: the session began later than that. */
  readonly sentAtMs: number
}

/**
 * Authenticates: SaslHandshake, and the tokens of the mechanism in SaslAuthenticate; bare, only where the broker does not
 * have that (KIP-152). There is no fallback of any other kind.
 *
 * @throws {AuthenticationError} the secret would travel readable by all; the broker does not have the mechanism, or refuses us, or could not prove itself.
 * @throws {KafkaError} what the wire rejected with.
 */
export async function login(wire: LoginWire, place: LoginPlace): Promise<LoggedIn> {
  const { clock, versions } = place
  const refusal = plaintextRefusal(place)
  if (refusal !== null) throw refusal
  const beganAtMs = clock.now()
  const isBare = !versions.has(saslAuthenticate.key)
  await shakeHands(wire, place, isBare ? { maxVersion: 0 } : { minVersion: 1 })
  const shookHandsAtMs = clock.now()
  const channel = isBare ? new BareChannel(wire, place) : new FramedChannel(wire, place)
  const result = await converse(channel.send, place).catch((error: unknown) => {
    throw isBare ? wordsForHangUp(error, place) : error
  })
  const { sentAtMs, sessionLifetimeMs } = channel
  return { ...result, shookHandsAtMs, sentAtMs, sessionLifetimeMs, authenticationMs: clock.now() - beganAtMs }
}

function converse(send: Send, { mechanism, host, address, signal }: LoginPlace): Promise<ExchangeResult> {
  const { name, user } = mechanism
  return runExchange(mechanism.begin({ host, signal }), send, { address, mechanism: name, user, signal })
}

/** Why the credentials must not go over this connection; null: they may. */
function plaintextRefusal({
  address,
  mechanism,
  transport,
  allowPlaintextCredentials = false,
}: LoginPlace): KafkaError | null {
  const { isTls, remoteAddress } = transport
  const link = { isTls, remoteAddress, allowPlaintextCredentials }
  const problem = plaintextProblem(mechanism.name, mechanism.exposure, link)
  if (problem === null) return null
  const code = 'PLAINTEXT_CREDENTIALS_REFUSED'
  return new AuthenticationError(code, `${address}: ${code}: ${problem}`)
}

async function shakeHands(
  wire: LoginWire,
  { address, mechanism, versions }: LoginPlace,
  limits: Parameters<typeof chooseVersion>[3],
): Promise<void> {
  const version = chooseVersion(saslHandshake, versions, address, limits)
  const { errorCode, mechanisms } = await wire.ask(saslHandshake, version, { mechanism: mechanism.name })
  if (errorCode === 0) return
  if (errorCode === UNSUPPORTED_SASL_MECHANISM) {
    const enabled = mechanisms.filter((name) => MECHANISM_NAME.test(name)).slice(0, MAX_NAMES)
    const what = `the broker does not have ${mechanism.name} on this listener; it has ${enabled.join(', ') || 'none at all'}`
    throw refused(address, 'UNSUPPORTED_SASL_MECHANISM', errorCode, what)
  }
  if (errorCode === ILLEGAL_SASL_STATE) {
    const what = 'the listener wants no SASL: leave out sasl, or use the port of a listener that wants it'
    throw refused(address, 'ILLEGAL_SASL_STATE', errorCode, what)
  }
  const what = `${mechanism.name}: the broker answers SaslHandshake with error ${errorCode}`
  throw refused(address, 'SASL_AUTHENTICATION_FAILED', errorCode, what)
}

/** One token out, one in. */
interface Channel {
  readonly send: Send
  readonly sentAtMs: number
  readonly sessionLifetimeMs: bigint
}

class FramedChannel implements Channel {
  sentAtMs = -Infinity
  sessionLifetimeMs = 0n
  readonly #wire: LoginWire
  readonly #clock: Clock
  readonly #version: number

  constructor(wire: LoginWire, { clock, versions, address }: LoginPlace) {
    this.#wire = wire
    this.#clock = clock
    this.#version = chooseVersion(saslAuthenticate, versions, address)
  }

  readonly send = async (authBytes: Uint8Array): Promise<Uint8Array> => {
    this.sentAtMs = this.#clock.now()
    const answer = await this.#wire.ask(saslAuthenticate, this.#version, { authBytes })
    if (answer.errorCode !== 0) throw new Refusal(answer.errorCode, answer.errorMessage)
    this.sessionLifetimeMs = answer.sessionLifetimeMs
    return answer.authBytes
  }
}

class BareChannel implements Channel {
  sentAtMs = -Infinity
  readonly sessionLifetimeMs = 0n
  readonly #wire: LoginWire
  readonly #place: LoginPlace

  constructor(wire: LoginWire, place: LoginPlace) {
    this.#wire = wire
    this.#place = place
  }

  readonly send = (token: Uint8Array): Promise<Uint8Array> => {
    this.sentAtMs = this.#place.clock.now()
    return this.#wire.askBare(token)
  }
}

/** A broker that has no words for a refusal hangs up. */
function wordsForHangUp(error: unknown, { address, mechanism }: LoginPlace): unknown {
  if (!(error instanceof ConnectionError) || error.code !== 'CONNECTION_CLOSED') return error
  const who = mechanism.user === null ? mechanism.name : `${mechanism.name}, user ${show(mechanism.user)}`
  const what = `${who}: the broker closed the connection, which is how a broker before 1.0 refuses credentials`
  const text = `${address}: SASL_AUTHENTICATION_FAILED: ${what}`
  return asGuess(new AuthenticationError('SASL_AUTHENTICATION_FAILED', text, { retriable: true, cause: error }))
}

function refused(
  address: string,
  code: AuthenticationError['code'],
  errorCode: number,
  what: string,
): AuthenticationError {
  return new AuthenticationError(code, `${address}: ${code} (${errorCode}): ${what}`)
}
