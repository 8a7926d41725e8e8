/**
 * A broker's side of a mechanism. It begins with what the client says first, yields what the broker answers, and receives
 * what the client says then; its end is the login.
 */
export type ServerExchange = Generator<Uint8Array, LoggedIn, Buffer>

export interface LoggedIn {
  /** The user. */
  readonly name: string
  /** What the client hears last. */
  readonly answer: Uint8Array
  /** Wall clock, milliseconds since the Unix epoch: what was shown is worth nothing afterwards. */
  readonly expiresAtMs?: number | undefined
}

/** Why a client does not get in. */
export class Refused extends Error {
  /** What the client is told; null: Kafka's words, which say nothing. */
  readonly told: string | null
  /** No client may say such a thing, whoever uses it. */
  readonly isViolation: boolean

  /** @param what for `violations`; holds nothing of what the client said. */
  constructor(
    what: string,
    { told = null, isViolation = false }: { told?: string | null; isViolation?: boolean } = {},
  ) {
    super(what)
    this.told = told
    this.isViolation = isViolation
  }
}

/** What the client is told is all that there is to say. */
export function refused(told: string): Refused {
  return new Refused(told, { told })
}

/** The client does not speak the mechanism. */
export function malformed(what: string, told: string | null = null): Refused {
  return new Refused(what, { told, isViolation: true })
}

export const OTHER_AUTHORIZATION_ID =
  'Authentication failed: Client requested an authorization id that is different from username'
export const NOTHING: Uint8Array = new Uint8Array(0)
