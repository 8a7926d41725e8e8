import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { codecSources } from '../../src/compression/codec-sources.ts'
import { adviceForAdvertised } from '../../src/diagnose/advertised.ts'
import { diagnose, type DiagnosisStep } from '../../src/diagnose/diagnose.ts'
import { Visitor } from '../../src/diagnose/visitor.ts'
import { ConnectionError, OptionError, type ConnectionErrorCode, type ProducerOptions } from '../../src/index.ts'
import { resolveProducerOptions } from '../../src/producer/options.ts'
import { encodeResponseFrame } from '../../src/protocol/frame.ts'
import { apiVersions } from '../../src/protocol/messages/api-versions.ts'
import { metadata, type MetadataResponse } from '../../src/protocol/messages/metadata.ts'
import { TestCluster, type TestClusterOptions } from '../../src/testing/test-cluster.ts'
import { FakeClock, turns, until } from '../support/fake-clock.ts'
import { decentAnswer, framed, HostilePeer, NOTHING, type Script, type SeenRequest } from '../support/hostile-peer.ts'
import { canarySecret, expectNoSecret } from '../support/canary.ts'
import { failureOf, namesOf, stepsOf } from './steps.ts'

const PASSWORD = canarySecret('password of a diagnosis')
const WRONG_PASSWORD = canarySecret('wrong password of a diagnosis')
const SASL = { mechanism: 'scram-sha-256', username: 'alice', password: PASSWORD } as const
const closers: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function newCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const cluster = await TestCluster.start({ topics: { orders: 3 }, autoCreateTopics: true, ...options })
  closers.push(() => cluster.close())
  return cluster
}

async function newPeer(script?: Script): Promise<HostilePeer> {
  const peer = await HostilePeer.start(script)
  closers.push(() => peer.close())
  return peer
}

const first = ({ bootstrap }: TestCluster): string => bootstrap.split(',')[0]!

type MetadataBody = Parameters<typeof encodeResponseFrame<typeof metadata>>[3]

/** A broker that says of the cluster what a test wants. */
function telling(body: (request: SeenRequest, peer: HostilePeer) => MetadataBody): Script {
  return (request, _socket, peer) => {
    if (request.api !== 'Metadata') return null
    const frame = encodeResponseFrame(metadata, request.version, request.correlationId, body(request, peer))
    return Buffer.concat(frame.chunks)
  }
}

type Topic = Partial<MetadataResponse['topics'][number]>

/** A cluster of this broker alone, whose topic `t` is like this. */
function tellingOf(topic: Topic, others: Partial<MetadataResponse> = {}): Script {
  return telling((_request, { port }) => {
    const partition = { errorCode: 0, partitionIndex: 0, leaderId: 1, replicaNodes: [1], isrNodes: [1] }
    const topics = [{ errorCode: 0, name: 't', partitions: [partition], ...topic }]
    return { brokers: [{ nodeId: 1, host: '127.0.0.1', port }], topics, ...others }
  })
}

/** ApiVersions with these ranges. */
function listing(ranges: Readonly<Record<number, readonly [number, number]>>, then: Script = () => null): Script {
  const apiKeys = Object.entries(ranges).map(([key, [minVersion, maxVersion]]) => {
    return { apiKey: Number(key), minVersion, maxVersion }
  })
  return (request, socket, peer) => {
    if (request.api !== 'ApiVersions') return then(request, socket, peer)
    const frame = encodeResponseFrame(apiVersions, request.version, request.correlationId, { errorCode: 0, apiKeys })
    return Buffer.concat(frame.chunks)
  }
}

describe('diagnose, where all is well', () => {
  it('tells each step of the way, in its order', async () => {
    const cluster = await newCluster({ brokers: 2, sasl: { users: { alice: PASSWORD }, sessionLifetimeMs: 90_000 } })
    const steps = await stepsOf({ brokers: first(cluster), sasl: SASL }, 'orders')
    const [one, two] = cluster.bootstrap.split(',')
    const way = ['resolve', 'tcp', 'api-versions', 'sasl', 'metadata']
    expect(namesOf(steps)).toEqual([...way, `broker 2 at ${two}`, 'topic', 'authorization'])
    expect(steps.map(({ message }) => message)).toEqual([
      `${one}: it is an address, there is no name to resolve`,
      `${one}: 127.0.0.1 takes connections`,
      `${one}: the broker answers, with 6 APIs: most likely Kafka 4.1 or newer`,
      `${one}: SCRAM-SHA-256, user "alice": the broker takes the login, for 90 s, then it is repeated`,
      expect.stringMatching(
        new RegExp(`^${one}: cluster "\\S+" of 2 brokers: 1 at ${one}, 2 at ${two}; controller 1$`),
      ),
      'broker 2 can be reached at the address that it advertises, and takes us',
      'topic "orders" has 3 partitions, each with a leader',
      'the broker does not say whether we may write; the first record will tell',
    ])
    expectNoSecret(steps)
  })

  it('looks at every bootstrap address, and at no broker twice', async () => {
    const cluster = await newCluster({ brokers: 2 })
    const steps = await stepsOf({ brokers: cluster.bootstrap })
    const way = ['resolve', 'tcp', 'api-versions']
    expect(namesOf(steps)).toEqual([...way, ...way, 'metadata'])
  })

  it('goes on with the addresses that can be used', async () => {
    const cluster = await newCluster()
    const steps = await stepsOf({ brokers: `127.0.0.1:1,${first(cluster)}` }, 'orders')
    const way = ['resolve', 'tcp', 'api-versions', 'metadata', 'topic', 'authorization']
    expect(namesOf(steps)).toEqual(['resolve', 'tcp FAILED', ...way])
  })

  it('writes nothing and creates nothing, whatever the version', async () => {
    for (const kafkaVersion of ['4.3', '2.8', '0.11', '0.10.2', '0.10.0'] as const) {
      const cluster = await newCluster({ kafkaVersion, topics: {} })
      // A topic that the first question had made would be there for the second one.
      for (let i = 0; i < 2; i++) {
        const { code } = await failureOf({ brokers: first(cluster) }, 'orders')
        expect(code).toBe('UNKNOWN_TOPIC_OR_PARTITION')
      }
    }
  })

  it('names the addresses of a name', async () => {
    const cluster = await newCluster()
    const [resolve] = await stepsOf({ brokers: first(cluster).replace('127.0.0.1', 'localhost') })
    expect(resolve?.message).toMatch(/^localhost:\d+: localhost is (::1, )?127\.0\.0\.1/)
  })

  it('goes the way of the hooks that a producer would go', async () => {
    const cluster = await newCluster()
    const [, port] = first(cluster).split(':')
    const mapAddress = (): { host: string; port: number } => ({ host: '127.0.0.1', port: Number(port) })
    const steps = await stepsOf({ brokers: 'kafka.invalid:9092', mapAddress })
    expect(steps[0]).toMatchObject({ ok: true, message: 'kafka.invalid:9092: where mapAddress leads is 127.0.0.1' })
    expect(steps.filter(({ ok }) => !ok)).toEqual([])
    const connectGuard = (): void => {
      throw new Error('not from here')
    }
    const refusal = await failureOf({ brokers: first(cluster), connectGuard })
    expect(refusal).toMatchObject({
      step: 'tcp',
      code: 'CONNECTION_FAILED',
      message: `${first(cluster)}: not from here`,
    })
  })

  it('says of each step how long that took, and not of those before it', async () => {
    const clock = new FakeClock()
    let answer = (): void => undefined
    const peer = await newPeer((request, socket, self) => {
      if (request.api !== 'ApiVersions') return null
      answer = () => void socket.write(decentAnswer(request, self.port))
      return NOTHING
    })
    const createSocket = async (): Promise<Socket> => {
      await new Promise<void>((resolve) => clock.after(50, resolve))
      return connect(peer.port, '127.0.0.1')
    }
    const found = stepsOf({ brokers: peer.address, createSocket }, undefined, clock)
    await until(() => clock.pendingMs.includes(50), 'it dials')
    await clock.advance(50)
    await until(() => peer.requests.length === 1, 'it asks')
    await clock.advance(20)
    answer()
    expect((await found).map(({ step, ms }) => [step, ms])).toEqual([
      ['tcp', 50],
      ['api-versions', 20],
      ['metadata', 0],
    ])
  })

  it('asks the function for the brokers, and tells what is wrong with it', async () => {
    const cluster = await newCluster()
    expect(namesOf(await stepsOf({ brokers: () => Promise.resolve(first(cluster)) }))).toContain('metadata')
    const failing = { brokers: () => Promise.reject(new Error('consul is away')) }
    const failure = await failureOf(failing)
    expect(failure).toMatchObject({ step: 'brokers', code: 'BOOTSTRAP_FAILED' })
    expect(failure.message).toBe('the brokers function failed: consul is away')
    const silly = await failureOf({ brokers: () => Promise.resolve('kafka') })
    expect(silly).toMatchObject({ step: 'brokers', code: 'INVALID_OPTIONS' })
    expect(silly.message).toContain('"kafka" has no port')
  })
})

describe('diagnose, before it begins', () => {
  const firstOf = (options: unknown, target?: unknown): Promise<unknown> => {
    const steps = diagnose(options as ProducerOptions, target as { topic: string })
    return steps[Symbol.asyncIterator]().next()
  }

  it.each([
    ['an unknown option', { brokerz: 'x' }, 'did you mean brokers?'],
    ['a codec that is not there', { brokers: 'a:1', compression: { codec: 'none-such' } }, 'compression'],
  ])('throws what a Producer throws for %s', async (_, options, words) => {
    await expect(firstOf(options)).rejects.toThrow(OptionError)
    await expect(firstOf(options)).rejects.toThrow(words)
  })

  it('throws what a Producer throws for a codec whose package is missing', async () => {
    const missing = Object.assign(new Error("Cannot find module 'lz4-napi'"), { code: 'MODULE_NOT_FOUND' })
    vi.spyOn(codecSources, 'requirePackage').mockImplementation(() => {
      throw missing
    })
    const options = { brokers: '127.0.0.1:1', compression: 'lz4' }
    await expect(firstOf(options)).rejects.toMatchObject({ name: 'OptionError', code: 'CODEC_UNAVAILABLE' })
    vi.restoreAllMocks()
  })

  it.each([[''], [7], [null]])('refuses the topic %j', async (topic) => {
    await expect(firstOf({ brokers: 'a:1' }, { topic })).rejects.toThrow(/diagnose: INVALID_ARGUMENT: topic: got/)
  })
})

describe('diagnose, on the way to a broker', () => {
  it('tells a port on which nothing listens', async () => {
    const failure = await failureOf({ brokers: '127.0.0.1:1' })
    expect(failure).toMatchObject({ step: 'tcp', code: 'CONNECTION_REFUSED' })
    expect(failure.message).toBe(
      '127.0.0.1:1: connection refused (ECONNREFUSED): nothing listens there. Is the broker running, is this the port of ' +
        'one of its listeners, and does that listen on this address, and not on localhost only?',
    )
  })

  it('tells a name that nobody knows', async () => {
    const failure = await failureOf({ brokers: 'no-such-broker.invalid:9092' })
    expect(failure).toMatchObject({ step: 'resolve', code: 'HOST_NOT_FOUND' })
    expect(failure.message).toContain('"no-such-broker.invalid" could not be resolved')
    expect(failure.message).toContain("does this machine's DNS know it?")
  })

  it('tells a port that speaks HTTP', async () => {
    const server = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const brokers = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const failure = await failureOf({ brokers })
    server.close()
    expect(failure).toMatchObject({ step: 'api-versions', code: 'PEER_SPEAKS_HTTP' })
    expect(failure.message).toMatch(/: this port answers HTTP, not Kafka\. Use the port of a Kafka listener/)
  })

  it('tells TLS to a plaintext port', async () => {
    const cluster = await newCluster()
    const failure = await failureOf({ brokers: first(cluster), tls: true })
    expect(failure).toMatchObject({ step: 'tls', code: 'PEER_NOT_TLS' })
    expect(failure.message).toContain('is this a plaintext listener? Leave out tls')
  })

  it('tells a peer that talks something else', async () => {
    const peer = await newPeer(() => Buffer.from('SSH-2.0-OpenSSH_9.6\r\n'))
    const failure = await failureOf({ brokers: peer.address })
    expect(failure.step).toBe('api-versions')
    expect(failure.message).toContain('not the Kafka protocol: is this the port of another service?')
  })

  it('tells a peer that says nothing, at the deadline and not later', async () => {
    const peer = await newPeer(() => NOTHING)
    const clock = new FakeClock()
    const found = stepsOf({ brokers: peer.address, connectTimeoutMs: 3000 }, undefined, clock)
    await until(() => peer.requests.length === 1, 'it asks')
    await clock.advance(3000)
    const failure = (await found).at(-1)
    expect(failure).toMatchObject({ step: 'api-versions', ok: false, ms: 3000, code: 'CONNECT_TIMEOUT' })
    expect(failure?.message).toContain('no answer to ApiVersions within connectTimeoutMs (3000 ms)')
    expect(failure?.message).toContain('load balancer has no broker behind it')
    expect(clock.pendingMs).toEqual([])
  })

  it('tells a broker that stops answering, at the deadline for one question', async () => {
    const peer = await newPeer((request) => (request.api === 'Metadata' ? NOTHING : null))
    const clock = new FakeClock()
    const found = stepsOf({ brokers: peer.address, requestTimeoutMs: 700 }, undefined, clock)
    await until(() => peer.requests.length === 2, 'it asks for metadata')
    await clock.advance(700)
    expect((await found).at(-1)).toMatchObject({ step: 'metadata', ok: false, ms: 700, code: 'REQUEST_TIMEOUT' })
  })

  it('tells nothing twice of a broker that is asked again in an older version', async () => {
    const peer = await newPeer((request, socket) => {
      if (request.api !== 'ApiVersions' || request.version < 4) return null
      socket.destroy()
      return NOTHING
    })
    expect(namesOf(await stepsOf({ brokers: peer.address }))).toEqual(['resolve', 'tcp', 'api-versions', 'metadata'])
    expect(peer.connections).toBe(2)
  })

  it('tells a controller, which is no broker', async () => {
    const peer = await newPeer(listing({ 1: [0, 18], 18: [0, 4], 52: [0, 2] }))
    const failure = await failureOf({ brokers: peer.address })
    expect(failure).toMatchObject({ step: 'api-versions', code: 'UNSUPPORTED_VERSION' })
    expect(failure.message).toContain('Is it the port of a controller? Use that of a broker.')
  })

  it('tells a listener that wants a login from one that has not said who it is', async () => {
    const cluster = await newCluster({ sasl: { users: {} } })
    const failure = await failureOf({ brokers: first(cluster) })
    expect(failure).toMatchObject({ step: 'sasl', code: 'CONNECTION_CLOSED' })
    expect(failure.message).toContain('does this listener want SASL? If it does, set sasl')
  })

  it('tells a wrong password, and never the password', async () => {
    const cluster = await newCluster({ sasl: { users: { alice: PASSWORD } } })
    for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
      const sasl = { mechanism, username: 'alice', password: WRONG_PASSWORD }
      const failure = await failureOf({ brokers: first(cluster), sasl })
      expect(failure).toMatchObject({ step: 'sasl', code: 'SASL_AUTHENTICATION_FAILED' })
      expect(failure.message).toContain(`${mechanism.toUpperCase()}, user "alice": the broker says: `)
      expect(failure.message).toMatch(
        mechanism === 'plain'
          ? /\. Check user name and password\.$/
          : /A SCRAM user must exist for this very mechanism/,
      )
      expectNoSecret(failure)
    }
  })

  it('tells a mechanism that the broker does not have, and those that it has', async () => {
    const cluster = await newCluster({ sasl: { users: {}, mechanisms: ['PLAIN', 'OAUTHBEARER'] } })
    const failure = await failureOf({ brokers: first(cluster), sasl: SASL })
    expect(failure).toMatchObject({ step: 'sasl', code: 'UNSUPPORTED_SASL_MECHANISM' })
    expect(failure.message).toContain(
      'does not have SCRAM-SHA-256 on this listener; it has PLAIN, OAUTHBEARER. Set sasl.',
    )
  })
})

describe('diagnose, of the cluster', () => {
  it('understands brokers that a producer understands: those that have the newest Metadata wrong', async () => {
    const peer = await newPeer((request) => {
      return request.api === 'Metadata' && request.version > 8 ? framed(request.correlationId, 'ff'.repeat(20)) : null
    })
    const steps = await stepsOf({ brokers: peer.address }, 't')
    const way = ['resolve', 'tcp', 'api-versions', 'metadata', 'topic', 'authorization']
    expect(namesOf(steps)).toEqual(way)
    expect(peer.requests.filter(({ api }) => api === 'Metadata').map(({ version }) => version)).toEqual([13, 8, 8, 8])
  })

  it('tells an answer about the cluster that makes no sense', async () => {
    const peer = await newPeer((request) => {
      return request.api === 'Metadata' ? framed(request.correlationId, 'ff'.repeat(20)) : null
    })
    const { step, code } = await failureOf({ brokers: peer.address })
    expect([step, code]).toEqual(['metadata', 'INVALID_VALUE'])
  })

  it('tells a cluster without brokers', async () => {
    const peer = await newPeer(telling(() => ({ brokers: [], topics: [] })))
    const failure = await failureOf({ brokers: peer.address })
    expect(failure).toMatchObject({ step: 'metadata', code: 'INVALID_VALUE' })
    expect(failure.message).toContain('the answer names no broker: the broker is just starting')
  })

  it('tells two clusters among the bootstrap addresses', async () => {
    const [one, other] = [await newCluster({ clusterId: 'one' }), await newCluster({ clusterId: 'other' })]
    const steps = await stepsOf({ brokers: `${first(one)},${first(other)}` }, 'orders')
    const failure = steps.find(({ ok }) => !ok)
    expect(failure).toMatchObject({ step: 'metadata', code: 'CLUSTER_MISMATCH' })
    expect(failure?.message).toContain(`${first(other)}: it belongs to the cluster "other", and ${first(one)} to "one"`)
    expect(namesOf(steps).slice(-2)).toEqual(['topic', 'authorization'])
  })

  it('tells an advertised address where nothing listens', async () => {
    const brokers = [{ nodeId: 7, host: '127.0.0.1', port: 1 }]
    const peer = await newPeer(telling(() => ({ brokers, topics: [] })))
    const failure = await failureOf({ brokers: peer.address })
    expect(failure).toMatchObject({ step: 'broker 7 at 127.0.0.1:1', code: 'CONNECTION_REFUSED' })
    expect(failure.message).toBe(
      'broker 7 calls itself 127.0.0.1:1 (its advertised.listeners), and records for its partitions go there. That failed: ' +
        'connection refused (ECONNREFUSED): nothing listens there. If broker 7 is running, set advertised.listeners of ' +
        'broker 7 to a host and port that this machine can reach: mind port mappings of containers, firewalls and private networks.',
    )
  })

  it('tells a name that only containers know', async () => {
    const brokers = [{ nodeId: 1, host: 'kafka_headrace_7', port: 9092 }]
    const peer = await newPeer(telling(() => ({ brokers, topics: [] })))
    const failure = await failureOf({ brokers: peer.address })
    expect(failure).toMatchObject({ step: 'broker 1 at kafka_headrace_7:9092', code: 'HOST_NOT_FOUND' })
    expect(failure.message).toContain('the name of a container or pod, which is known only inside of its own network')
  })

  it('tries dead brokers at the same time, and tells them in order', async () => {
    const silent = [await newPeer(() => NOTHING), await newPeer(() => NOTHING), await newPeer(() => NOTHING)]
    const brokers = silent.map(({ port }, i) => ({ nodeId: 3 - i, host: '127.0.0.1', port }))
    const peer = await newPeer(telling(() => ({ brokers, topics: [] })))
    const clock = new FakeClock()
    const found = stepsOf({ brokers: peer.address, connectTimeoutMs: 5000 }, undefined, clock)
    await until(() => silent.every(({ requests }) => requests.length === 1), 'all are asked')
    await clock.advance(5000)
    const failures = (await found).filter(({ ok }) => !ok)
    expect(failures.map(({ step }) => step.slice(0, 8))).toEqual(['broker 1', 'broker 2', 'broker 3'])
    expect(failures.map(({ ms, code }) => [ms, code])).toEqual(Array(3).fill([5000, 'CONNECT_TIMEOUT']))
  })

  it('shows nothing of a broker as it is that could mislead a terminal', async () => {
    const brokers = [{ nodeId: 1, host: 'a\u001b[2Jb\n', port: 1 }]
    const peer = await newPeer(telling(() => ({ brokers, topics: [], clusterId: 'x\u0007y' })))
    const steps = await stepsOf({ brokers: peer.address })
    expect(steps).toHaveLength(5)
    expect(steps.flatMap(({ step, message }) => [step, message]).join('')).not.toMatch(/\p{C}/u)
  })
})

describe('what to change where a broker advertises an address that leads nowhere', () => {
  const failing = (code: ConnectionErrorCode): ConnectionError => new ConnectionError(code, `a:1: ${code}: it failed`)
  const bootstrap = { host: 'kafka.example', port: 9092 }
  const broker = { nodeId: 4, host: 'localhost', port: 9092 }

  it.each(['localhost', '127.0.0.1', '::1', 'a.localhost'])(
    'is %s, which is another machine for its clients',
    (host) => {
      const from = { bootstrap, remoteAddress: '10.1.2.3' }
      expect(adviceForAdvertised(failing('CONNECTION_REFUSED'), 'tcp', { ...broker, host }, from)).toBe(
        `${host} is this machine, and the broker is another one: set advertised.listeners of broker 4 to a name that its clients can reach, such as kafka.example.`,
      )
    },
  )

  it('is asked about even where something answers', async () => {
    const cluster = await newCluster({ brokers: 2, host: 'localhost' })
    const [one, two] = cluster.bootstrap.split(',')
    const remote = { value: '10.1.2.3' }
    const createSocket = async ({ nodeId, host, port }: { nodeId: number | null; host: string; port: number }) => {
      const socket = connect(nodeId === null ? Number(one?.split(':')[1]) : port, 'localhost')
      await once(socket, 'connect')
      return host === 'localhost' ? socket : Object.defineProperty(socket, 'remoteAddress', remote)
    }
    const steps = await stepsOf({ brokers: 'kafka.example:9092', createSocket })
    expect(namesOf(steps)).toEqual(['tcp', 'api-versions', 'metadata', `broker 1 at ${one}`, `broker 2 at ${two}`])
    expect(steps.at(-1)?.message).toBe(
      'broker 2 can be reached at the address that it advertises, and takes us. But localhost is this machine, and kafka.example is another one: is that the same broker?',
    )
  })

  it('is this machine for those who are on it', () => {
    const from = { bootstrap, remoteAddress: '127.0.0.1' }
    const advice = adviceForAdvertised(failing('CONNECTION_REFUSED'), 'tcp', broker, from)
    expect(advice).toMatch(/^If broker 4 is running, set advertised.listeners/)
  })

  it('is a full name that is not known here', () => {
    const away = { ...broker, host: 'b-4.internal.example' }
    const from = { bootstrap, remoteAddress: '10.1.2.3' }
    const advice = adviceForAdvertised(failing('HOST_NOT_FOUND'), 'resolve', away, from)
    expect(advice).toMatch(/^Set advertised.listeners of broker 4 to a name that this machine can resolve, or make/)
  })

  it('is nothing, where the address is right and the login is not', () => {
    const from = { bootstrap, remoteAddress: '10.1.2.3' }
    const away = { ...broker, host: 'b-4.internal.example' }
    expect(adviceForAdvertised(failing('PEER_NOT_TLS'), 'tls', away, from)).toBeNull()
  })
})

describe('diagnose, of a topic', () => {
  it('tells one that is missing, and what was meant', async () => {
    const cluster = await newCluster({ topics: { orders: 1, payments: 1 } })
    const failure = await failureOf({ brokers: first(cluster), allowAutoTopicCreation: false }, 'ordesr')
    expect(failure).toMatchObject({ step: 'topic', code: 'UNKNOWN_TOPIC_OR_PARTITION' })
    expect(failure.message).toBe(
      'the cluster has no topic "ordesr"; did you mean "orders"? Check the spelling, or create it: kafka-topics.sh --create --topic ordesr --partitions ...',
    )
    const creating = await failureOf({ brokers: first(cluster) }, 'no-such-thing-at-all')
    expect(creating.message).toMatch(
      /^the cluster has no topic "no-such-thing-at-all"\. Check .* auto\.create\.topics\.enable\.$/,
    )
  })

  it('tells a name that cannot be a topic', async () => {
    const cluster = await newCluster()
    const failure = await failureOf({ brokers: first(cluster) }, 'a topic?')
    expect(failure).toMatchObject({ step: 'topic', code: 'INVALID_TOPIC_EXCEPTION' })
  })

  it('tells partitions without a leader', async () => {
    const cluster = await newCluster({ brokers: 2, topics: { orders: 4 } })
    await cluster.stopBroker(2)
    const failures = (await stepsOf({ brokers: first(cluster) }, 'orders')).filter(({ ok }) => !ok)
    expect(failures).toHaveLength(1)
    expect(failures[0]).toMatchObject({ step: 'topic', code: 'LEADER_NOT_AVAILABLE' })
    expect(failures[0]?.message).toContain(
      '2 of 4 partitions have no leader now (1, 3), and nothing can be written to them.',
    )
  })

  it('tells replicas that are behind, which is no failure', async () => {
    const cluster = await newCluster({ brokers: 2, topics: { orders: { partitions: 2, replicationFactor: 2 } } })
    await cluster.stopBroker(2)
    const topic = (await stepsOf({ brokers: first(cluster) }, 'orders')).find(({ step }) => step === 'topic')
    const message = 'topic "orders" has 2 partitions, each with a leader; 2 of them with replicas that are not in sync'
    expect(topic).toMatchObject({ ok: true, message })
  })

  it("tells one of Kafka's own", async () => {
    const peer = await newPeer(tellingOf({ isInternal: true }))
    const failure = await failureOf({ brokers: peer.address }, 't')
    expect(failure).toMatchObject({ step: 'topic', code: 'INVALID_TOPIC_EXCEPTION' })
    expect(failure.message).toContain('topic "t" is one of Kafka\'s own')
  })
})

describe('diagnose, of what we may do', () => {
  const of = (...operations: number[]): number => operations.reduce((bits, operation) => bits | (1 << operation), 0)
  const [READ, WRITE, DESCRIBE, IDEMPOTENT_WRITE] = [3, 4, 8, 12] as const

  it('tells that we may write', async () => {
    const peer = await newPeer(tellingOf({ topicAuthorizedOperations: of(WRITE, DESCRIBE) }))
    const last = (await stepsOf({ brokers: peer.address }, 't')).at(-1)
    const message = 'whoever does not log in (User:ANONYMOUS) may write to topic "t"'
    expect(last).toMatchObject({ step: 'authorization', ok: true, message })
  })

  it('tells that we may not', async () => {
    const peer = await newPeer(tellingOf({ topicAuthorizedOperations: of(READ, DESCRIBE) }))
    const failure = await failureOf({ brokers: peer.address }, 't')
    expect(failure).toMatchObject({ step: 'authorization', code: 'TOPIC_AUTHORIZATION_FAILED' })
    expect(failure.message).toBe(
      'whoever does not log in (User:ANONYMOUS) may not write to topic "t": all it may do is READ, DESCRIBE. ' +
        'Give it WRITE: kafka-acls.sh --add --allow-principal User:ANONYMOUS --producer --topic t',
    )
  })

  it('tells that we may not even see it', async () => {
    const peer = await newPeer(tellingOf({ errorCode: 29, partitions: [] }))
    const failure = await failureOf({ brokers: peer.address }, 't')
    expect(failure).toMatchObject({ step: 'authorization', code: 'TOPIC_AUTHORIZATION_FAILED' })
    expect(failure.message).toContain('it has no right on it, not even to see whether it is there')
  })

  it('says when a broker is too old to tell', async () => {
    const cluster = await newCluster({ kafkaVersion: '1.1' })
    const last = (await stepsOf({ brokers: first(cluster) }, 'orders')).at(-1)
    expect(last).toMatchObject({ step: 'authorization', ok: true })
    expect(last?.message).toContain('too old to say whether we may write (before Kafka 2.3)')
  })

  describe('of an older Kafka, for which idempotence is a right of its own', () => {
    const rights = (clusterAuthorizedOperations: number, produceMax = 8): Script =>
      listing(
        { 0: [0, produceMax], 3: [0, 9], 18: [0, 3] },
        tellingOf({ topicAuthorizedOperations: of(WRITE) }, { clusterAuthorizedOperations }),
      )
    const judged = async (
      script: Script,
      options: Partial<ProducerOptions> = {},
    ): Promise<DiagnosisStep | undefined> => {
      const peer = await newPeer(script)
      return (await stepsOf({ brokers: peer.address, ...options }, 't')).at(-1)
    }

    it('tells that it is missing: a warning, or a failure where it is asked for', async () => {
      const code = 'CLUSTER_AUTHORIZATION_FAILED'
      const warned = await judged(rights(of(DESCRIBE)))
      expect(warned).toMatchObject({ step: 'authorization', ok: true, code })
      expect(warned?.message).toContain('but not idempotently: a producer goes on without. Give it IDEMPOTENT_WRITE')
      expect(await judged(rights(of(DESCRIBE)), { idempotent: true })).toMatchObject({ ok: false, code })
    })

    it.each([
      ['it is there', rights(of(DESCRIBE, IDEMPOTENT_WRITE)), {}],
      ['the cluster does not let us see', rights(0), { idempotent: true }],
      ['it is not wanted', rights(of(DESCRIBE)), { idempotent: false }],
      ['WRITE is enough (KIP-679)', rights(of(DESCRIBE), 9), { idempotent: true }],
    ])('is content where %s', async (_, script, options) => {
      const step = await judged(script, options)
      expect(step).toMatchObject({ step: 'authorization', ok: true })
      expect(step).not.toHaveProperty('code')
    })
  })
})

describe('diagnose, when nobody listens any more', () => {
  it.each([1, 2, 3, 4])('closes everything when the reader leaves after step %i', async (count) => {
    const peer = await newPeer()
    let seen = 0
    for await (const step of diagnose({ brokers: peer.address })) {
      expect(step.ok).toBe(true)
      if (++seen === count) break
    }
    expect(seen).toBe(count)
    await until(() => peer.openSockets === 0, 'no socket is left')
    await turns(5)
    expect(peer.openSockets).toBe(0)
  })

  it('closes everything at its end', async () => {
    const peer = await newPeer(tellingOf({}))
    await stepsOf({ brokers: peer.address }, 't')
    await until(() => peer.openSockets === 0, 'no socket is left')
  })

  it('opens nothing any more', async () => {
    const peer = await newPeer()
    const visitor = new Visitor(resolveProducerOptions({ brokers: peer.address }), null, systemClock)
    visitor.close()
    await expect(visitor.open({ host: '127.0.0.1', port: peer.port }, null, {})).rejects.toThrow()
    expect(peer.connections).toBe(0)
  })

  it('leaves no timer behind in the middle of a login', async () => {
    const clock = new FakeClock()
    const peer = await newPeer((request) => (request.api === 'SaslHandshake' ? NOTHING : null))
    const steps = diagnose({ brokers: peer.address }, {}, clock)[Symbol.asyncIterator]()
    expect(await steps.next()).toMatchObject({ value: { step: 'resolve' } })
    await steps.return?.()
    expect(await steps.next()).toEqual({ done: true, value: undefined })
    await until(() => peer.openSockets === 0 && clock.pendingMs.length === 0, 'nothing is left')
  })
})
