import { AuthenticationError, type AuthenticationErrorCode } from '../errors.ts'
import { show } from '../options.ts'
import { brokerText } from './broker-text.ts'

/** No answer of a broker may be longer. */
export const MAX_TOKEN_BYTES = 64 * 1024
/** SCRAM needs two; nobody needs more than this. */
export const MAX_ROUND_TRIPS = 4

/**
 * A mechanism at work: it yields what the client says and receives what the broker answered, so that it reads like its
 * RFC. What goes wrong it throws as a `SaslProblem`; its end is the client's consent that the broker is who it should be.
 */
export type Exchange = AsyncGenerator<Uint8Array, ExchangeResult, Uint8Array>

export interface ExchangeResult {
  /** What the broker calls this login in its own logs (AWS_MSK_IAM). */
  readonly requestId?: string
}

/**
 * Carries one token to the broker and its answer back.
 *
 * @throws {Refusal} the broker answered with an error.
 * @throws anything else (no connection, a garbled answer) ends the exchange as it is.
 */
export type Send = (token: Uint8Array) => Promise<Uint8Array>

/** The broker said no. What it said is untrusted and may hold what we sent: only `toProblem` looks at it. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly errorCode: number
  readonly #text: string

  /** @param text the `errorMessage` of the broker, as it came. */
  constructor(errorCode: number, text: string | null) {
    super(`error ${errorCode}`)
    this.errorCode = errorCode
    this.#text = text ?? ''
  }

  toProblem(secrets: readonly string[] = []): SaslProblem {
    const text = brokerText(this.#text, secrets)
    const says = text === '' ? `answers with error ${this.errorCode}` : `says: ${text}`
    return new SaslProblem(`the broker ${says}`, { errorCode: this.errorCode })
  }
}

export interface ProblemDetails {
  /** Trying again may help, without anybody changing anything. Default: false. */
  readonly retriable?: boolean
  readonly errorCode?: number | undefined
  readonly cause?: unknown
}

/** Why a login failed, in words that hold no secret; `runExchange` says where, and for whom. */
export class SaslProblem extends Error {
  override readonly name: string = 'SaslProblem'
  readonly code: AuthenticationErrorCode = 'SASL_AUTHENTICATION_FAILED'
  readonly retriable: boolean
  readonly errorCode: number | undefined

  constructor(what: string, { retriable = false, errorCode, cause }: ProblemDetails = {}) {
    super(what, cause === undefined ? undefined : { cause })
    this.retriable = retriable
    this.errorCode = errorCode
  }
}

/** There is nothing to log in with: a function of the user's, or who gives out keys for a role, failed. */
export class CredentialsProblem extends SaslProblem {
  override readonly name = 'CredentialsProblem'
  override readonly code = 'CREDENTIALS_UNAVAILABLE'
}

/**
 * Says something, and gives the answer: `const answer = yield* say(token, [password])`. The secrets are kept out of what the
 * broker is quoted with.
 */
export function* say(token: Uint8Array, secrets: readonly string[]): Generator<Uint8Array, Buffer, Uint8Array> {
  try {
    const { buffer, byteOffset, byteLength } = yield token
    return Buffer.from(buffer, byteOffset, byteLength)
  } catch (error) {
    throw error instanceof Refusal ? error.toProblem(secrets) : error
  }
}

/** For the message of an error, and when to stop. */
export interface ExchangePlace {
  /** `host:port` of the broker. */
  readonly address: string
  /** In Kafka's spelling. */
  readonly mechanism: string
  readonly user: string | null
  /** The deadline. When it aborts nothing more is said, and what is still being computed is not waited for. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Leads an exchange to its end.
 *
 * @throws {AuthenticationError} `SASL_AUTHENTICATION_FAILED`: the broker refuses us, or could not prove who it is;
 *   `CREDENTIALS_UNAVAILABLE`: a function for credentials failed (`retriable`).
 * @throws the reason of `signal`; what `send` threw, if it was not a `Refusal`.
 */
export async function runExchange(exchange: Exchange, send: Send, place: ExchangePlace): Promise<ExchangeResult> {
  try {
    return await orAborted(converse(exchange, send, place.signal), place.signal)
  } catch (error) {
    if (error instanceof SaslProblem) throw failed(error, place)
    if (error instanceof Refusal) throw failed(error.toProblem(), place)
    throw error
  }
}

async function converse(exchange: Exchange, send: Send, signal: AbortSignal | undefined): Promise<ExchangeResult> {
  try {
    let step = await exchange.next()
    for (let round = 1; step.done !== true; round++) {
      signal?.throwIfAborted()
      if (round > MAX_ROUND_TRIPS) throw new SaslProblem(`no end after ${MAX_ROUND_TRIPS} round trips`)
      const answer = await answerTo(step.value, send)
      step = answer instanceof Uint8Array ? await exchange.next(answer) : await exchange.throw(answer.thrown)
    }
    return step.value
  } finally {
    // Lets the mechanism wipe its keys, wherever it stands.
    await exchange.return({})
  }
}

async function answerTo(token: Uint8Array, send: Send): Promise<Uint8Array | { readonly thrown: unknown }> {
  try {
    const answer = await send(token)
    if (answer.length <= MAX_TOKEN_BYTES) return answer
    return { thrown: new SaslProblem(`an answer of ${answer.length} bytes, the limit is ${MAX_TOKEN_BYTES}`) }
  } catch (thrown) {
    return { thrown }
  }
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

function failed(problem: SaslProblem, { address, mechanism, user }: ExchangePlace): AuthenticationError {
  const { code, message, retriable, errorCode, cause } = problem
  const number = errorCode === undefined ? '' : ` (${errorCode})`
  const who = user === null ? mechanism : `${mechanism}, user ${show(user)}`
  return new AuthenticationError(code, `${address}: ${code}${number}: ${who}: ${message}`, { retriable, cause })
}
