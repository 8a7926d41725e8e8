import { afterEach, describe, expect, it } from 'vitest'
import { OptionError } from '../../src/errors.ts'
import { metadata } from '../../src/protocol/messages/metadata.ts'
import { decodeResponseFrame } from '../../src/protocol/frame.ts'
import { produce } from '../../src/protocol/messages/produce.ts'
import { saslAuthenticate } from '../../src/protocol/messages/sasl-authenticate.ts'
import { saslHandshake } from '../../src/protocol/messages/sasl-handshake.ts'
import { runExchange } from '../../src/sasl/exchange.ts'
import { createMechanism } from '../../src/sasl/mechanism.ts'
import { resolveSasl } from '../../src/sasl/options.ts'
import type { SaslOptions } from '../../src/sasl/sasl-options.ts'
import { TestCluster, type TestClusterOptions } from '../../src/testing/test-cluster.ts'
import { FakeClock, turns, until } from '../support/fake-clock.ts'
import { batchOf, errorOf, frameOf, writeTo } from './raw-client.ts'
import { plainToken, SaslClient } from './sasl-client.ts'
import { CLIENT_NONCE, plaintextScripts, scramFinal, scripts, SESSION_MS } from './sasl-scripts.ts'

const passwords = { alice: 'alice-secret', bob: 'bob-secret' }

const open: (() => unknown)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function clusterOf(options: TestClusterOptions = {}): Promise<TestCluster> {
  const cluster = await TestCluster.start({ topics: { t: 1 }, sasl: { users: passwords }, ...options })
  open.push(() => cluster.close())
  return cluster
}

async function clientOf(cluster: TestCluster, clock?: FakeClock, broker = 1): Promise<SaslClient> {
  const client = await SaslClient.to(cluster.ports[broker - 1]!)
  if (clock !== undefined) {
    client.passTime = (ms) => clock.advance(ms)
    client.wallNow = () => clock.wallNow()
  }
  open.push(() => client.destroy())
  return client
}

async function logIn(client: SaslClient, name: 'alice' | 'bob' = 'alice'): Promise<unknown> {
  await client.handshake('PLAIN')
  return client.token(plainToken(name, passwords[name]))
}

/** In the real one PLAIN and SCRAM-SHA-256 have sessions that end. */
function clusterFor(name: string, clock: FakeClock): Promise<TestCluster> {
  const hasEnd = !/where sessions have no end|names its owner/.test(name)
  return clusterOf({ clock, sasl: { users: passwords, sessionLifetimeMs: hasEnd ? SESSION_MS : 0 } })
}

describe('a listener with SASL says what Apache Kafka 4.3.1 says to a client that', () => {
  it.each(scripts)('$name', async (script) => {
    const clock = new FakeClock()
    const cluster = await clusterFor(script.name, clock)
    expect(await script.run(await clientOf(cluster, clock), passwords)).toEqual(script.hears)
    expect(cluster.recordCount('t')).toBe(0)
  })
})

describe('a listener without SASL says what Apache Kafka 4.3.1 says to a client that', () => {
  it.each(plaintextScripts)('$name', async (script) => {
    const cluster = await clusterOf({ sasl: undefined })
    expect(await script.run(await clientOf(cluster), passwords)).toEqual(script.hears)
    expect(cluster.loginStats()).toMatchObject({ logins: 0, illegal: 1 })
    expect(cluster.violations).toEqual([])
  })
})

const ALL = { topics: [], allowAutoTopicCreation: false, includeTopicAuthorizedOperations: false }

/** Our own client's mechanism, led over the socket of a raw client. */
async function exchange(client: SaslClient, sasl: SaslOptions): Promise<unknown> {
  const mechanism = createMechanism(resolveSasl(sasl), { clock: new FakeClock() })
  await client.handshake(mechanism.name)
  const place = { address: 'test:1', mechanism: mechanism.name, user: mechanism.user }
  return runExchange(mechanism.begin({ host: 'test' }), client.send, place).catch((error: unknown) => error)
}

describe('our own mechanisms', () => {
  const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const
  const users = { 'a,=b,=c': 'pa,ss=wörd 🐟', alice: 'alice-secret' }

  it.each(MECHANISMS)('%s gets in, with commas, equals signs and a password that is not ASCII', async (mechanism) => {
    const cluster = await clusterOf({ sasl: { users } })
    const client = await clientOf(cluster)
    expect(await exchange(client, { mechanism, username: 'a,=b,=c', password: users['a,=b,=c'] })).toEqual({})
    await client.ask(metadata, 12, ALL)
    expect(cluster.requests.at(-1)).toMatchObject({ api: 'Metadata', principal: 'User:a,=b,=c' })
    expect([cluster.loginStats(), cluster.violations]).toEqual([{ ...NOBODY, logins: 1 }, []])
  })

  it.each(MECHANISMS)('%s is refused with a wrong password, and as somebody else', async (mechanism) => {
    const cluster = await clusterOf({ sasl: { users } })
    const wrong = await exchange(await clientOf(cluster), { mechanism, username: 'alice', password: 'wrong' })
    expect(wrong).toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED' })
    const other = { mechanism, username: 'alice', password: users.alice, authorizationId: 'bob' }
    expect(await exchange(await clientOf(cluster), other)).toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED' })
    expect([cluster.loginStats(), cluster.violations]).toEqual([{ ...NOBODY, refused: 2 }, []])
  })

  it('oauthbearer gets in with what verifyToken takes, and shows its extensions', async () => {
    const seen: unknown[] = []
    const verifyToken = (token: string, extensions: Readonly<Record<string, string>>) => {
      seen.push(token, { ...extensions })
      return 'carol'
    }
    const cluster = await clusterOf({ sasl: { verifyToken } })
    const token = () => ({ value: 'abc.def', extensions: { logicalCluster: 'lkc-1' } })
    const client = await clientOf(cluster)
    expect(await exchange(client, { mechanism: 'oauthbearer', token })).toEqual({})
    expect(seen).toEqual(['abc.def', { logicalCluster: 'lkc-1' }])
    await client.ask(metadata, 12, ALL)
    expect(cluster.requests.at(-1)?.principal).toBe('User:carol')
  })

  it.each<[string, () => never | { status: string; scope?: string }, string]>([
    ['says no', () => ({ status: 'insufficient_scope', scope: 'kafka' }), 'insufficient_scope'],
    [
      'throws',
      () => {
        throw new Error('secret')
      },
      'invalid_token',
    ],
  ])('oauthbearer is refused if verifyToken %s', async (_, verifyToken, status) => {
    const cluster = await clusterOf({ sasl: { verifyToken } })
    const error = await exchange(await clientOf(cluster), { mechanism: 'oauthbearer', token: 'abc' })
    expect(String(error)).toContain(`the broker refuses the token: ${status}`)
    expect(String(error)).not.toContain('secret')
    expect([cluster.loginStats(), cluster.violations]).toEqual([{ ...NOBODY, refused: 1 }, []])
  })

  it.each([undefined, Promise.resolve('carol'), 7])(
    'oauthbearer: a verifyToken that gives %o is said',
    async (given) => {
      const verifyToken = (() => given) as unknown as () => string
      const cluster = await clusterOf({ sasl: { verifyToken } })
      const client = await clientOf(cluster)
      await client.handshake('OAUTHBEARER')
      expect(await client.token('n,,\x01auth=Bearer abc\x01\x01')).toBe('closed')
      expect(cluster.violations[0]).toContain('sasl.verifyToken must give a principal or a status, at once')
      expect(cluster.violations[0]).not.toContain('abc')
    },
  )

  it('oauthbearer: the session ends with the token, if that is first', async () => {
    const clock = new FakeClock()
    const verifyToken = () => ({ principal: 'carol', expiresAtMs: clock.wallNow() + 700 })
    const said: unknown[] = []
    for (const sessionLifetimeMs of [0, 500, 1000]) {
      const cluster = await clusterOf({ clock, sasl: { verifyToken, sessionLifetimeMs } })
      const client = await clientOf(cluster)
      await client.handshake('OAUTHBEARER')
      said.push(await client.token('n,,\x01auth=Bearer abc\x01\x01'))
    }
    expect(said).toMatchObject([700n, 500n, 700n].map((sessionLifetimeMs) => ({ errorCode: 0, sessionLifetimeMs })))
  })
})

const NOBODY = { logins: 0, reauthentications: 0, refused: 0, illegal: 0, expired: 0 }

describe('users', () => {
  it('change while the cluster runs: who is in stays in, the next login counts', async () => {
    const cluster = await clusterOf({ sasl: { users: passwords, sessionLifetimeMs: 3000 } })
    const client = await clientOf(cluster)
    await logIn(client)
    const before = { mechanism: 'scram-sha-256', username: 'alice', password: passwords.alice } as const
    expect(await exchange(await clientOf(cluster), before)).toEqual({})
    cluster.setUser('alice', 'new-secret')
    expect(await exchange(await clientOf(cluster), before)).toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED' })
    expect(await client.ask(metadata, 12, ALL)).toMatchObject({ brokers: [{ nodeId: 1 }] })
    expect(await logIn(await clientOf(cluster))).toMatchObject({ errorCode: 58 })
    expect(await logIn(client)).toMatchObject({ errorCode: 58 })
    const newcomer = await clientOf(cluster)
    expect(await exchange(newcomer, { mechanism: 'plain', username: 'alice', password: 'new-secret' })).toEqual({})
    const byScram = { mechanism: 'scram-sha-256', username: 'alice', password: 'new-secret' } as const
    expect(await exchange(await clientOf(cluster), byScram)).toEqual({})
    cluster.removeUser('alice')
    expect(await exchange(await clientOf(cluster), byScram)).toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED' })
  })

  it.each<[string, (cluster: TestCluster) => void]>([
    ['removeUser: there is no user "eve"', (cluster) => cluster.removeUser('eve')],
    ['setUser: the password of "eve" must be', (cluster) => cluster.setUser('eve', '')],
    ['setUser: a user name is', (cluster) => cluster.setUser('e\0ve', 'x')],
    ['setSessionLifetime: expected milliseconds', (cluster) => cluster.setSessionLifetime(-1)],
  ])('%s: is an error', async (message, change) => {
    const cluster = await clusterOf()
    expect(() => change(cluster)).toThrow(message)
  })

  it('cannot be set where nobody logs in', async () => {
    const cluster = await clusterOf({ sasl: undefined })
    expect(() => cluster.setUser('eve', 'x')).toThrow('setUser: the cluster was started without sasl')
    expect(() => cluster.setSessionLifetime(1)).toThrow(OptionError)
  })
})

describe('sessions', () => {
  it('may be of any length that Kafka can say, and change', async () => {
    const cluster = await clusterOf({ sasl: { users: passwords, sessionLifetimeMs: 2n ** 63n - 1n } })
    expect(await logIn(await clientOf(cluster))).toMatchObject({ sessionLifetimeMs: 2n ** 63n - 1n })
    cluster.setSessionLifetime(1)
    expect(await logIn(await clientOf(cluster))).toMatchObject({ sessionLifetimeMs: 1n })
    cluster.setSessionLifetime(0)
    expect(await logIn(await clientOf(cluster))).toMatchObject({ sessionLifetimeMs: 0n })
  })

  it('are counted, by broker', async () => {
    const clock = new FakeClock()
    const cluster = await clusterOf({ clock, brokers: 2, sasl: { users: passwords, sessionLifetimeMs: 5000 } })
    const client = await clientOf(cluster, clock, 2)
    await logIn(client)
    for (let i = 0; i < 3; i++) {
      await clock.advance(1000)
      await logIn(client)
    }
    expect(await client.handshake('PLAIN')).toMatchObject({ errorCode: 34 })
    await clock.advance(5001)
    expect(await client.ask(metadata, 12, ALL)).toBe('closed')
    expect(cluster.loginStats(2)).toEqual({ logins: 1, reauthentications: 3, refused: 0, illegal: 1, expired: 1 })
    expect(cluster.loginStats(1)).toEqual(NOBODY)
    expect(cluster.loginStats()).toEqual(cluster.loginStats(2))
    expect(cluster.violations).toEqual(['broker 2: SaslHandshake within a second of the last, or without need'])
    expect(() => cluster.loginStats(3)).toThrow('there is no broker 3')
  })

  it('hold the requests in order: what was asked before the second login is answered before it', async () => {
    const cluster = await clusterOf({ sasl: { users: passwords, sessionLifetimeMs: 5000 } })
    const client = await clientOf(cluster)
    await logIn(client)
    client.write(produce, 9, writeTo('t', batchOf('a')))
    client.write(saslHandshake, 1, { mechanism: 'PLAIN' })
    expect((await client.frame()).length).toBeGreaterThan(40)
    const shaken = await client.frame()
    expect(shaken !== 'closed' && decodeResponseFrame(saslHandshake, 1, shaken)).toMatchObject({ errorCode: 0 })
    const again = await client.token(plainToken('alice', passwords.alice))
    expect([again !== 'closed' && again.errorCode, cluster.recordCount('t')]).toEqual([0, 1])
  })
})

describe('requests', () => {
  it('name who made them', async () => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    await client.versions()
    await logIn(client, 'bob')
    const written = await client.ask(produce, 9, writeTo('t', batchOf('a')))
    expect(written !== 'closed' && errorOf(written)).toBe(0)
    expect(cluster.requests.map(({ api, principal }) => [api, principal])).toEqual([
      ['ApiVersions', 'User:ANONYMOUS'],
      ['SaslHandshake', 'User:ANONYMOUS'],
      ['SaslAuthenticate', 'User:ANONYMOUS'],
      ['Produce', 'User:bob'],
    ])
  })

  it('have raw tokens among them, which have no version', async () => {
    const cluster = await clusterOf({ kafkaVersion: '0.11' })
    const client = await clientOf(cluster)
    await client.handshake('PLAIN', 0)
    await client.rawToken(plainToken('alice', passwords.alice))
    expect(cluster.requests[1]).toMatchObject({ api: 'SaslAuthenticate', version: -1, correlationId: -1 })
  })

  it('of any size are refused before the login', async () => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    client.socket.write(Buffer.from('00080001', 'hex'))
    await client.closed
    expect(cluster.violations[0]).toContain('a length of 524289 before the login, the limit is 524288')
  })

  it('may come all at once, in one piece with the login', async () => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    client.socket.write(
      Buffer.concat([
        frameOf(saslHandshake, 1, { mechanism: 'PLAIN' }),
        frameOf(saslAuthenticate, 2, { authBytes: Buffer.from(plainToken('alice', passwords.alice)) }),
        frameOf(produce, 9, writeTo('t', batchOf('a'))),
        frameOf(produce, 9, writeTo('t', batchOf('b'))).subarray(0, 20),
      ]),
    )
    for (let i = 0; i < 3; i++) expect((await client.frame()).length).toBeGreaterThan(10)
    client.socket.write(frameOf(produce, 9, writeTo('t', batchOf('b'))).subarray(20))
    await client.frame()
    expect(cluster.records('t').map(({ value }) => String(value))).toEqual(['a', 'b'])
  })

  it('after a login that was refused are not looked at', async () => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    await client.handshake('PLAIN')
    const tokens = ['wrong', passwords.alice].map((password) =>
      frameOf(saslAuthenticate, 2, { authBytes: Buffer.from(plainToken('alice', password)) }),
    )
    client.socket.write(Buffer.concat(tokens))
    const answer = await client.frame()
    expect(answer !== 'closed' && decodeResponseFrame(saslAuthenticate, 2, answer)).toMatchObject({ errorCode: 58 })
    expect(await client.frame()).toBe('closed')
    expect(cluster.requests.map(({ api }) => api)).toEqual(['SaslHandshake', 'SaslAuthenticate'])
    expect(cluster.loginStats()).toEqual({ ...NOBODY, refused: 1 })
  })

  it('arrive in whatever pieces, the login too', async () => {
    const cluster = await clusterOf({ kafkaVersion: '0.11' })
    const client = await clientOf(cluster)
    const token = plainToken('alice', passwords.alice)
    const bytes = Buffer.from(`0000000000${token.length.toString(16)}`.slice(-8), 'hex')
    await client.handshake('PLAIN', 0)
    for (const byte of Buffer.concat([bytes, Buffer.from(token)])) {
      client.socket.write(Buffer.of(byte))
      await turns(1)
    }
    expect(await client.frame()).toEqual(Buffer.alloc(0))
  })
})

describe('a client that guesses', () => {
  it('finds every byte of a SCRAM proof looked at', async () => {
    const cluster = await clusterOf()
    for (let at = 0; at < 32; at++) {
      const client = await clientOf(cluster)
      await client.handshake('SCRAM-SHA-256')
      const first = await client.token(`n,,n=alice,r=${CLIENT_NONCE}`)
      const serverFirst = first === 'closed' ? '' : Buffer.from(first.authBytes).toString()
      const [head = '', proof = ''] = scramFinal('sha256', 'alice', passwords.alice, serverFirst).split(',p=')
      const bytes = Buffer.from(proof, 'base64')
      bytes[at]! ^= 1
      expect(await client.token(`${head},p=${bytes.toString('base64')}`)).toMatchObject({ errorCode: 58 })
    }
    expect(cluster.loginStats()).toEqual({ ...NOBODY, refused: 32 })
  })

  it.each([
    ['another header at last', 'c=biws,', 'c=bixhPWJvYiw=,', 'another header'],
    ['a proof that is too short', /p=.*/, 'p=AAAA', 'a SCRAM proof of 3 bytes'],
    ['no proof', /,p=.*/, '', 'malformed'],
    ['a proof that is not base64', /p=./, 'p=!', 'malformed'],
  ])('is refused with %s, and it is a violation', async (_, what, instead, violation) => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    await client.handshake('SCRAM-SHA-256')
    const first = await client.token(`n,,n=alice,r=${CLIENT_NONCE}`)
    const serverFirst = first === 'closed' ? '' : Buffer.from(first.authBytes).toString()
    const final = scramFinal('sha256', 'alice', passwords.alice, serverFirst).replace(what, instead)
    expect(await client.token(final)).toMatchObject({ errorCode: 58 })
    expect(cluster.violations).toEqual([expect.stringContaining(violation)])
  })

  it('gets another salt for each mechanism and user, the same at each login, and a nonce that is new', async () => {
    const cluster = await clusterOf({ sasl: { users: passwords, iterations: 5000 } })
    const ask = async (mechanism: string, name: string) => {
      const client = await clientOf(cluster)
      await client.handshake(mechanism)
      const first = await client.token(`n,,n=${name},r=${CLIENT_NONCE}`)
      return first === 'closed' ? [] : Buffer.from(first.authBytes).toString().split(',')
    }
    const [a, again, b, c] = [
      await ask('SCRAM-SHA-256', 'alice'),
      await ask('SCRAM-SHA-256', 'alice'),
      await ask('SCRAM-SHA-512', 'alice'),
      await ask('SCRAM-SHA-256', 'bob'),
    ]
    expect(a[1]).toBe(again[1])
    expect(new Set([a[1], b[1], c[1]]).size).toBe(3)
    expect(a[0]).not.toBe(again[0])
    expect(a[2]).toBe('i=5000')
  })
})

describe('faults', () => {
  it('let the handshake fail', async () => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    cluster.fail({ api: 'SaslHandshake', error: 'UNSUPPORTED_SASL_MECHANISM' })
    expect(await client.handshake('PLAIN')).toMatchObject({ errorCode: 33 })
    await client.closed
    expect(cluster.loginStats().refused).toBe(1)
  })

  it('let a login fail with a text, the next one succeeds', async () => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    cluster.fail({ api: 'SaslAuthenticate', error: 'SASL_AUTHENTICATION_FAILED', errorMessage: 'not today' })
    expect(await logIn(client)).toMatchObject({ errorCode: 58, errorMessage: 'not today' })
    await client.closed
    expect(await logIn(await clientOf(cluster))).toMatchObject({ errorCode: 0 })
  })

  it('let the second step of SCRAM alone be silent', async () => {
    const cluster = await clusterOf({ clock: new FakeClock() })
    const client = await clientOf(cluster)
    const rule = cluster.fail({ api: 'SaslAuthenticate', after: 1, silent: true })
    void exchange(client, { mechanism: 'scram-sha-256', username: 'alice', password: passwords.alice })
    await until(() => rule.hits === 1, 'the second token')
    await turns(20)
    expect(client.received).toBe(0)
  })

  it.each(['ApiVersions', 'SaslHandshake', 'SaslAuthenticate'] as const)('delay the answer to %s', async (api) => {
    const clock = new FakeClock()
    const cluster = await clusterOf({ clock })
    const client = await clientOf(cluster)
    const rule = cluster.fail({ api, delayMs: 5000 })
    const done = client.versions().then(() => logIn(client))
    await until(() => rule.hits === 1, 'it is hit')
    await turns(20)
    expect([clock.pendingMs, client.received]).toEqual([[5000], 0])
    await clock.advance(5000)
    expect(await done).toMatchObject({ errorCode: 0 })
  })

  it.each(['SaslHandshake', 'SaslAuthenticate'] as const)(
    'hang up instead of, or after some bytes of %s',
    async (api) => {
      const cluster = await clusterOf()
      for (const effect of [{ closeBefore: true }, { closeAfterBytes: 5 }, { closeAfterBytes: 0 }]) {
        cluster.fail({ api, ...effect })
        const client = await clientOf(cluster)
        await logIn(client)
        await client.closed
        expect(client.received).toBe('closeAfterBytes' in effect ? effect.closeAfterBytes : 0)
      }
      expect(cluster.violations).toEqual([])
    },
  )

  it('put words into the mouth of the broker', async () => {
    const cluster = await clusterOf()
    const login = { mechanism: 'scram-sha-256', username: 'alice', password: passwords.alice } as const
    const tell = async (after: number, authBytes: string | ((said: Buffer) => string)) => {
      cluster.fail({ api: 'SaslAuthenticate', after, authBytes })
      return String(await exchange(await clientOf(cluster), login))
    }
    expect(await tell(1, 'e=invalid-proof')).toContain('the password is wrong (invalid-proof)')
    expect(await tell(0, (said) => said.toString().replace('i=4096', 'i=1'))).toContain('asks for 1 iterations')
    expect(await tell(1, (said) => said.toString().replace(/v=../, 'v=AA'))).toContain('could not prove')
    expect(cluster.violations).toEqual([])
  })

  it('hit raw tokens, too', async () => {
    const cluster = await clusterOf({ kafkaVersion: '0.11' })
    const login = async () => {
      const client = await clientOf(cluster)
      await client.handshake('PLAIN', 0)
      return client.rawToken(plainToken('alice', passwords.alice))
    }
    cluster.fail({ api: 'SaslAuthenticate', error: 58 })
    expect(await login()).toBe('closed')
    cluster.fail({ api: 'SaslAuthenticate', closeBefore: true })
    expect(await login()).toBe('closed')
    cluster.fail({ api: 'SaslAuthenticate', authBytes: 'hello', wrongCorrelationId: true })
    expect(String(await login())).toBe('hello')
    expect(await login()).toEqual(Buffer.alloc(0))
  })

  it('let nothing through a black hole before the login is done', async () => {
    const cluster = await clusterOf()
    cluster.blackHole(1)
    const client = await clientOf(cluster)
    const answer = client.versions()
    await turns(20)
    expect(client.received).toBe(0)
    cluster.blackHole(1, 'none')
    expect(await answer).toMatchObject({ errorCode: 0 })
  })
})

describe('kafkaVersion', () => {
  it.each(['0.10.0', '0.10.2', '0.11'] as const)('%s takes raw tokens only', async (kafkaVersion) => {
    const cluster = await clusterOf({ kafkaVersion })
    const client = await clientOf(cluster)
    await client.versions(0)
    expect(await client.handshake('PLAIN', 0)).toMatchObject({ errorCode: 0 })
    expect(await client.rawToken(plainToken('alice', passwords.alice))).toEqual(Buffer.alloc(0))
    const wrong = await clientOf(cluster)
    expect(await wrong.handshake('PLAIN', 1)).toBe('closed')
  })
})

describe('mechanisms', () => {
  it('are those that the cluster was started with', async () => {
    const cluster = await clusterOf({ sasl: { mechanisms: ['SCRAM-SHA-512'], users: passwords } })
    expect(await (await clientOf(cluster)).handshake('PLAIN')).toEqual({ errorCode: 33, mechanisms: ['SCRAM-SHA-512'] })
  })
})

describe('options of sasl', () => {
  it.each<[unknown, string]>([
    [{ users: { alice: '' } }, 'users: the password of "alice" must be'],
    [{ users: { alice: 12 } }, 'users: the password of "alice" must be'],
    [{ users: 'alice' }, 'users: expected an object'],
    [{ mechanisms: ['AWS_MSK_IAM'] }, 'expected a list of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER'],
    [{ mechanisms: [] }, 'expected a list of'],
    [{ sessionLifetimeMs: 1.5 }, 'sessionLifetimeMs: got 1.5, expected milliseconds'],
    [{ sessionLifetimeMs: 2n ** 63n }, 'expected milliseconds'],
    [{ verifyToken: 'me' }, 'verifyToken: got "me", expected a function'],
    [{ user: {} }, 'did you mean users?'],
    ['PLAIN', 'expected an options object, got "PLAIN"'],
  ])('%o: %s', async (sasl, message) => {
    await expect(TestCluster.start({ sasl } as TestClusterOptions)).rejects.toThrow(message)
  })
})
