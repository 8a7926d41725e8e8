import { AuthenticationError, BatchDeliveryError, ConnectionError, OptionError, ProtocolError } from '../index.ts'

/** What the command line ends with; scripts rely on it. */
export const EXIT = {
  /** Everything was delivered. */
  ok: 0,
  /** Something was not delivered, or the work was interrupted; stderr says what. */
  undelivered: 1,
  /** The command line or the configuration is wrong; nothing was sent. */
  usage: 2,
  /** No broker could be reached, or it did not let us in; nothing was sent. */
  connection: 3,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** What is wrong with the command line, in one sentence. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly code = 'USAGE'
}

/** An error of the library, told in flags instead of options. */
export class SpokenError extends Error {
  override readonly name = 'SpokenError'
  constructor(message: string, cause: unknown) {
    super(message, { cause })
  }
}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof SpokenError) return exitCodeOf(error.cause)
  if (error instanceof UsageError || error instanceof OptionError) return EXIT.usage
  if (error instanceof BatchDeliveryError) return EXIT.undelivered
  const isUnreachable =
    error instanceof ConnectionError || error instanceof AuthenticationError || error instanceof ProtocolError
  return isUnreachable ? EXIT.connection : EXIT.undelivered
}
