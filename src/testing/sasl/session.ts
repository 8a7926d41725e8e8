/**
 * What a broker knows of who is at the other end of a connection, and what it lets them do.
 *
 *     fresh > asked > shaken > in        in > shaken > in        each > over
 *
 * `fresh`: nothing was said; `asked`: ApiVersions was answered; `shaken`: a mechanism is chosen, tokens follow. On a
 * listener without SASL everybody is `in`.
 *
 * Source: SaslServerAuthenticator, KafkaChannel and Processor of Apache Kafka 4.3.1; test/testing/sasl-scripts.ts has
 * what a real broker was seen to do.
 */
import type { Clock } from '../../clock.ts'
import type { LoginEvent } from './login-stats.ts'
import type { SaslListener } from './sasl-listener.ts'
import type { SaslMechanismName } from './sasl-options.ts'
import { NOTHING, Refused, refused, type LoggedIn, type ServerExchange } from './server-exchange.ts'

/** Kafka lets nobody log in again twice within it. */
const MIN_REAUTHENTICATION_MS = 1000
const UNSUPPORTED_SASL_MECHANISM = 33
const ILLEGAL_SASL_STATE = 34
const SASL_AUTHENTICATION_FAILED = 58
export const ANONYMOUS = 'User:ANONYMOUS'

export interface SessionParts {
  /** Null: the listener has no SASL. */
  readonly sasl: SaslListener | null
  readonly clock: Clock
  /** Who the connection is by itself: by the client's certificate, or nobody in particular. */
  readonly transportPrincipal: string
  readonly note: (event: LoginEvent) => void
  readonly violation: (what: string) => void
}

/** What is done with a request: it is handled, answered with ILLEGAL_SASL_STATE, or the connection ends. */
export type Admission = 'handle' | 'refuse' | 'close'

/** The answer to a token, without a frame. */
export interface TokenAnswer {
  readonly errorCode: number
  readonly errorMessage: string
  readonly authBytes: Uint8Array
  readonly sessionLifetimeMs: bigint
}

interface Login {
  readonly mechanism: SaslMechanismName
  readonly isRaw: boolean
  /** It is another login on a connection that was in. */
  readonly isAgain: boolean
  exchange: ServerExchange | null
}

interface LastLogin {
  readonly mechanism: SaslMechanismName
  /** Monotonic; null: never. */
  readonly endMs: number | null
}

export class Session {
  readonly #parts: SessionParts
  #state: 'fresh' | 'asked' | 'shaken' | 'in' | 'over'
  #principal: string
  #login: Login | null = null
  #last: LastLogin | null = null
  #reauthenticatedAtMs = -Infinity

  constructor(parts: SessionParts) {
    this.#parts = parts
    this.#state = parts.sasl === null ? 'in' : 'fresh'
    this.#principal = parts.sasl === null ? parts.transportPrincipal : ANONYMOUS
  }

  /** `User:alice`. */
  get principal(): string {
    return this.#principal
  }

  get isIn(): boolean {
    return this.#state === 'in'
  }

  /** What is being answered is the last thing that is said. */
  get isOver(): boolean {
    return this.#state === 'over'
  }

  /** What comes next is a token behind its length, and no request. */
  get takesRawTokens(): boolean {
    return this.#state === 'shaken' && this.#login?.isRaw === true
  }

  admit(api: string): Admission {
    switch (this.#state) {
      case 'fresh':
      case 'asked':
        if (api === 'SaslHandshake' || (api === 'ApiVersions' && this.#state === 'fresh')) return 'handle'
        // A client that was not told to log in is no violation.
        if (api === 'ApiVersions' || api === 'SaslAuthenticate') this.#parts.violation(`${api} out of turn`)
        return this.#illegal('close')
      case 'shaken':
        if (api === 'SaslAuthenticate') return 'handle'
        this.#parts.violation(`${api} in the middle of a login`)
        return this.#illegal('refuse')
      case 'in':
        if (!this.#isExpired || (api === 'SaslHandshake' && this.#canReauthenticate)) return 'handle'
        this.#parts.note('expired')
        this.end()
        return 'close'
      case 'over':
        return 'close'
    }
  }

  /** ApiVersions was answered, and not with an error. */
  onVersions(): void {
    if (this.#state === 'fresh') this.#state = 'asked'
  }

  /** SaslHandshake. */
  shake(mechanism: string, version: number): { errorCode: number; mechanisms: readonly string[] } | 'close' {
    const { sasl, clock } = this.#parts
    const isAgain = this.#state === 'in'
    if (sasl === null || (isAgain && !this.#canReauthenticate)) {
      if (sasl !== null) this.#parts.violation('SaslHandshake within a second of the last, or without need')
      this.#parts.note('illegal')
      return { errorCode: ILLEGAL_SASL_STATE, mechanisms: [] }
    }
    if (isAgain) this.#reauthenticatedAtMs = clock.now()
    const { mechanisms } = sasl
    const known = mechanisms.find((name) => name === mechanism)
    if (known === undefined) {
      this.#parts.note('refused')
      this.end()
      return isAgain ? 'close' : { errorCode: UNSUPPORTED_SASL_MECHANISM, mechanisms }
    }
    this.#login = { mechanism: known, isRaw: version === 0, isAgain, exchange: null }
    this.#state = 'shaken'
    return { errorCode: 0, mechanisms }
  }

  /** A token, in SaslAuthenticate or raw. */
  take(said: Buffer): TokenAnswer | 'close' {
    const login = this.#login
    const { sasl } = this.#parts
    if (this.#state !== 'shaken' || login === null || sasl === null) return this.#outOfTurn()
    if (login.isAgain && login.mechanism !== this.#last?.mechanism) return this.#otherMechanism()
    try {
      const step = login.exchange === null ? this.#begin(login, said, sasl) : login.exchange.next(said)
      if (step.done !== true) return { errorCode: 0, errorMessage: '', authBytes: step.value, sessionLifetimeMs: 0n }
      return this.#enter(login, step.value, sasl)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      return this.#refuse(login, error)
    }
  }

  /** A test lets the login fail. */
  fail(): void {
    this.#parts.note('refused')
    this.end()
  }

  /** Nothing more is read. */
  end(): void {
    this.#state = 'over'
  }

  #begin(login: Login, said: Buffer, sasl: SaslListener): IteratorResult<Uint8Array, LoggedIn> {
    login.exchange = sasl.begin(login.mechanism, said)
    return login.exchange.next()
  }

  #enter(login: Login, { name, answer, expiresAtMs }: LoggedIn, sasl: SaslListener): TokenAnswer {
    const { clock, note } = this.#parts
    const principal = `User:${name}`
    if (login.isAgain && principal !== this.#principal) {
      const [from, to] = [this.#principal, principal].map((shown) => shown.replace(':', '.'))
      throw refused(`Cannot change principals during re-authentication from ${from}: ${to}`)
    }
    const lifetimeMs = shorter(sasl.sessionLifetimeMs, expiresAtMs === undefined ? null : expiresAtMs - clock.wallNow())
    this.#last = { mechanism: login.mechanism, endMs: lifetimeMs === null ? null : clock.now() + Number(lifetimeMs) }
    this.#principal = principal
    this.#login = null
    this.#state = 'in'
    note(login.isAgain ? 'reauthentications' : 'logins')
    return { errorCode: 0, errorMessage: '', authBytes: answer, sessionLifetimeMs: lifetimeMs ?? 0n }
  }

  #refuse({ mechanism, isAgain }: Login, { message, told, isViolation }: Refused): TokenAnswer {
    const { note, violation } = this.#parts
    const when = isAgain ? 're-authentication' : 'authentication'
    const errorMessage =
      told ?? `Authentication failed during ${when} due to invalid credentials with SASL mechanism ${mechanism}`
    if (isViolation) violation(`${mechanism}: ${message}`)
    note('refused')
    this.end()
    return { ...FAILED, errorCode: SASL_AUTHENTICATION_FAILED, errorMessage }
  }

  #outOfTurn(): TokenAnswer {
    const { note, violation, sasl } = this.#parts
    if (sasl !== null) violation('SaslAuthenticate without SaslHandshake')
    note('illegal')
    const errorMessage = 'SaslAuthenticate request received after successful authentication'
    return { ...FAILED, errorCode: ILLEGAL_SASL_STATE, errorMessage }
  }

  /** Kafka hangs up without a word. */
  #otherMechanism(): 'close' {
    this.#parts.violation('another mechanism than in the first login')
    this.#parts.note('refused')
    this.end()
    return 'close'
  }

  #illegal(admission: Admission): Admission {
    this.#parts.note('illegal')
    this.end()
    return admission
  }

  get #isExpired(): boolean {
    const endMs = this.#last?.endMs ?? null
    return endMs !== null && this.#parts.clock.now() > endMs
  }

  /** Only where the session has an end, and not twice within a second. */
  get #canReauthenticate(): boolean {
    const endMs = this.#last?.endMs ?? null
    return endMs !== null && this.#parts.clock.now() - this.#reauthenticatedAtMs >= MIN_REAUTHENTICATION_MS
  }
}

const FAILED = { authBytes: NOTHING, sessionLifetimeMs: 0n } as const

/** What ends first: the session by the broker's rule, or what was shown; null: nothing ends. */
function shorter(sessionLifetimeMs: bigint, leftMs: number | null): bigint | null {
  const left = leftMs === null || !Number.isFinite(leftMs) ? null : BigInt(Math.max(0, Math.floor(leftMs)))
  if (sessionLifetimeMs === 0n) return left
  return left === null || sessionLifetimeMs < left ? sessionLifetimeMs : left
}
