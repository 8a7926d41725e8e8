import { createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { Duplex } from 'node:stream'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { diagnose, KafkaError, Producer, type DiagnosisStep, type ProducerOptions } from '../../src/index.ts'
import type { SaslOptions } from '../../src/sasl/sasl-options.ts'
import { mskBearerToken } from '../../src/sasl/aws-bearer-token.ts'
import { holdCredentials } from '../../src/sasl/aws-credentials.ts'
import { assumed, FakeSts, ROLE_SECRET, ROLE_TOKEN } from '../sasl/fake-sts.ts'
import { ScramServer, type ScramUser } from '../sasl/scram-server.ts'
import { canarySecret, leaksIn, registerSecret } from '../support/canary.ts'
import { FakeClock, until } from '../support/fake-clock.ts'
import { Authority, type Issued } from '../support/tls/authority.ts'
import { Eavesdropper } from './eavesdrop.ts'
import { lastWord, NOTHING, scramLogin, ScriptedBroker, type Login, type ScriptedOptions } from './scripted-broker.ts'

/** Everything that a producer says is searched for every secret of this file, after each test. */

const PASSWORD = canarySecret('password', (random) => `p\u00e4ss,=${random}/+`)
const WRONG = canarySecret('wrong password')
const BEARER = canarySecret('bearer token', (random) => `${random}.${random}==`)
const KEY = canarySecret('AWS secret key')
const SESSION = canarySecret('AWS session token')
const PASSPHRASE = canarySecret('passphrase')
const USER: ScramUser = {
  ...{ hash: 'sha256', user: 'alice', password: PASSWORD, salt: randomBytes(16), iterations: 4096 },
}
const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'OAUTHBEARER', 'AWS_MSK_IAM']

const ears = new Eavesdropper()
const open: (() => unknown)[] = []
let root: Authority
let server: Issued
let client: Issued
let stranger: Issued
let strangersCa: string
let encryptedKey: string
let pfx: Buffer

beforeAll(async () => {
  root = await Authority.root('headrace canary CA')
  server = await root.issue()
  client = await root.issue({ usage: 'clientAuth', commonName: 'client' })
  const strangers = await Authority.root('another CA')
  stranger = await strangers.issue({ usage: 'clientAuth', commonName: 'client' })
  strangersCa = strangers.cert
  await strangers.remove()
  for (const { key } of [client, stranger]) registerSecret('private key', key)
  const file = await root.write('client.pem', client.key + client.cert)
  const pass = ['-passout', `pass:${PASSPHRASE}`]
  encryptedKey = await root.openssl('pkcs8', '-topk8', '-in', file, ...pass)
  await root.openssl('pkcs12', '-export', '-in', file, '-out', 'client.p12', ...pass)
  pfx = await root.read('client.p12')
})
afterAll(() => root.remove())

beforeEach(() => ears.start())
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
  ears.stop()
  vi.unstubAllGlobals()
  const heard = ears.heard.splice(0)
  expect(heard.length).toBeGreaterThan(0)
  expect(heard.flatMap((one) => leaksIn(one))).toEqual([])
})

async function brokerOf(options: ScriptedOptions = {}): Promise<ScriptedBroker> {
  const broker = await ScriptedBroker.start({ mechanisms: MECHANISMS, ...options })
  open.push(() => broker.close())
  return broker
}

function producerOf(brokers: string, options: Partial<ProducerOptions>, clock = new FakeClock()): Producer {
  const producer = new Producer({ brokers, logger: ears.logger, ...options }, clock)
  ears.ask(producer)
  open.push(() => {
    ears.ask(producer)
    return producer.close({ timeoutMs: 0 }).catch((error: unknown) => ears.heard.push(error))
  })
  return producer
}

/** Connects, sends, and hears what comes of it; the code of what failed first. */
async function used(producer: Producer, clock?: FakeClock): Promise<string> {
  const works = [() => producer.connect(), () => producer.send({ topic: 't', value: 'v' })]
  let first = 'fine'
  for (const work of works) {
    const settling = { is: false }
    const outcome = work()
      .then(
        (value: unknown) => value,
        (error: unknown) => error,
      )
      .finally(() => (settling.is = true))
    if (clock !== undefined) {
      await until(() => settling.is || clock.pendingMs.length > 0, 'a timer')
      for (let i = 0; i < 40 && !settling.is; i++) await clock.advance(5000)
    }
    const end = await outcome
    ears.heard.push(end)
    if (first === 'fine' && end instanceof Error) first = end instanceof KafkaError ? end.code : String(end)
  }
  return first
}

const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: KEY, sessionToken: SESSION }
const msk = (more: object): SaslOptions => ({ mechanism: 'aws-msk-iam', region: 'eu-west-1', ...more })
const presigned = (): string => {
  const signing = { region: 'eu-west-1', credentials: holdCredentials(KEYS), wallMs: 1.7e12, expiresSeconds: 900 }
  return registerSecret('presigned URL as a token', mskBearerToken(signing, 'canary').value)
}

/** Every way in for a secret of a login. */
const ways: readonly (readonly [name: string, sasl: () => SaslOptions])[] = [
  ['a password', () => ({ mechanism: 'plain', username: 'alice', password: PASSWORD })],
  ['a function for it', () => ({ mechanism: 'plain', username: 'alice', password: () => Promise.resolve(PASSWORD) })],
  ['a SCRAM password', () => ({ mechanism: 'scram-sha-256', username: 'alice', password: PASSWORD })],
  ['a function for that', () => ({ mechanism: 'scram-sha-256', username: 'alice', password: () => PASSWORD })],
  ['a token', () => ({ mechanism: 'oauthbearer', token: BEARER })],
  ['a function for it', () => ({ mechanism: 'oauthbearer', token: () => ({ value: BEARER, expiresAtMs: 4e12 }) })],
  ['a presigned URL', () => ({ mechanism: 'oauthbearer', token: presigned() })],
  ['AWS keys', () => msk({ credentials: KEYS })],
  ['a function for them', () => msk({ credentials: () => KEYS })],
  ['a role', () => msk({ credentials: KEYS, roleArn: 'arn:aws:iam::123456789012:role/writer' })],
]

/** What came over the wire counts as secret, too: proofs, signatures, payloads. */
function overheard(login: Login): Login {
  return (token) => {
    const text = token.toString('latin1')
    // The first message of SCRAM holds a name and a nonce.
    const forms = text.startsWith('n,,n=') ? [] : (['latin1', 'base64', 'hex'] as const)
    for (const form of forms) registerSecret('auth frame', token.toString(form))
    const [, proof] = /,p=(.*)$/.exec(text) ?? []
    if (proof !== undefined) registerSecret('SCRAM proof', proof)
    const [, signature] = /"x-amz-signature":"(\w+)"/.exec(text) ?? []
    if (signature !== undefined) registerSecret('AWS signature', signature)
    return login(token)
  }
}

/** Says everything that it has heard, as programs write it. */
const parrot: Login = (token) => {
  const text = token.toString('latin1')
  if (text.startsWith('n,,n=')) return { authBytes: Buffer.from(new ScramServer(USER).first(token)) }
  const secrets = [PASSWORD, BEARER, KEY, SESSION, ROLE_SECRET, ROLE_TOKEN].map((secret) => Buffer.from(secret))
  const proof = Buffer.from(/,p=(.*)$/.exec(text)?.[1] ?? token)
  const said = secrets.find((secret) => token.includes(secret)) ?? proof
  const forms = [said.toString(), said.toString('base64'), said.toString('base64url'), said.toString('hex')]
  const more = [encodeURIComponent(said.toString()), Array.from(said.toString()).reverse().join('')]
  // And all of the token in base64, in which the secret looks different.
  more.push(token.toString('base64'), token.toString('base64url'))
  return { errorCode: 58, errorMessage: [...forms, ...more].join(' '), authBytes: NOTHING }
}
const yes = (sessionLifetimeMs: bigint): Login => {
  const scram = scramLogin(USER, sessionLifetimeMs)
  return (token) => {
    if (token.subarray(0, 4).toString() === 'n,,n' || token.subarray(0, 2).toString() === 'c=') return scram(token)
    const authBytes = token[0] === 0x7b ? Buffer.from('{"version":"2020_10_22","request-id":"r"}') : NOTHING
    return lastWord({ authBytes, sessionLifetimeMs })
  }
}

describe.each(ways)('%s', (_name, sasl) => {
  let sts: FakeSts
  beforeEach(async () => {
    sts = new FakeSts(KEY)
    sts.reply = () => ({ status: 200, body: assumed(1, '2999-01-01T00:00:00Z') })
    await sts.listen()
    open.push(() => sts.close())
    sts.takeOver()
  })
  const tls = (): object => ({ tls: { ca: root.cert } })
  const tlsServer = (): ScriptedOptions => ({ tls: { cert: server.cert, key: server.key } })

  it.each<readonly [string, Login, string]>([
    ['gets in', yes(0n), 'fine'],
    ['is wrong', () => ({ errorCode: 58, errorMessage: 'Authentication failed' }), 'SASL_AUTHENTICATION_FAILED'],
    ['is repeated by the broker', parrot, 'SASL_AUTHENTICATION_FAILED'],
  ])('%s', async (_end, login, code) => {
    const broker = await brokerOf({ ...tlsServer(), login: () => overheard(login) })
    const options = { ...tls(), sasl: sasl() }
    expect(await used(producerOf(broker.address, options))).toBe(code)
    if (code === 'fine') return
    const steps: DiagnosisStep[] = []
    for await (const step of diagnose({ brokers: broker.address, ...options })) steps.push(step)
    expect(steps.map((step) => step.code)).toContain(code)
    ears.heard.push(steps)
  })

  it('is not answered', async () => {
    const broker = await brokerOf({
      ...tlsServer(),
      script: ({ api }) => (api === 'SaslAuthenticate' ? NOTHING : null),
    })
    const clock = new FakeClock()
    expect(await used(producerOf(broker.address, { ...tls(), sasl: sasl() }, clock), clock)).toBe('CONNECT_TIMEOUT')
  })

  it('is answered with what came, as bytes', async () => {
    const broker = await brokerOf({
      ...tlsServer(),
      script: ({ api, token }) => (api === 'SaslAuthenticate' ? token : null),
    })
    expect(await used(producerOf(broker.address, { ...tls(), sasl: sasl() }))).not.toBe('fine')
  })

  it('is not sent where everybody could read it, or goes as a proof', async () => {
    const broker = await brokerOf({ login: () => overheard(yes(0n)) })
    const createSocket = (): Duplex => {
      const socket = connect(broker.port, '127.0.0.1')
      open.push(() => socket.destroy())
      // Nobody can say where it leads.
      return Duplex.from({ readable: socket, writable: socket })
    }
    const options = { createSocket, sasl: sasl() }
    const { mechanism } = options.sasl
    if (mechanism === 'aws-msk-iam') {
      const refused = (): unknown => producerOf(broker.address, options)
      expect(refused).toThrow(/never used without TLS/)
      ears.heard.push(thrownBy(refused))
      return
    }
    const code = mechanism === 'scram-sha-256' ? 'fine' : 'PLAINTEXT_CREDENTIALS_REFUSED'
    expect(await used(producerOf(broker.address, options))).toBe(code)
  })

  it('is refused when it is given again', async () => {
    let logins = 0
    const login = (): Login => overheard(++logins === 1 ? yes(10_000n) : parrot)
    const broker = await brokerOf({ ...tlsServer(), login })
    const clock = new FakeClock()
    const producer = producerOf(broker.address, { ...tls(), sasl: sasl() }, clock)
    expect(await used(producer)).toBe('fine')
    await clock.advance(9600)
    await used(producer, clock)
    expect(logins).toBeGreaterThan(1)
    expect(ears.channels).toContain('headrace:connection:closed')
  })
})

describe('what SCRAM computes', () => {
  it('is in nothing that is told, whether the broker can prove itself or not', async () => {
    const salted = pbkdf2Sync(PASSWORD, USER.salt, USER.iterations, 32, 'sha256')
    const keys = ['Client Key', 'Server Key'].map((name) => createHmac('sha256', salted).update(name).digest())
    for (const key of [salted, ...keys])
      for (const form of ['base64', 'hex'] as const) registerSecret('SCRAM key', key.toString(form))
    const forged: Login = (token) => {
      const honest = scramLogin(USER)
      return token.subarray(0, 2).toString() === 'c='
        ? { authBytes: Buffer.from(`v=${'A'.repeat(43)}=`) }
        : honest(token)
    }
    const sasl = { mechanism: 'scram-sha-256', username: 'alice', password: PASSWORD } as const
    for (const [login, code] of [
      [yes(0n), 'fine'],
      [forged, 'SASL_AUTHENTICATION_FAILED'],
    ] as const) {
      const broker = await brokerOf({ login: () => overheard(login) })
      expect(await used(producerOf(broker.address, { sasl }))).toBe(code)
    }
    const broker = await brokerOf({ login: () => overheard(scramLogin(USER)) })
    expect(await used(producerOf(broker.address, { sasl: { ...sasl, password: WRONG } }))).toBe(
      'SASL_AUTHENTICATION_FAILED',
    )
  })
})

function thrownBy(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    return error
  }
}

describe('what is no option', () => {
  const odd: readonly (readonly [name: string, value: () => unknown])[] = [
    ['in an object', () => ({ value: PASSWORD })],
    ['in an array', () => [PASSWORD]],
    ['as bytes', () => Buffer.from(PASSWORD)],
    ['in a String', () => Object(PASSWORD) as object],
    ['as a symbol', () => Symbol(PASSWORD)],
  ]

  it.each(odd)('a secret %s', (_name, value) => {
    const given = value()
    const attempts: Partial<ProducerOptions>[] = [
      { sasl: { mechanism: 'plain', username: 'a', password: given } as never },
      { sasl: { mechanism: 'oauthbearer', token: given } as never },
      { sasl: msk({ credentials: { ...KEYS, secretAccessKey: given } }) },
      { sasl: msk({ credentials: { ...KEYS, sessionToken: given, expiration: 'soon' } }) },
      { sasl: msk({ credentials: given }) },
      { sasl: given as never },
      { tls: { passphrase: given, key: client.key } as never },
      { tls: { key: given, cert: given } as never },
      { tls: { pfx: given } as never },
    ]
    for (const options of attempts) {
      const thrown = thrownBy(() => producerOf('127.0.0.1:1', { tls: true, ...options }))
      expect(thrown).toMatchObject({ code: 'INVALID_OPTIONS' })
      ears.heard.push(thrown)
    }
  })

  it('a secret that has slipped into the wrong field, or is of the wrong make', () => {
    const attempts: (() => Partial<ProducerOptions>)[] = [
      () => ({ sasl: { mechanism: 'plain', username: '', password: PASSWORD } }),
      () => ({ sasl: { mechanism: PASSWORD, username: 'a', password: 'plain' } as never }),
      () => ({ brokers: `kafka+ssl://alice:${PASSWORD}@b:9092` }),
      () => ({ brokers: ['b:9092', `alice:${encodeURIComponent(PASSWORD)}@b:9092`] }),
      () => ({ sasl: { mechanism: 'plain', username: 'a', password: PASSWORD, pasword: WRONG } as never }),
      () => ({ sasl: { mechanism: 'scram', username: 'a', password: PASSWORD } as never }),
      () => ({ sasl: msk({ accessKeyId: 'A', secretAccessKey: KEY, sessionToken: SESSION }) }),
      () => ({ sasl: msk({ credentials: { accessKeyId: 'A', secretAccessKey: ` ${KEY}` } }) }),
      () => ({ tls: { key: client.key.slice(0, -80), cert: client.cert } }),
      () => ({ tls: { key: stranger.key, cert: client.cert } }),
      () => ({ tls: { key: encryptedKey, cert: client.cert } }),
      () => ({ tls: { key: encryptedKey, cert: client.cert, passphrase: WRONG } }),
      () => ({ tls: { ca: client.key } }),
      () => ({ tls: { cert: client.key } }),
      () => ({ tls: { pfx, passphrase: WRONG } }),
      () => ({ tls: { pfx: client.key, passphrase: PASSPHRASE } }),
      () => ({ tls: { passphrase: PASSPHRASE } }),
    ]
    for (const options of attempts) {
      const thrown = thrownBy(() => producerOf('127.0.0.1:1', { tls: true, ...options() }))
      expect(thrown).toMatchObject({ code: 'INVALID_OPTIONS' })
      ears.heard.push(thrown)
    }
  })
})

describe('a function for a secret', () => {
  it.each<readonly [string, () => unknown]>([
    ['throws the secret itself', () => rejected(PASSWORD)],
    ['throws an object with it', () => rejected({ password: PASSWORD })],
    ['gives something else', () => Promise.resolve({ password: PASSWORD })],
    ['gives bytes', () => Promise.resolve(Buffer.from(PASSWORD))],
  ])('that %s', async (_name, password) => {
    const broker = await brokerOf()
    const clock = new FakeClock()
    const sasl = { mechanism: 'plain', username: 'alice', password: password as () => Promise<string> } as const
    expect(await used(producerOf(broker.address, { sasl }, clock), clock)).toBe('CREDENTIALS_UNAVAILABLE')
  })
})

// Not an Error: that is what is tested.
async function rejected(what: unknown): Promise<never> {
  await Promise.resolve()
  throw what
}

describe('keys of a client certificate', () => {
  const keys: readonly (readonly [string, () => object])[] = [
    ['in PEM', () => ({ cert: client.cert, key: client.key })],
    ['encrypted', () => ({ cert: client.cert, key: encryptedKey, passphrase: PASSPHRASE })],
    ['in a PKCS#12 store', () => ({ pfx, passphrase: PASSPHRASE })],
    ['from a function', () => (): object => ({ cert: client.cert, key: client.key })],
    ['of an authority that nobody knows', () => ({ cert: stranger.cert, key: stranger.key })],
  ]

  it.each(keys)('%s', async (name, given) => {
    const tls = { cert: server.cert, key: server.key, ca: root.cert, requestCert: true, rejectUnauthorized: true }
    const broker = await brokerOf({ tls })
    const own = given()
    const withCa =
      typeof own === 'function' ? () => ({ ...(own as () => object)(), ca: root.cert }) : { ...own, ca: root.cert }
    const clock = new FakeClock()
    const code = await used(producerOf(broker.address, { tls: withCa }, clock), clock)
    expect(code).toBe(name.startsWith('of an') ? 'CLIENT_CERTIFICATE_REFUSED' : 'fine')
  })

  it('and nothing of ours is told to, or of, a broker that is not trusted', async () => {
    const broker = await brokerOf({ tls: { cert: server.cert, key: server.key } })
    const sasl = { mechanism: 'plain', username: 'alice', password: PASSWORD } as const
    const tls = { cert: client.cert, key: client.key, ca: strangersCa }
    expect(await used(producerOf(broker.address, { sasl, tls }))).toMatch(/^CERTIFICATE_/)
  })
})
