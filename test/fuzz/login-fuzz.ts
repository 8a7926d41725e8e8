import { createHmac } from 'node:crypto'
import { inspect } from 'node:util'
import { login } from '../../src/connection/login.ts'
import { KafkaError } from '../../src/errors.ts'
import type { VersionRanges } from '../../src/protocol/negotiate.ts'
import { createMechanism, type Mechanism } from '../../src/sasl/mechanism.ts'
import { resolveSasl } from '../../src/sasl/options.ts'
import { isLoopback } from '../../src/sasl/plaintext.ts'
import { SaltedPasswords } from '../../src/sasl/salted-password.ts'
import { scram } from '../../src/sasl/scram.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { canarySecret, leaksInText, registerSecret } from '../support/canary.ts'
import { HostileWire } from './hostile-login.ts'
import { Mutator } from './mutate.ts'
import { Random } from './random.ts'
import { saslSeeds } from './sasl-targets.ts'

/** A login that has not settled by then never will: nothing in it waits for time. */
const PATIENCE_MS = 2000
/** One error in so many is looked at with `inspect`, which costs more than the login. */
const INSPECT_EVERY = 64
/** Known here once more: what login.ts goes by is under test. */
const SENDS_SECRET: ReadonlySet<string> = new Set(['PLAIN', 'OAUTHBEARER'])
const MAX_MESSAGE_CHARACTERS = 1000
/** SaslHandshake, and four round trips. */
const MAX_TOKENS = 4

export interface LoginFinding {
  /** Of the one execution that shows it. */
  readonly seed: number
  readonly mechanism: string
  readonly what: string
}

export interface LoginReport {
  readonly executions: number
  readonly seconds: number
  /** `PLAIN: taken`, `PLAIN: SASL_AUTHENTICATION_FAILED`, ... and how often. */
  readonly outcomes: ReadonlyMap<string, number>
  readonly findings: readonly LoginFinding[]
}

export interface LoginLimits {
  readonly seconds: number
  readonly executions: number
}

/** A mechanism under test, and what its client keeps to itself. */
export interface LoginSubject {
  readonly mechanism: Mechanism
  readonly secrets: readonly string[]
  /** Those that the broker knows, too, and likes to say. */
  readonly repeats: readonly string[]
  readonly saltedPassword: Buffer
}

/**
 * Whole logins (login.ts: SaslHandshake, SaslAuthenticate or bare tokens, every mechanism) with a broker that lies. Each is
 * made from one number: seed 7 and 1000 executions are the seeds 7 to 1006.
 */
export class LoginFuzz {
  readonly #subjects: readonly LoginSubject[]
  readonly #patienceMs: number
  readonly #tokens = [...saslSeeds().map(({ bytes }) => bytes), Buffer.alloc(0)]
  readonly #outcomes = new Map<string, number>()
  readonly #findings: LoginFinding[] = []

  constructor(subjects: readonly LoginSubject[] = loginSubjects(), patienceMs = PATIENCE_MS) {
    this.#subjects = subjects
    this.#patienceMs = patienceMs
  }

  async run(seed: number, limits: LoginLimits, onRound?: (report: LoginReport) => void): Promise<LoginReport> {
    const startedMs = performance.now()
    const report = (executions: number): LoginReport => {
      const seconds = (performance.now() - startedMs) / 1000
      return { executions, seconds, outcomes: this.#outcomes, findings: this.#findings }
    }
    for (let done = 0; ; done++) {
      const isRound = done % 1000 === 0
      if (isRound) await new Promise((resolve) => setImmediate(resolve))
      if (isRound) onRound?.(report(done))
      const isOver = done >= limits.executions || this.#findings.length >= 20
      if (isOver || (isRound && performance.now() - startedMs >= limits.seconds * 1000)) return report(done)
      await this.#execute((seed + done) >>> 0, done % INSPECT_EVERY === 0)
    }
  }

  async #execute(seed: number, isInspected: boolean): Promise<void> {
    const random = new Random(seed)
    const subject = random.pick(this.#subjects)
    const { mechanism, secrets, repeats, saltedPassword } = subject
    const knows = { mechanism: mechanism.name, saltedPassword, repeats, tokens: this.#tokens }
    const wire = new HostileWire(knows, random, new Mutator(random))
    const transport = {
      isTls: random.oneIn(2) || mechanism.exposure === 'tls',
      remoteAddress: random.oneIn(8) ? '192.0.2.7' : '127.0.0.1',
    }
    const clock = new FakeClock()
    const place = {
      ...{ address: 'broker:9092', host: 'b-1.demo.kafka.eu-west-1.amazonaws.com', mechanism, transport, clock },
      ...{ versions: versionsOf(random), signal: new AbortController().signal },
    }
    const outcome = await settled(login(wire, place), this.#patienceMs)
    const mayBeRead = !SENDS_SECRET.has(mechanism.name) || transport.isTls || isLoopback(transport.remoteAddress)
    const what = judge(outcome, {
      wire,
      secrets,
      isInspected,
      mayBeRead,
      mustProve: mechanism.name.startsWith('SCRAM'),
    })
    if (what !== null) this.#findings.push({ seed, mechanism: mechanism.name, what })
    const name = `${mechanism.name}: ${outcome.error instanceof KafkaError ? outcome.error.code : 'taken'}`
    this.#outcomes.set(name, (this.#outcomes.get(name) ?? 0) + 1)
  }
}

interface Settled {
  readonly isTaken: boolean
  readonly error: unknown
}

const NEVER = new Error('the login never settled')

async function settled(work: Promise<unknown>, patienceMs: number): Promise<Settled> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ isTaken: false, error: NEVER }), patienceMs)
    const done = (end: Settled): void => {
      clearTimeout(timer)
      resolve(end)
    }
    work.then(
      () => done({ isTaken: true, error: null }),
      (error: unknown) => done({ isTaken: false, error }),
    )
  })
}

interface Circumstances {
  readonly wire: HostileWire
  readonly secrets: readonly string[]
  readonly isInspected: boolean
  /** Nobody on the way can read the secret, or the peer is this machine. */
  readonly mayBeRead: boolean
  /** The broker has to show something for a login to count. */
  readonly mustProve: boolean
}

/** What must not be; null: all is well. */
function judge({ isTaken, error }: Settled, circumstances: Circumstances): string | null {
  const { wire, secrets, isInspected, mayBeRead, mustProve } = circumstances
  if (wire.said.length > MAX_TOKENS) return `${wire.said.length} tokens`
  if (!mayBeRead && wire.said.length > 0) return 'a secret went over the network, readable'
  if (isTaken) return mustProve && !hasProved(wire) ? 'a broker was believed that does not know the password' : null
  if (!(error instanceof KafkaError)) return `not a KafkaError: ${inspect(error)}`
  const text = isInspected ? inspect(error, { depth: Infinity, showHidden: true }) : textOf(error)
  const [leak] = leaksInText(text, new Map(secrets.map((secret) => [secret, 'secret'])))
  if (leak !== undefined) return `a secret in an error: ${leak.form}, ${error.code}`
  if (/[\p{Cc}\p{Cf}]/u.test(error.message)) return `control characters in an error: ${error.code}`
  return error.message.length <= MAX_MESSAGE_CHARACTERS ? null : `an error of ${error.message.length} characters`
}

function hasProved({ signature, sentLast }: HostileWire): boolean {
  return signature !== null && sentLast.includes(signature)
}

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.message}\n${textOf(error.cause)}` : ''
}

/** Brokers of every age, and impossible ones. */
function versionsOf(random: Random): VersionRanges {
  const kind = random.below(20)
  const range = (): { min: number; max: number } => ({ min: random.below(4) - 1, max: random.below(5) - 1 })
  if (kind === 0) return new Map()
  if (kind === 1) return new Map([17, 36].map((key) => [key, range()]))
  const handshake = [17, { min: 0, max: kind < 4 ? 0 : 1 }] as const
  return kind < 8 ? new Map([handshake]) : new Map([handshake, [36, { min: 0, max: random.below(3) }]])
}

/** Every mechanism. PBKDF2 is one HMAC here, whatever the broker asks for: what it costs is not what is searched. */
export function loginSubjects(): LoginSubject[] {
  const secret = (label: string): string => canarySecret(`fuzz: ${label}`)
  const clock = new FakeClock()
  const none = Buffer.alloc(0)
  const made = (options: object, secrets: readonly string[]): LoginSubject => ({
    mechanism: createMechanism(resolveSasl(options), { clock, env: {} }),
    ...{ secrets, repeats: secrets, saltedPassword: none },
  })
  const password = secret('PLAIN password')
  const token = canarySecret('fuzz: bearer token', (random) => `${random}.${random}=`)
  const [secretAccessKey, sessionToken] = [secret('AWS secret key'), secret('AWS session token')]
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey, sessionToken }
  return [
    made({ mechanism: 'plain', username: 'alice', password }, [password]),
    made({ mechanism: 'oauthbearer', token }, [token]),
    made({ mechanism: 'aws-msk-iam', credentials }, [secretAccessKey, sessionToken]),
    ...(['sha256', 'sha512'] as const).map((hash) => scramSubject(hash, secret('SCRAM password'))),
  ]
}

function scramSubject(hash: 'sha256' | 'sha512', password: string): LoginSubject {
  const saltedPassword = createHmac(hash, password).update('salted').digest()
  const passwords = new SaltedPasswords(() => Promise.resolve(Buffer.from(saltedPassword)))
  const name = hash === 'sha256' ? 'SCRAM-SHA-256' : 'SCRAM-SHA-512'
  const credentials = { username: 'al,i=ce', password: () => Promise.resolve(password) }
  const begin: Mechanism['begin'] = ({ signal }) =>
    scram(hash, credentials, { signal, passwords, nonce: 'fyko+d2lbbFgONRv9qkxdawL' })
  const salted = (['base64', 'hex'] as const).map((form) =>
    registerSecret(`fuzz: salted password, ${form}`, saltedPassword.toString(form)),
  )
  const mechanism = { name, user: 'al,i=ce', exposure: 'none', isFixed: true, begin } as const
  return { mechanism, secrets: [password, ...salted], repeats: [password], saltedPassword }
}
