import { OptionError } from '../../errors.ts'
import { custom, int, resolve, type Checked, type Resolved } from '../../options.ts'
import type { VerifyToken } from './oauth-bearer-server.ts'

/** In Kafka's spelling. */
export type SaslMechanismName = (typeof MECHANISMS)[number]
const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const

/** The option `sasl` of a TestCluster. */
export interface TestSaslOptions {
  /** Name to password, for PLAIN and SCRAM. Default: nobody; see `setUser`. */
  readonly users?: Readonly<Record<string, string>> | undefined
  /** Default: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER. */
  readonly mechanisms?: readonly SaslMechanismName[] | undefined
  /**
   * How long a login is good for, milliseconds; Kafka's `connections.max.reauth.ms`. A bigint up to 2^63-1 for what no
   * number can say. Default 0: for ever.
   */
  readonly sessionLifetimeMs?: number | bigint | undefined
  /** OAUTHBEARER: whose a token is, or why it is not taken. Default: JSON web tokens without a signature, as Kafka's. */
  readonly verifyToken?: VerifyToken | undefined
  /** Of PBKDF2, for SCRAM. Default 4096, Kafka's. */
  readonly iterations?: number | undefined
}

const MAX_INT64 = 2n ** 63n - 1n
const MAX_ITERATIONS = 1_000_000

const table = {
  users: custom<ReadonlyMap<string, string>>({
    ...{ type: 'object', doc: 'Name to password.', defaultText: '{}' },
    check: checkUsers,
  }),
  mechanisms: custom<readonly SaslMechanismName[]>({
    ...{ type: 'list', doc: 'What clients can choose from.', defaultText: 'all' },
    check: checkMechanisms,
  }),
  sessionLifetimeMs: custom<bigint>({
    ...{ type: 'integer', doc: 'How long a login is good for.', defaultText: '0' },
    check: checkSessionLifetime,
  }),
  verifyToken: custom<VerifyToken | undefined>({
    ...{ type: 'function', doc: 'Judges tokens.', defaultText: '-' },
    check(value) {
      if (value === undefined || typeof value === 'function') return { value: value as VerifyToken | undefined }
      return { expected: 'a function' }
    },
  }),
  iterations: int({ doc: 'Of PBKDF2.', min: 1, max: MAX_ITERATIONS, default: 4096 }),
}

export type ResolvedSasl = Resolved<typeof table>

/** For the row of the option table. Passwords are never shown. */
export function checkSaslOption(value: unknown): Checked<ResolvedSasl | null> {
  if (value === undefined) return { value: null }
  try {
    return { value: resolve(value, { where: 'sasl', table }) }
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    return { problem: error.message.replace(/^sasl: [A-Z_]+: /, '') }
  }
}

/** What is wrong with a user; null: nothing. */
export function userProblem(name: unknown, password: unknown): string | null {
  if (typeof name !== 'string' || name === '' || name.includes('\0')) {
    return 'a user name is a string that is not empty and has no NUL character'
  }
  const isFine = typeof password === 'string' && password !== '' && !password.includes('\0')
  return isFine ? null : `the password of ${JSON.stringify(name)} must be a string that is not empty and has no NUL`
}

export function checkSessionLifetime(value: unknown): Checked<bigint> {
  if (value === undefined) return { value: 0n }
  const isWhole = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))
  const lifetimeMs = isWhole ? BigInt(value) : -1n
  return lifetimeMs >= 0n && lifetimeMs <= MAX_INT64
    ? { value: lifetimeMs }
    : { expected: 'milliseconds, a whole number from 0 to 2^63-1' }
}

function checkUsers(value: unknown): Checked<ReadonlyMap<string, string>> {
  if (value === undefined) return { value: new Map() }
  if (typeof value !== 'object' || value === null) return { problem: 'users: expected an object of names to passwords' }
  for (const [name, password] of Object.entries(value)) {
    const problem = userProblem(name, password)
    if (problem !== null) return { problem: `users: ${problem}` }
  }
  return { value: new Map(Object.entries(value as Record<string, string>)) }
}

function checkMechanisms(value: unknown): Checked<readonly SaslMechanismName[]> {
  if (value === undefined) return { value: MECHANISMS }
  const isKnown = (name: unknown): boolean => (MECHANISMS as readonly unknown[]).includes(name)
  const isFine = Array.isArray(value) && value.length > 0 && value.every(isKnown)
  return isFine ? { value: value as SaslMechanismName[] } : { expected: `a list of ${MECHANISMS.join(', ')}` }
}
