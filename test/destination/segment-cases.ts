/**
 * What the suite of Segment's own Kafka destination asks for (A.14), of our definition. The tests that use it bring the
 * framework: a stand-in here, Segment's own under test/oracle/segment.
 */
import { expect } from 'vitest'
import type { SegmentDestinationOptions } from '../../src/destination/destination.ts'
import type { SegmentStatsContext } from '../../src/destination/segment-types.ts'
import { sharedProducers } from '../../src/destination/producer-cache.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import { FakeClock, until } from '../support/fake-clock.ts'
import { password, settingsFor, startCluster, written } from './harness.ts'

/** How a case runs one of the actions. */
export interface SegmentHost {
  /** @throws what the framework throws. @returns what `perform` returned. */
  action(input: HostInput & { readonly event: object }): Promise<unknown>
  batch(input: HostInput & { readonly events: readonly object[] }): Promise<readonly HostResult[]>
  topics(input: HostInput): Promise<unknown>
  testAuthentication(input: HostInput): Promise<void>
  close(): Promise<void>
}

export interface HostInput {
  readonly settings: object
  readonly mapping?: object
  readonly options?: Partial<SegmentDestinationOptions>
  readonly statsContext?: SegmentStatsContext
  readonly logger?: object
}

export interface HostResult {
  readonly status: number
  readonly body?: unknown
  readonly sent?: unknown
  readonly errortype?: string | undefined
  readonly errormessage?: string
}

const event = { type: 'track', event: 'Bought', properties: { b: 1, a: ['x', null], empty: '' } }
const mapping = { topic: 't', payload: { '@path': '$.properties' } }
/** Real time: enough for a slow machine to try once. */
const shortly = { deliveryTimeoutMs: 1500, requestTimeoutMs: 1400 }

interface Said {
  readonly logger: object
  readonly lines: string[]
}

function hearing(): Said {
  const lines: string[] = []
  return { lines, logger: { info: () => undefined, error: () => undefined, crit: (line: string) => lines.push(line) } }
}

/** Counters as `name value tags`, histograms likewise. */
function counting(): { readonly statsContext: SegmentStatsContext; readonly said: string[] } {
  const said: string[] = []
  const tell = (name: string, value = 1, tags: string[] = []): unknown => said.push(`${name} ${value} ${tags.join()}`)
  return { said, statsContext: { tags: ['a:b'], statsClient: { incr: tell, histogram: tell } } }
}

async function failureOf(work: Promise<unknown>): Promise<Error & { status?: number; code?: string }> {
  return await work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error as Error,
  )
}

const openings = (cluster: TestCluster): number => cluster.requests.filter(({ api }) => api === 'InitProducerId').length

type Case = readonly [name: string, run: (host: SegmentHost) => Promise<void>]

export const segmentCases: readonly Case[] = [
  ...['plain', 'scram-sha-256', 'scram-sha-512'].map((mechanism, index): Case => [
    `seg-S20 case ${index + 1}: logs in with ${mechanism}`,
    async (host) => {
      // It knows no other one.
      const mechanisms = [mechanism.toUpperCase() as 'PLAIN']
      const cluster = await startCluster({ sasl: { users: { ann: password }, mechanisms } })
      await host.action({ settings: { ...settingsFor(cluster), mechanism }, mapping, event })
      expect(cluster.loginStats()).toMatchObject({ logins: 1, refused: 0 })
      expect(cluster.recordCount('t')).toBe(1)
    },
  ]),
  [
    'seg-S20 case 8: one event is one record, its JSON in the order of the event, without key, headers and partition',
    async (host) => {
      const cluster = await startCluster({ topics: { t: 1 } })
      const place = await host.action({ settings: settingsFor(cluster), mapping, event })
      expect(place).toEqual({ topic: 't', partition: 0, offset: '0' })
      expect(written(cluster)).toEqual(['0 - {"b":1,"a":["x",null],"empty":""}'])
      expect(cluster.records('t')[0]?.headers).toEqual([])
    },
  ],
  [
    'seg-S20 case 11: a client that cannot be made is 400, and a critical line',
    async (host) => {
      const cluster = await startCluster()
      const { lines, logger } = hearing()
      const options = { producer: { lingerMs: -1 } }
      const error = await failureOf(host.action({ settings: settingsFor(cluster), mapping, event, options, logger }))
      expect(error).toMatchObject({ status: 400, code: 'KAFKA_CONNECTION_ERROR' })
      expect(error.message).toMatch(/^Kafka Connection Error: .*lingerMs/)
      expect(lines).toEqual([`Kafka Connection Error - KAFKA_CONNECTION_ERROR: ${error.message}`])
    },
  ],
  [
    'seg-S20 case 12: a login that is refused is told as what it is, and a critical line',
    async (host) => {
      const cluster = await startCluster()
      const { lines, logger } = hearing()
      const settings = { ...settingsFor(cluster), password: `not ${password}` }
      const error = await failureOf(host.action({ settings, mapping, event, logger }))
      expect(error).toMatchObject({ status: 401, code: 'SASL_AUTHENTICATION_FAILED' })
      expect(error.message).toMatch(/^Kafka Connection Error - SASL_AUTHENTICATION_FAILED: /)
      expect(lines).toEqual([expect.stringMatching(/^Kafka Connection Error - SASL_AUTHENTICATION_FAILED \| \{/)])
      expect(error.message + lines.join()).not.toContain(password)
    },
  ],
  [
    'seg-S20 case 13: a send that fails is told, with the reason, and a critical line',
    async (host) => {
      const cluster = await startCluster({ topics: { t: 1 } })
      cluster.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', times: Infinity })
      const { lines, logger } = hearing()
      const options = { producer: shortly }
      const error = await failureOf(host.action({ settings: settingsFor(cluster), mapping, event, options, logger }))
      expect(error).toMatchObject({ status: 504, code: 'DELIVERY_TIMEOUT' })
      expect(error.message).toMatch(/^Kafka Producer Error - DELIVERY_TIMEOUT: .*NOT_ENOUGH_REPLICAS/s)
      expect(lines).toEqual([expect.stringMatching(/^Kafka Send Error - DELIVERY_TIMEOUT \| \{.*"events":1\}$/)])
    },
  ],
  [
    'seg-S20 case 14: where nobody answers, the reason behind it is told',
    async (host) => {
      const cluster = await startCluster()
      await cluster.close()
      const options = { producer: { maxBlockMs: 300 } }
      const error = await failureOf(host.action({ settings: settingsFor(cluster), mapping, event, options }))
      expect(error).toMatchObject({ status: 503 })
      expect(error.message).toMatch(/^Kafka (?:Connection|Producer) Error - [A-Z_]+: .*refused/is)
    },
  ],
  [
    'seg-S20 case 15: a message that is too large is 413',
    async (host) => {
      const cluster = await startCluster({ topics: { t: { partitions: 1, maxMessageBytes: 500 } } })
      const large = { ...event, properties: { text: 'x'.repeat(600) } }
      const error = await failureOf(host.action({ settings: settingsFor(cluster), mapping, event: large }))
      expect(error).toMatchObject({ status: 413, code: 'MESSAGE_TOO_LARGE' })
      expect(error.message).toMatch(/^Kafka Producer Error - MESSAGE_TOO_LARGE: /)
      expect(cluster.recordCount('t')).toBe(0)
    },
  ],
  [
    "seg-S20 case 18: brokers that are none are 400, in Segment's words, and nothing is sent",
    async (host) => {
      const cluster = await startCluster()
      const settings = { ...settingsFor(cluster), brokers: 'valid-host:9092, invalid-host' }
      const error = await failureOf(host.action({ settings, mapping, event }))
      const message = 'Brokers must be in the format host:port'
      expect(error).toMatchObject({ status: 400, code: 'BROKER_FORMAT_INVALID', message })
      await expect(host.testAuthentication({ settings })).rejects.toThrow(message)
    },
  ],
  [
    'seg-S20 case 20: equal settings share one producer',
    async (host) => {
      const cluster = await startCluster()
      const { said, statsContext } = counting()
      const settings = settingsFor(cluster)
      await Promise.all([1, 2].map(() => host.action({ settings: { ...settings }, mapping, event, statsContext })))
      const brokers = ` ${cluster.bootstrap} ,`
      await host.action({ settings: { ...settings, brokers }, mapping, event, statsContext })
      expect(openings(cluster)).toBe(1)
      await host.action({ settings: { ...settings, clientId: 'other' }, mapping, event, statsContext })
      expect(openings(cluster)).toBe(2)
      expect(said.filter((line) => line.startsWith('kafka_connection')).map((line) => line.split(' ')[0])).toEqual([
        ...['kafka_connection_opened', 'kafka_connection_reused', 'kafka_connection_reused', 'kafka_connection_opened'],
      ])
    },
  ],
  [
    'seg-S20 case 21: a producer that is unused is closed, and the next call has another one',
    async (host) => {
      const cluster = await startCluster()
      const clock = new FakeClock()
      const { said, statsContext } = counting()
      const input = { settings: settingsFor(cluster), mapping, event, statsContext, options: { clock } }
      await host.action(input)
      await clock.advance(31 * 60_000)
      await until(() => said.some((line) => line.startsWith('kafka_connection_closed')), 'the producer is closed')
      expect(sharedProducers.size).toBe(0)
      await host.action(input)
      expect(openings(cluster)).toBe(2)
    },
  ],
  [
    'seg-S20: credentials that are missing are 400, for each mechanism',
    async (host) => {
      const cluster = await startCluster()
      const settings = { ...settingsFor(cluster), ssl_enabled: true, username: '', password: '' }
      const missing = async (mechanism: string): Promise<unknown> => {
        const { status, code } = await failureOf(host.action({ settings: { ...settings, mechanism }, mapping, event }))
        return [status, code]
      }
      expect(await missing('plain')).toEqual([400, 'SASL_PARAMS_MISSING'])
      expect(await missing('scram-sha-256')).toEqual([400, 'SASL_PARAMS_MISSING'])
      expect(await missing('client-cert-auth')).toEqual([400, 'SSL_CLIENT_CERT_AUTH_PARAMS_MISSING'])
    },
  ],
  [
    'seg-S20: a batch has a result for each event, in their order: what was sent and where it is, or what is wrong',
    async (host) => {
      const cluster = await startCluster({ topics: { t: 2, u: { partitions: 1, maxMessageBytes: 500 } } })
      const events = [
        { type: 'track', to: 't', p: 1, text: 'a' },
        { type: 'track', p: 0, text: 'b' },
        { type: 'track', to: 'u', p: 0, text: 'x'.repeat(600) },
        { type: 'track', to: 't', p: 5, text: 'c' },
        { type: 'track', to: 't', p: 1, text: 'd' },
      ]
      const path = (name: string): object => ({ '@path': `$.${name}` })
      const fields = { topic: path('to'), partition: path('p'), payload: { text: path('text') } }
      const results = await host.batch({ settings: settingsFor(cluster), mapping: fields, events })
      const place = (offset: string): object => ({ topic: 't', partition: 1, offset })
      const error = (status: number, errortype: string | undefined, text: RegExp): object => ({
        ...{ status, errormessage: expect.stringMatching(text) as string },
        ...(errortype === undefined ? {} : { errortype }),
      })
      expect(results).toMatchObject([
        { status: 200, body: place('0'), sent: { topic: 't', partition: 1, payload: { text: 'a' } } },
        error(400, 'PAYLOAD_VALIDATION_FAILED', /^The root value is missing the required field 'topic'\.$/),
        { ...error(413, undefined, /^Kafka Producer Error - MESSAGE_TOO_LARGE: /), sent: { topic: 'u' } },
        { ...error(400, undefined, /^Kafka Producer Error - UNKNOWN_PARTITION: /), sent: { partition: 5 } },
        { status: 200, body: place('1'), sent: { payload: { text: 'd' } } },
      ])
      expect(written(cluster)).toEqual(['1 - {"text":"a"}', '1 - {"text":"d"}'])
    },
  ],
  [
    'seg-S20: where nobody lets us in, every event of a batch says so, and nothing is sent',
    async (host) => {
      const cluster = await startCluster()
      const settings = { ...settingsFor(cluster), password: 'wrong' }
      const results = await host.batch({ settings, mapping, events: [event, event] })
      expect(results.map(({ status }) => status)).toEqual([401, 401])
      expect(cluster.recordCount('t')).toBe(0)
    },
  ],
  [
    'seg-S20: what passes is 5xx, what does not is 4xx',
    async (host) => {
      const cluster = await startCluster({ topics: { t: 1 } })
      const input = { settings: settingsFor(cluster), mapping, event, options: { producer: shortly } }
      await host.action(input)
      const rule = cluster.fail({ api: 'Produce', error: 'TOPIC_AUTHORIZATION_FAILED', times: Infinity })
      expect(await failureOf(host.action(input))).toMatchObject({ status: 403 })
      rule.remove()
      cluster.fail({ api: 'Produce', error: 'LEADER_NOT_AVAILABLE', times: Infinity })
      expect((await failureOf(host.action(input))).status).toBeGreaterThanOrEqual(500)
    },
  ],
  [
    'seg-S20: the default partition counts where there is no other',
    async (host) => {
      const cluster = await startCluster()
      const fields = { ...mapping, default_partition: 2, key: 'k' }
      await host.action({ settings: settingsFor(cluster), mapping: fields, event })
      await host.action({ settings: settingsFor(cluster), mapping: { ...fields, partition: 0 }, event })
      expect(cluster.records('t').map(({ partition, key }) => `${partition} ${String(key)}`)).toEqual(['0 k', '2 k'])
    },
  ],
  [
    'seg-S20: the numbers have the names and tags of A.10',
    async (host) => {
      const cluster = await startCluster()
      const { said, statsContext } = counting()
      const fields = { ...mapping, partition: { '@path': '$.p' } }
      const events = [0, 1, 0].map((p) => ({ type: 'track', p, properties: { x: 1 } }))
      await host.batch({ settings: settingsFor(cluster), mapping: fields, events, statsContext })
      const kafkas = said.filter((line) => line.startsWith('kafka'))
      expect(kafkas[0]).toBe('kafka_connection_opened 1 a:b')
      expect(kafkas).toContain('kafka.configurable_batch_keys.unique_keys 2 a:b')
      expect(kafkas.filter((line) => /^kafka\.batch_bytes \d+ a:b$/.test(line)).length).toBeGreaterThan(0)
    },
  ],
  [
    'seg-S8, seg-S20: the field Topic offers the topics of the cluster, and says what is wrong where there are none',
    async (host) => {
      const cluster = await startCluster({ topics: { b: 1, a: 1, __consumer_offsets: 1 } })
      const { choices } = (await host.topics({ settings: settingsFor(cluster) })) as { choices: { value: string }[] }
      expect([...choices].sort((a, b) => (a.value < b.value ? -1 : 1))).toEqual([
        { label: '__consumer_offsets (internal)', value: '__consumer_offsets' },
        { label: 'a', value: 'a' },
        { label: 'b', value: 'b' },
      ])
      const wrong = { ...settingsFor(cluster), password: 'wrong' }
      expect(await host.topics({ settings: wrong })).toMatchObject({
        ...{ choices: [], error: { code: '401' } },
      })
    },
  ],
  [
    'seg-S16, seg-S20: testAuthentication lets in who may come in',
    async (host) => {
      const cluster = await startCluster()
      await host.testAuthentication({ settings: settingsFor(cluster) })
      const wrong = { ...settingsFor(cluster), password: 'wrong' }
      await expect(host.testAuthentication({ settings: wrong })).rejects.toThrow(/password|credentials|SASL/i)
    },
  ],
  [
    'seg-S8, seg-S20: topics that events choose have to be on the list, where there is one',
    async (host) => {
      const cluster = await startCluster({ topics: { 'ev-track': 1, secret: 1 } })
      const input = { settings: settingsFor(cluster), options: { topicAllowList: ['ev-*'] } }
      const fields = { ...mapping, topic: { '@path': '$.to' } }
      const events = ['ev-track', 'secret'].map((to) => ({ ...event, to }))
      const results = await host.batch({ ...input, mapping: fields, events })
      expect(results.map(({ status }) => status)).toEqual([200, 400])
      // What a person wrote into the form is theirs to choose.
      expect(await host.action({ ...input, mapping: { ...mapping, topic: 'secret' }, event })).toBeDefined()
    },
  ],
  [
    'seg-S20: a logger or a client for numbers that throws changes nothing',
    async (host) => {
      const cluster = await startCluster({ topics: { t: { partitions: 1, maxMessageBytes: 500 } } })
      const fail = (): never => {
        throw new Error('the host is broken')
      }
      const logger = { info: fail, error: fail, crit: fail }
      const large = { ...event, properties: { text: 'x'.repeat(600) } }
      const results = await host.batch({ settings: settingsFor(cluster), mapping, events: [event, large], logger })
      expect(results.map(({ status }) => status)).toEqual([200, 413])
    },
  ],
]
