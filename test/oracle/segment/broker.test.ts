import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { startCluster, type RealCluster } from '../../support/kafka/cluster.ts'
import { createTopic, readTopic, type ReadRecord } from '../../support/kafka/readers.ts'
import { describeBrokers } from '../../support/kafka/require-brokers.ts'
import { arbitraryFields } from './arbitrary-fields.ts'
import { closeOurs, errorOf, fixtures, ours, theirs, theirsAlone } from './both-sides.ts'
import { MappingProbe, type Message } from './compare-mapping.ts'
import { differencesOf, type DifferenceId } from './differences.ts'
import { disconnectTheirs, segmentAvailable } from './segment-code.ts'

const SEED = 20_261_121
const MAPPINGS = 50
const PARTITIONS = 3

let cluster: RealCluster
let settings: Record<string, unknown>
let lastTopic = 0

async function newTopic(name = `t-${++lastTopic}`, partitions = PARTITIONS): Promise<string> {
  await createTopic({ ...cluster.at, topic: name, partitions, replicationFactor: 1 })
  return name
}

function read(topic: string): Promise<ReadRecord[]> {
  return readTopic({ ...cluster.at, topic })
}

async function values(topic: string): Promise<string[]> {
  return (await read(topic)).map(({ value }) => String(value))
}

/** A record without what the broker adds. */
function shown({ partition, key, value, headers }: ReadRecord, isPlaced: boolean): string {
  const hex = headers.map(([name, text]) => [name, text?.toString('hex') ?? null])
  return JSON.stringify([isPlaced ? partition : '-', key?.toString('hex') ?? null, value?.toString('hex'), hex])
}

const payload = { '@path': '$.' }
const pathTo = (name: string): object => ({ '@path': `$.${name}` })

if (segmentAvailable.ok) {
  describeBrokers("seg-S7, seg-S8, seg-S10, seg-S11: beside Segment's own code, on Kafka 4.3.1", () => {
    beforeAll(async () => {
      cluster = await startCluster({ version: '4.3.1', nodes: 1, security: true })
      const username = 'alice'
      settings = {
        ...{ clientId: 'c', brokers: cluster.listeners.saslSsl, mechanism: 'scram-sha-512', ssl_enabled: true },
        ...{ username, password: cluster.users[username], ssl_ca: bare(file('ca')), ssl_reject_unauthorized_ca: true },
      }
    })
    afterEach(closeOurs)
    afterAll(async () => {
      await disconnectTheirs()
      await cluster.close()
    })

    it('every fixture under generated mappings: the same topic, partition, key, headers and value, byte for byte', async () => {
      const events = fixtures()
      const types = [...new Set(events.map(({ type }) => (typeof type === 'string' ? type : '')))]
      const sides = [
        ['u', theirs],
        ['o', ours],
      ] as const
      for (const [side] of sides) {
        for (const type of [...types, 'free']) await newTopic(`${side}-${type}`)
      }
      const probe = new MappingProbe()
      let sent = 0
      for (const mapping of fc.sample(arbitraryFields, { seed: SEED, numRuns: MAPPINGS })) {
        const messages: Message[] = []
        for (const event of events) {
          const outcome = await probe.outcome(mapping, event, true)
          if (outcome.kind === 'sent') messages.push(outcome.message)
        }
        sent += messages.length
        // Without key and partition any partition is right; with, they come in the same order, too.
        const isPlaced = messages.every(({ key, partition }) => key !== null || partition !== null)
        const statuses: unknown[] = []
        for (const [side, send] of sides) {
          const topic = isPlaced ? { '@template': `${side}-{{type}}` } : `${side}-free`
          const results = await send({ settings, mapping: { ...mapping, topic }, events })
          statuses.push(results.map(({ status }) => status))
        }
        expect(statuses[1]).toEqual(statuses[0])
      }
      expect(sent).toBeGreaterThan(250)
      let compared = 0
      for (const type of [...types, 'free']) {
        const isPlaced = type !== 'free'
        const [upstream = [], own = []] = await Promise.all(sides.map(([side]) => read(`${side}-${type}`)))
        expect(own.length, type).toBe(upstream.length)
        const list = (records: readonly ReadRecord[]): string[] => {
          const all = records.map((record) => shown(record, isPlaced))
          return isPlaced ? all : all.sort()
        }
        expect(list(byPartition(own)), type).toEqual(list(byPartition(upstream)))
        compared += own.length
      }
      expect(compared).toBeGreaterThan(250)
    })

    it('seg-S10: keys go where Segment has them, over twelve partitions', async () => {
      const events = ['user1234', '97980cfea0067', '019mr8mf4r', '', '42', 'é', '日本語', 'a'.repeat(1000)]
        .concat(Array.from({ length: 200 }, (_, i) => `key-${i}`))
        .map((id) => ({ type: 'track', id }))
      const [upstream, own] = [await newTopic(undefined, 12), await newTopic(undefined, 12)]
      const mapping = { payload, key: pathTo('id') }
      await theirs({ settings, mapping: { ...mapping, topic: upstream }, events })
      await ours({ settings, mapping: { ...mapping, topic: own }, events })
      const list = async (topic: string): Promise<string[]> =>
        byPartition(await read(topic)).map((one) => shown(one, true))
      expect(await list(own)).toEqual(await list(upstream))
    })

    it('events without key and partition take turns on both sides', async () => {
      const [upstream, own] = [await newTopic(), await newTopic()]
      const events = Array.from({ length: 30 }, (_, n) => ({ type: 'track', n }))
      await theirs({ settings, mapping: { topic: upstream, payload }, events })
      await ours({ settings, mapping: { topic: own, payload }, events })
      for (const topic of [upstream, own]) expect(counts(await read(topic))).toEqual([10, 10, 10])
    })

    it.each(differencesOf('broker').map((difference) => [difference.id, difference] as const))(
      'differs: %s',
      async (id) => {
        await shows[id as keyof typeof shows]()
      },
    )
  })
}

const shows = {
  'header-values': async () => {
    const [upstream, own] = [await newTopic(), await newTopic()]
    const headers = { n: 5, b: true, z: null, o: { a: 1 } }
    const mapping = { payload, headers: pathTo('headers'), partition: 0 }
    const events = [{ type: 'a', headers }, { type: 'b' }]
    const error = await errorOf(theirs({ settings, mapping: { ...mapping, topic: upstream }, events }))
    expect(error).toMatchObject({ status: 500, code: 'TypeError' })
    expect(await values(upstream)).toEqual([])
    const results = await ours({ settings, mapping: { ...mapping, topic: own }, events })
    expect(results.map(({ status }) => status)).toEqual([200, 200])
    expect((await read(own))[0]?.headers.map(([name, value]) => [name, value?.toString() ?? null])).toEqual([
      ['n', '5'],
      ['b', 'true'],
      ['z', null],
      ['o', '{"a":1}'],
    ])
  },
  'partition-unknown': async () => {
    const [upstream, own] = [await newTopic(), await newTopic()]
    const mapping = { payload: { n: pathTo('n') }, partition: pathTo('n') }
    const events = [99, 0, -1, 1].map((n) => ({ type: 'track', n }))
    const upstreamResults = await theirs({ settings, mapping: { ...mapping, topic: upstream }, events })
    expect(upstreamResults.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    const results = await ours({ settings, mapping: { ...mapping, topic: own }, events })
    expect(results.map(({ status, retry }) => [status, retry])).toEqual([
      [400, false],
      [200, undefined],
      [400, false],
      [200, undefined],
    ])
    for (const topic of [upstream, own]) expect((await values(topic)).sort()).toEqual(['{"n":0}', '{"n":1}'])
  },
  'topics-in-a-batch': async () => {
    const topics = [await newTopic(), await newTopic(), await newTopic(), await newTopic()]
    const [a = '', b = '', c = '', d = ''] = topics
    const mapping = { topic: pathTo('to'), payload: { n: pathTo('n') }, partition: 0 }
    const batch = (one: string, other: string): object[] => [one, other, one].map((to, n) => ({ type: 'track', to, n }))
    const error = await errorOf(theirs({ settings, mapping, events: batch(a, b) }, {}))
    expect(error).toMatchObject({ status: 500 })
    expect(error.message).toContain('The producer is disconnected')
    const results = await ours({ settings, mapping, events: batch(c, d) })
    expect(results.map(({ status, topic }) => [status, topic])).toEqual([
      [200, c],
      [200, d],
      [200, c],
    ])
    expect(await Promise.all(topics.map(values))).toEqual([
      ['{"n":0}', '{"n":2}'],
      [],
      ['{"n":0}', '{"n":2}'],
      ['{"n":1}'],
    ])
  },
  'topic-object-names': async () => {
    const topic = await newTopic('constructor', 1)
    const given = { settings, mapping: { topic, payload }, events: [{ type: 'track' }] }
    expect((await errorOf(theirs(given))).name).toBe('TypeError')
    expect(await ours(given)).toMatchObject([{ status: 200, topic }])
  },
  'topic-created': async () => {
    const events = [{ type: 'track' }]
    const error = await errorOf(theirs({ settings, mapping: { topic: 'made-by-theirs', payload }, events }))
    expect(error).toMatchObject({ status: 500 })
    const results = await ours({ settings, mapping: { topic: 'made-by-ours', payload }, events })
    expect(results).toMatchObject([{ status: 200, offset: 0n }])
  },
  'oversized-alone': async () => {
    const [upstream, own] = [await newTopic(undefined, 1), await newTopic(undefined, 1)]
    const events = ['a', 'x'.repeat(1_100_000), 'b'].map((text) => ({ type: 'track', text }))
    const mapping = { payload: { text: pathTo('text') } }
    const error = await errorOf(theirs({ settings, mapping: { ...mapping, topic: upstream }, events }))
    expect(error).toMatchObject({ status: 500 })
    expect(await values(upstream)).toEqual([])
    const results = await ours({ settings, mapping: { ...mapping, topic: own }, events })
    expect(results.map(({ status, retry }) => [status, retry])).toEqual([
      [200, undefined],
      [413, false],
      [200, undefined],
    ])
    expect(await values(own)).toEqual(['{"text":"a"}', '{"text":"b"}'])
  },
  'bootstrap-first-down': async () => {
    const topic = await newTopic()
    // Nothing listens on port 1.
    const brokers = `127.0.0.1:1,${String(settings['brokers'])}`
    const given = { settings: { ...settings, brokers }, mapping: { topic, payload }, events: [{ type: 'track' }] }
    // It begins anywhere in the list, and goes no further.
    const upstream = await Promise.allSettled(Array.from({ length: 12 }, () => theirs(given, {})))
    expect(upstream.some(({ status }) => status === 'rejected')).toBe(true)
    expect(await ours(given)).toMatchObject([{ status: 200 }])
  },
  statuses: async () => {
    const topic = await newTopic()
    const wrong = { ...settings, password: 'not the password' }
    const given = { settings: wrong, mapping: { topic, payload }, events: [{ type: 'track' }] }
    expect(await errorOf(theirs(given))).toMatchObject({ status: 500 })
    expect(await ours(given)).toMatchObject([{ status: 401, retry: false }])
  },
  rotation: async () => {
    const [upstream, own] = [await newTopic(), await newTopic()]
    const events = Array.from({ length: 12 }, (_, n) => ({ type: 'track', n }))
    for (const event of events) {
      await theirsAlone({ settings, mapping: { topic: upstream, payload }, event }, {})
      await ours({ settings, mapping: { topic: own, payload }, events: [event] })
    }
    expect(counts(await read(own))).toEqual([4, 4, 4])
    // By chance it could be so once in fifteen runs: all that is said is that nothing is lost.
    expect((await read(upstream)).length).toBe(12)
  },
  'tls-off-with-ca': async () => {
    const topic = await newTopic()
    const plain = { ...settings, brokers: cluster.listeners.saslPlaintext, ssl_enabled: false }
    const given = { settings: plain, mapping: { topic, payload }, events: [{ type: 'track' }] }
    expect(await errorOf(theirs(given))).toMatchObject({ status: 500 })
    expect(await ours(given)).toMatchObject([{ status: 200 }])
  },
  'tls-verify-without-ca': async () => {
    const topic = await newTopic()
    const open = { ...settings, ssl_ca: undefined, ssl_reject_unauthorized_ca: false }
    const given = { settings: open, mapping: { topic, payload }, events: [{ type: 'track' }] }
    expect((await errorOf(theirs(given))).message).toContain('certificate')
    expect(await ours(given)).toMatchObject([{ status: 200 }])
  },
  'client-certificate-without-ca': async () => {
    const topic = await newTopic()
    const { settings: own } = withCertificate({ ssl_ca: undefined, ssl_reject_unauthorized_ca: false })
    const given = { settings: own, mapping: { topic, payload }, events: [{ type: 'track' }] }
    expect(await errorOf(theirs(given))).toMatchObject({ status: 500 })
    expect(await ours(given)).toMatchObject([{ status: 200 }])
  },
  'pem-shapes': async () => {
    const topic = await newTopic()
    const events = [{ type: 'track' }]
    const mapping = { topic, payload }
    const { settings: bodies } = withCertificate({})
    expect(await theirs({ settings: bodies, mapping, events })).toMatchObject([{ status: 200 }])
    expect(await ours({ settings: bodies, mapping, events })).toMatchObject([{ status: 200 }])
    const whole = { ...bodies, ssl_ca: file('ca'), ssl_cert: file('clientCert'), ssl_key: file('clientKey') }
    expect(await errorOf(theirs({ settings: whole, mapping, events }))).toMatchObject({ status: 500 })
    expect(await ours({ settings: whole, mapping, events })).toMatchObject([{ status: 200 }])
  },
} as const satisfies Partial<Record<DifferenceId, () => Promise<void>>>

/** A login with the client certificate, as Segment wants it written. */
function withCertificate(changes: object): { settings: Record<string, unknown> } {
  const own = {
    mechanism: 'client-cert-auth',
    brokers: cluster.listeners.mtls,
    username: undefined,
    password: undefined,
  }
  const material = { ssl_cert: bare(file('clientCert')), ssl_key: bare(file('clientKey')) }
  return { settings: { ...settings, ...own, ...material, ...changes } }
}

function file(name: 'ca' | 'clientCert' | 'clientKey'): string {
  return readFileSync(cluster.files[name] ?? '', 'utf8')
}

/** Without its first and last line. */
function bare(pem: string): string {
  return pem.replaceAll(/-----(?:BEGIN|END) [A-Z ]+-----/g, '').trim()
}

function byPartition(records: readonly ReadRecord[]): ReadRecord[] {
  return [...records].sort((a, b) => a.partition - b.partition || Number(a.offset - b.offset))
}

function counts(records: readonly ReadRecord[]): number[] {
  return Array.from({ length: PARTITIONS }, (_, index) => records.filter(({ partition }) => partition === index).length)
}
