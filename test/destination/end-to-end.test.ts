import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  sendFields,
  type DestinationMapping,
  type DestinationSettings,
  type StatsClient,
} from '../../src/destination/destination.ts'
import { newDestination, settingsFor, startCluster, track, wholeEvent } from './harness.ts'

type Event = Record<string, unknown>

const folder = new URL('../fixtures/segment/', import.meta.url)
const names = readdirSync(folder).filter((name) => name.endsWith('.json') && !name.startsWith('analytics-node'))
const fixture = (name: string): Event => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Event
/** An event that wants no integration but a few. */
const CHOOSY = 'identify.full.json'
const byDefaultTrigger = (fields: Event = {}, more: Partial<DestinationMapping> = {}): DestinationMapping[] => [
  { name: 'default', fields: { topic: 't', ...wholeEvent, ...fields }, ...more },
]

describe('seg-S1, seg-S2, seg-S3: settings that are wrong', () => {
  const rows: readonly (readonly [Partial<Record<keyof DestinationSettings, unknown>>, string, string])[] = [
    [{ clientId: undefined }, 'INVALID_SETTINGS', "The root value is missing the required field 'clientId'."],
    [
      { mechanism: 'gssapi' },
      'INVALID_SETTINGS',
      'Authentication Mechanism must be one of: "plain", "scram-sha-256", "scram-sha-512", "aws", or "client-cert-auth".',
    ],
    [
      { password: '' },
      'SASL_PARAMS_MISSING',
      'Username and Password are required for PLAIN and SCRAM authentication mechanisms',
    ],
    [{ brokers: 'h:9092:77' }, 'BROKER_FORMAT_INVALID', 'Brokers must be in the format host:port'],
  ]
  test.each(rows)('%o: %s, 400, before anything is connected to', async (wrong, code, message) => {
    const cluster = await startCluster()
    const settings = { ...settingsFor(cluster), ...wrong } as DestinationSettings
    expect(() => newDestination(cluster, { settings })).toThrow(
      expect.objectContaining({ name: 'SettingsError', code, message, status: 400 }) as Error,
    )
  })
})

test('seg-S3: an IPv6 address in brackets is where we dial', async () => {
  const cluster = await startCluster({ topics: { t: 1 } })
  const dialled: string[] = []
  const mapAddress = ({ host, port }: { host: string; port: number }): { host: string; port: number } => {
    dialled.push(host)
    return { host: '127.0.0.1', port }
  }
  const settings = { ...settingsFor(cluster), brokers: `[::1]:${cluster.ports[0] ?? 0}` }
  const results = await newDestination(cluster, { settings, producer: { mapAddress } }).deliver([track()])
  expect(results).toMatchObject([{ status: 200 }])
  expect(dialled[0]).toBe('::1')
})

test.each(names)('seg-S7: the default payload is the event, byte for byte: %s', async (name) => {
  const cluster = await startCluster({ topics: { t: 1 } })
  const payload = sendFields.find(({ key }) => key === 'payload')?.default
  const event = fixture(name)
  const integrationName = name === CHOOSY ? 'Mixpanel' : 'Kafka'
  await newDestination(cluster, { fields: { payload }, integrationName }).deliver([event])
  expect(cluster.records('t').map(({ value }) => String(value))).toEqual([JSON.stringify(event)])
})

describe('seg-S18, seg-S19: what the default trigger takes', () => {
  test('the five calls, and Engage, but neither alias nor delete', async () => {
    const cluster = await startCluster({ topics: { t: 1 } })
    const events = [...names.filter((name) => name !== CHOOSY).map(fixture), { type: 'delete' }]
    const results = await newDestination(cluster, { mappings: byDefaultTrigger() }).deliver(events)
    const taken = new Set(results.map(({ event }) => event))
    const isTaken = (event: Event): boolean =>
      ['track', 'identify', 'page', 'screen', 'group'].includes(String(event['type']))
    expect(events.filter((_, index) => taken.has(index))).toEqual(events.filter(isTaken))
    expect(names.filter((name) => name.startsWith('engage'))).toHaveLength(6)
    expect(results.every(({ status }) => status === 200)).toBe(true)
  })

  test('the boolean of an audience is in the payload, and by option beside it', async () => {
    const cluster = await startCluster({ topics: { t: 1 } })
    const events = ['engage-3-audience-identify.json', 'engage-4-audience-track.json'].map(fixture)
    await newDestination(cluster, { mappings: byDefaultTrigger() }).deliver(events)
    await newDestination(cluster, { mappings: byDefaultTrigger({}, { audience: 'isMember' }) }).deliver(events)
    const [identify, tracked, ...withMember] = cluster
      .records('t')
      .map(({ value }) => JSON.parse(String(value)) as Event)
    expect(identify).toMatchObject({ traits: { first_time_shopper: true } })
    expect(tracked).toHaveProperty('properties.audience_key')
    expect(withMember).toEqual(events.map((event) => ({ ...event, isMember: true })))
  })
})

test('seg-S21: every number of A.10, with the tags of the host', async () => {
  const cluster = await startCluster({ topics: { t: 1 } })
  const said: [string, string[] | undefined][] = []
  const stats: StatsClient = {
    incr: (name, _value, tags) => said.push([name, tags]),
    histogram: (name, _value, tags) => said.push([name, tags]),
  }
  const statsTags = ['partnerAction:send', 'a:b']
  const destination = newDestination(cluster, { stats, statsTags })
  await destination.deliver([track()])
  await destination.deliver([track()])
  await destination.close()
  const expected = [
    ...['kafka_connection_opened', 'kafka.configurable_batch_keys.unique_keys', 'kafka.batch_bytes'],
    ...['kafka_connection_reused', 'kafka.configurable_batch_keys.unique_keys', 'kafka.batch_bytes'],
    'kafka_connection_closed',
  ]
  expect(said).toEqual(expected.map((name) => [name, statsTags]))
})
