import { afterAll, expect, it } from 'vitest'
import {
  defaultTrigger,
  toSegmentDestination,
  type SegmentDestinationDefinition,
} from '../../../src/destination/destination.ts'
import { sharedProducers } from '../../../src/destination/producer-cache.ts'
import { settingsFor, startCluster, written } from '../../destination/harness.ts'
import { segmentCases, type HostInput, type SegmentHost } from '../../destination/segment-cases.ts'
import { canarySecret } from '../../support/canary.ts'
import { describeWhere } from '../../support/kafka/require-brokers.ts'
import { errorOf, theirs } from './both-sides.ts'
import { differencesOf, type DifferenceId } from './differences.ts'
import { disconnectTheirs, framework, kafkaCode, segmentAvailable, type TestIntegration } from './segment-code.ts'

/** Segment's own framework around our definition, as its own tests use it. Definitions are kept by their options. */
function host(): SegmentHost {
  const { createTestIntegration, MultiStatusResponse, IntegrationError } = framework()
  const definitions = new Map<unknown, SegmentDestinationDefinition>()
  // A new one for each call, because its `results` are those of the latest.
  const integrationFor = ({ options }: HostInput): TestIntegration => {
    const known = definitions.get(options)
    const definition = known ?? toSegmentDestination({ MultiStatusResponse, IntegrationError, ...options })
    definitions.set(options, definition)
    return createTestIntegration(definition)
  }
  return {
    action: async (input) => {
      const integration = integrationFor(input)
      await integration.testAction('send', input)
      return integration.results.at(-1)?.data
    },
    batch: async (input) => {
      const integration = integrationFor(input)
      await integration.testBatchAction('send', input)
      return integration.results[0]?.multistatus ?? []
    },
    topics: (input) => integrationFor(input).testDynamicField('send', 'topic', { settings: input.settings }),
    testAuthentication: (input) => integrationFor(input).testAuthentication(input.settings),
    close: async () => {
      for (const definition of definitions.values()) await definition.close()
    },
  }
}

const track = { type: 'track', event: 'Bought', properties: { a: 1 } }
const mapping = { topic: 't', payload: { '@path': '$.properties' } }

describeWhere(segmentAvailable, "seg-S20: our definition in Segment's own framework", () => {
  afterAll(disconnectTheirs)

  async function withHost(run: (host: SegmentHost) => Promise<void>): Promise<void> {
    const one = host()
    try {
      await run(one)
    } finally {
      await one.close()
    }
    expect(sharedProducers.size).toBe(0)
  }

  it.each(segmentCases)('%s', async (_, run) => withHost(run))

  it('the default mappings send the whole event', async () => {
    const { createTestIntegration, MultiStatusResponse, IntegrationError } = framework()
    const definition = toSegmentDestination({ MultiStatusResponse, IntegrationError })
    const cluster = await startCluster({ topics: { t: 1 } })
    const integration = createTestIntegration(definition)
    const input = { event: track, mapping: { topic: 't' }, useDefaultMappings: true, settings: settingsFor(cluster) }
    await integration.testAction('send', input)
    const value = JSON.parse(String(cluster.records('t')[0]?.value)) as object
    expect(value).toMatchObject({ ...track, messageId: expect.any(String) as string })
    await definition.close()
  })

  it('a subscription: trigger, settings, mapping and results, event by event and in batches', async () => {
    const { Destination, MultiStatusResponse, IntegrationError } = framework()
    const definition = toSegmentDestination({ MultiStatusResponse, IntegrationError })
    const destination = new Destination(definition)
    const cluster = await startCluster({ topics: { t: 1 } })
    const subscription = { partnerAction: 'send', subscribe: defaultTrigger, mapping }
    const settings = { ...settingsFor(cluster), subscription }
    expect(await destination.onEvent(track, settings)).toMatchObject([{}, {}, { data: { topic: 't', offset: '0' } }])
    expect(await destination.onEvent({ type: 'alias' }, settings)).toEqual([{ output: 'not subscribed' }])
    const [result] = await destination.onBatch([track, { type: 'alias' }, { ...track, properties: {} }], settings)
    expect(result?.multistatus).toMatchObject([
      { status: 200, body: { offset: '1' } },
      { status: 400, errormessage: 'Payload is either invalid or does not match the subscription' },
      { status: 200, body: { offset: '2' } },
    ])
    expect(written(cluster)).toEqual(['0 - {"a":1}', '0 - {"a":1}', '0 - {}'])
    await definition.close()
  })

  it("seg-S1: settings that are incomplete are refused in the framework's words", async () => {
    const { Destination, MultiStatusResponse, IntegrationError } = framework()
    const destination = new Destination(toSegmentDestination({ MultiStatusResponse, IntegrationError }))
    const refused = async (settings: object): Promise<unknown> => {
      const { message, ...error } = await errorOf(destination.onEvent(track, settings))
      return [error.status, message]
    }
    const good = { clientId: 'c', brokers: 'h:1', mechanism: 'plain' }
    expect(await refused({ ...good, clientId: undefined })).toEqual([
      ...[400, "The root value is missing the required field 'clientId'."],
    ])
    expect(await refused({ ...good, mechanism: 'gssapi' })).toEqual([
      400,
      'Authentication Mechanism must be one of: "plain", "scram-sha-256", "scram-sha-512", "aws", or "client-cert-auth".',
    ])
  })

  it('seg-S16: testAuthentication says what is wrong in the words around it', async () => {
    const { Destination, MultiStatusResponse, IntegrationError } = framework()
    const definition = toSegmentDestination({ MultiStatusResponse, IntegrationError })
    const password = canarySecret("a password in Segment's framework")
    const settings = { clientId: 'c', brokers: 'h', mechanism: 'plain', username: 'u', password }
    const message = 'Credentials are invalid:  Brokers must be in the format host:port'
    for (const one of [definition, kafkaCode().definition]) {
      expect((await errorOf(new Destination(one).testAuthentication(settings))).message).toBe(message)
    }
  })

  it('an unknown dynamic field is told by the framework', async () => {
    const { createTestIntegration, MultiStatusResponse, IntegrationError } = framework()
    const integration = createTestIntegration(toSegmentDestination({ MultiStatusResponse, IntegrationError }))
    const answer = await integration.testDynamicField('send', 'nope', { settings: {} })
    expect(answer).toMatchObject({ error: { message: 'No dynamic field named nope found.', code: '404' } })
  })

  it.each(differencesOf('framework').map(({ id }) => [id]))('differs: %s', async (id) => {
    await withHost(shows[id as keyof typeof shows])
  })
})

const shows = {
  results: async (one) => {
    const cluster = await startCluster({ topics: { t: 1 } })
    const settings = settingsFor(cluster)
    const upstream = await theirs({ settings, mapping, events: [track, track] })
    expect(upstream.map(({ status, body }) => [status, body])).toEqual([
      [200, {}],
      [200, {}],
    ])
    const own = await one.batch({ settings, mapping, events: [track, track] })
    expect(own.map(({ status, body }) => [status, body])).toEqual([
      [200, { topic: 't', partition: 0, offset: '2' }],
      [200, { topic: 't', partition: 0, offset: '3' }],
    ])
  },
  'topics-internal': async (one) => {
    const cluster = await startCluster({ topics: { __consumer_offsets: 1 } })
    const settings = settingsFor(cluster)
    const integration = framework().createTestIntegration(kafkaCode().definition)
    const upstream = await integration.testDynamicField('send', 'topic', { settings })
    expect(upstream).toEqual({ choices: [{ label: '__consumer_offsets', value: '__consumer_offsets' }] })
    const own = await one.topics({ settings })
    expect(own).toEqual({ choices: [{ label: '__consumer_offsets (internal)', value: '__consumer_offsets' }] })
    const wrong = { ...settings, password: 'wrong' }
    await expect(integration.testDynamicField('send', 'topic', { settings: wrong })).rejects.toThrow()
    expect(await one.topics({ settings: wrong })).toMatchObject({ choices: [], error: { code: '401' } })
  },
  'connection-kept': async (one) => {
    const cluster = await startCluster({ topics: { t: 1 } })
    const settings = settingsFor(cluster)
    for (let i = 0; i < 3; i++) await theirs({ settings, mapping, events: [track] }, {})
    const upstream = cluster.loginStats().logins
    for (let i = 0; i < 3; i++) await one.batch({ settings, mapping, events: [track] })
    expect(upstream).toBeGreaterThanOrEqual(3)
    expect(cluster.loginStats().logins).toBeLessThanOrEqual(upstream + 2)
  },
} as const satisfies Partial<Record<DifferenceId, (host: SegmentHost) => Promise<void>>>
