import { describe, expect, test } from 'vitest'
import { newDestination, settingsFor, startCluster, track, wholeEvent, written } from './harness.ts'

const path = (name: string): object => ({ '@path': `$.properties.${name}` })

describe('seg-S8: topic', () => {
  test('is fixed, from a path or from a template; without one: 400', async () => {
    const cluster = await startCluster({ topics: { t: 1, 'ev-track': 1 } })
    const mappings = [
      { name: 'fixed', fields: { topic: 't', ...wholeEvent } },
      { name: 'path', fields: { topic: path('to'), ...wholeEvent } },
      { name: 'template', fields: { topic: { '@template': 'ev-{{type}}' }, ...wholeEvent } },
    ]
    const destination = newDestination(cluster, { mappings, topicAllowList: ['t', 'ev-*'] })
    const [fixed, byPath, byTemplate] = await destination.deliver([track({ to: 't' })])
    expect(fixed).toMatchObject({ event: 0, mapping: 'fixed', status: 200, topic: 't', partition: 0, offset: 0n })
    expect(byPath).toMatchObject({ mapping: 'path', status: 200, topic: 't' })
    expect(byTemplate).toMatchObject({ mapping: 'template', status: 200, topic: 'ev-track' })
    const [, missing] = await destination.deliver([track()])
    const message = "The root value is missing the required field 'topic'."
    expect(missing).toMatchObject({ status: 400, retry: false, error: { code: 'PAYLOAD_VALIDATION_FAILED', message } })
  })

  test('events choose among the allowed ones only, and without a list nothing that is not confined is taken', async () => {
    const cluster = await startCluster()
    const fields = { topic: path('to') }
    expect(() => newDestination(cluster, { fields })).toThrow(/mapping "all": events could write to any topic/)
    const byCondition = { '@if': { exists: path('to'), then: 't', else: { '@template': '{{event}}' } } }
    expect(() => newDestination(cluster, { fields: { topic: byCondition } })).toThrow(/any topic/)
    expect(() => newDestination(cluster, { fields: { topic: { '@template': 'ev-{{type}}' } } })).not.toThrow()
    const destination = newDestination(cluster, { fields, topicAllowList: ['t'] })
    const results = await destination.deliver([track({ to: 'secret' }), track({ to: 't' })])
    expect(results.map(({ status }) => status)).toEqual([400, 200])
    expect(results[0]?.error?.code).toBe('TOPIC_NOT_ALLOWED')
    expect(cluster.topics).toEqual(['t'])
  })

  test('one that does not exist is told, with names that are near, may be tried again, and holds up no other one', async () => {
    const cluster = await startCluster({ topics: { orders: 1 }, autoCreateTopics: false })
    const fields = { topic: path('to'), batch_size: 1 }
    const destination = newDestination(cluster, { fields, topicAllowList: 'any', producer: { maxBlockMs: 4000 } })
    await destination.topics()
    const results = await destination.deliver(['order', 'orders', 'order', 'orders'].map((to) => track({ to })))
    expect(results.map(({ status }) => status)).toEqual([404, 200, 404, 200])
    expect(results[2]).toMatchObject({ retry: true, topic: 'order', error: { code: 'UNKNOWN_TOPIC_OR_PARTITION' } })
    expect(results[2]?.error?.message).toMatch(
      /^Kafka Producer Error - UNKNOWN_TOPIC_OR_PARTITION: .*did you mean "orders"/,
    )
  })

  test('one that the cluster makes gets its first event', async () => {
    const cluster = await startCluster({ autoCreateTopics: true })
    const results = await newDestination(cluster, { fields: { topic: 'constructor' } }).deliver([track()])
    expect(results).toMatchObject([{ status: 200, topic: 'constructor', offset: 0n }])
  })

  test('topics() equals the cluster', async () => {
    const cluster = await startCluster({ topics: { b: 2, a: 1, __consumer_offsets: 1 } })
    expect(await newDestination(cluster).topics()).toEqual([
      { name: '__consumer_offsets', partitions: 1, isInternal: true },
      { name: 'a', partitions: 1, isInternal: false },
      { name: 'b', partitions: 2, isInternal: false },
    ])
  })
})

describe('seg-S9: partition', () => {
  const fields = { partition: path('p'), default_partition: path('d'), key: path('k') }
  // murmur2('user1234') % 3 is 1.
  const rows = [
    { given: { p: 0, d: 2, k: 'user1234' }, partition: 0 },
    { given: { p: 2, d: 0 }, partition: 2 },
    { given: { p: '1', k: 'user1234' }, partition: 1 },
    { given: { p: 2 }, partition: 2 },
    { given: { d: 2, k: 'user1234' }, partition: 2 },
    { given: { p: null, d: 0 }, partition: 0 },
    { given: { k: 'user1234' }, partition: 1 },
  ]
  test.each(rows)('$given goes to $partition', async ({ given, partition }) => {
    const cluster = await startCluster()
    const results = await newDestination(cluster, { fields }).deliver([track(given)])
    expect(results).toMatchObject([{ status: 200, partition }])
  })

  test('without any of them events take turns', async () => {
    const cluster = await startCluster()
    const results = await newDestination(cluster, { fields }).deliver(Array.from({ length: 6 }, () => track()))
    const partitions = results.map(({ partition }) => partition ?? -1)
    expect([...partitions].sort()).toEqual([0, 0, 1, 1, 2, 2])
  })

  test('one that does not exist fails its own event, after one look at the metadata', async () => {
    const cluster = await startCluster()
    const destination = newDestination(cluster, { fields })
    await destination.deliver([track({ p: 0 })])
    const before = cluster.requests.filter(({ api }) => api === 'Metadata').length
    const results = await destination.deliver([track({ p: 99 }), track({ p: 1 }), track({ p: -1 })])
    expect(results.map(({ status, retry }) => [status, retry])).toEqual([
      [400, false],
      [200, undefined],
      [400, false],
    ])
    expect(results[0]?.error?.message).toContain('has 3 partitions (0 to 2), not partition 99')
    expect(results[2]?.error?.message).toBe('Partition must be equal to or greater than 0.')
    expect(cluster.requests.filter(({ api }) => api === 'Metadata').length - before).toBe(1)
    expect(written(cluster)).toHaveLength(2)
  })

  test('one that was added meanwhile is found', async () => {
    const cluster = await startCluster()
    const destination = newDestination(cluster, { fields })
    await destination.deliver([track({ p: 0 })])
    cluster.addPartitions('t', 5)
    expect(await destination.deliver([track({ p: 4 })])).toMatchObject([{ status: 200, partition: 4 }])
  })
})

test('seg-S11: headers of any kind of value', async () => {
  const cluster = await startCluster({ topics: { t: 1 } })
  const headers = { s: 'é', e: '', list: ['a', 1], n: 4.5, b: false, z: null, o: { a: [1] } }
  expect(await newDestination(cluster, { fields: { headers } }).deliver([track()])).toMatchObject([{ status: 200 }])
  const [record] = cluster.records('t')
  const seen = record?.headers.map(([name, value]) => [name, value === null ? null : String(value)])
  const expected = [
    ['s', 'é'],
    ['e', ''],
    ['list', 'a'],
    ['list', '1'],
    ['n', '4.5'],
    ['b', 'false'],
    ['z', null],
  ]
  expect(seen).toEqual([...expected, ['o', '{"a":[1]}']])
})

describe('seg-S12: many events', () => {
  test('keep their order per partition, and two topics are written once', async () => {
    const cluster = await startCluster({ topics: { a: 2, b: 2 } })
    const fields = { topic: path('to'), key: path('k'), payload: { n: path('n') } }
    const destination = newDestination(cluster, { fields, topicAllowList: 'any' })
    const events = Array.from({ length: 1002 }, (_, n) => track({ n, to: n % 2 === 0 ? 'a' : 'b', k: `k${n % 7}` }))
    const results = await destination.deliver(events)
    expect(results.every(({ status }) => status === 200)).toBe(true)
    for (const [topic, rest] of [
      ['a', 0],
      ['b', 1],
    ] as const) {
      const numbers = cluster.records(topic).map((record) => ({ ...record, n: numberOf(record.value) }))
      expect(numbers.map(({ n }) => n).sort((x, y) => x - y)).toEqual(
        Array.from({ length: 501 }, (_, i) => 2 * i + rest),
      )
      for (const partition of [0, 1]) {
        const own = numbers.filter((record) => record.partition === partition).map(({ n }) => n)
        expect(own).toEqual([...own].sort((x, y) => x - y))
      }
    }
  })

  test('those that are invalid, too deep, in a circle or with a BigInt get 400, the rest succeeds', async () => {
    const cluster = await startCluster({ topics: { t: 1 } })
    let deep: unknown = 1
    for (let i = 0; i < 200_000; i++) deep = [deep]
    const circle: Record<string, unknown> = track()
    circle['self'] = circle
    const events = [track(), track({ deep }), circle, track({ big: 1n }), null, 'x', track({ last: true })]
    const results = await newDestination(cluster).deliver(events)
    expect(results.map(({ event, status }) => [event, status])).toEqual([
      ...[
        [0, 200],
        [1, 400],
        [2, 400],
        [3, 400],
        [4, 400],
        [5, 400],
        [6, 200],
      ],
    ])
    expect(results.slice(1, 5).map(({ error }) => error?.message)).toEqual([
      'Payload cannot be written as JSON: it is too deep or too large.',
      'Payload cannot be written as JSON: it holds itself.',
      'Payload cannot be written as JSON: it has a BigInt.',
      'The event must be an object.',
    ])
    expect(written(cluster)).toHaveLength(2)
  })

  test('an event that throws when it is looked at gets 400', async () => {
    const cluster = await startCluster()
    const hostile = new Proxy(track(), {
      get: () => {
        throw new Error('no')
      },
      getOwnPropertyDescriptor: () => {
        throw new Error('no')
      },
    })
    expect(await newDestination(cluster).deliver([hostile, track()])).toMatchObject([{ status: 400 }, { status: 200 }])
  })
})

describe('seg-S13: batch limits', () => {
  const requestsFor = async (fields: Record<string, unknown>, events: readonly object[]): Promise<number> => {
    const cluster = await startCluster({ topics: { t: 1 } })
    const destination = newDestination(cluster, { fields })
    const results = await destination.deliver(events)
    expect(results.every(({ status }) => status === 200)).toBe(true)
    return cluster.requests.filter(({ api }) => api === 'Produce').length
  }
  const ten = Array.from({ length: 10 }, (_, n) => track({ n, k: `k${n % 2}`, text: 'x'.repeat(2000) }))

  test('together by default', async () => expect(await requestsFor({}, ten)).toBe(1))
  test('batch_size', async () => expect(await requestsFor({ batch_size: 4 }, ten)).toBe(3))
  test('batch_bytes', async () => expect(await requestsFor({ batch_bytes: 5000 }, ten)).toBe(5))
  test('batch_keys', async () =>
    expect(await requestsFor({ key: path('k'), batch_keys: ['topic', 'key'] }, ten)).toBe(2))
  test('enable_batching off', async () => expect(await requestsFor({ enable_batching: false }, ten)).toBe(10))

  test('batch_bytes has a minimum', async () => {
    const cluster = await startCluster()
    const [result] = await newDestination(cluster, { fields: { batch_bytes: 4999 } }).deliver([track()])
    const message = 'Batch Bytes must be equal to or greater than 5000.'
    expect(result).toMatchObject({ status: 400, retry: false, error: { message } })
  })
})

describe('who is asked', () => {
  test('mappings that are off, triggers that do not match and integrations that say no give no result', async () => {
    const cluster = await startCluster()
    const mappings = [
      { name: 'off', enabled: false, fields: { topic: 't', ...wholeEvent } },
      { name: 'default', fields: { topic: 't', ...wholeEvent } },
      { name: 'alias', trigger: 'type = "alias"', fields: { topic: 't', ...wholeEvent } },
    ]
    const destination = newDestination(cluster, { mappings })
    const no = { ...track(), integrations: { All: false } }
    const yes = { ...track(), integrations: { All: false, Kafka: true } }
    const results = await destination.deliver([track(), { type: 'alias' }, { type: 'delete' }, no, yes])
    expect(results.map(({ event, mapping }) => [event, mapping])).toEqual([
      [0, 'default'],
      [1, 'alias'],
      [4, 'default'],
    ])
  })

  test('seg-S22: at most 50 mappings, and mistakes name theirs', async () => {
    const cluster = await startCluster()
    const mapping = { name: 'm', fields: { topic: 't', ...wholeEvent } }
    const settings = settingsFor(cluster)
    expect(() =>
      newDestination(cluster, { settings, mappings: Array.from({ length: 50 }, () => mapping) }),
    ).not.toThrow()
    expect(() => newDestination(cluster, { mappings: Array.from({ length: 51 }, () => mapping) })).toThrow(
      /at most 50 mappings, these are 51/,
    )
    expect(() => newDestination(cluster, { mappings: [{ ...mapping, trigger: 'type = ' }] })).toThrow(
      /mapping "m": .*position/,
    )
    const wrong = [{ ...mapping, fields: { topic: 't', key: { '@foo': 1 } } }]
    expect(() => newDestination(cluster, { mappings: wrong })).toThrow(
      /mapping "m": .*\/key has an invalid directive: @foo/,
    )
    expect(() => newDestination(cluster, { settings: { ...settings, brokers: 'x' } })).toThrow(
      expect.objectContaining({ name: 'SettingsError', status: 400, code: 'BROKER_FORMAT_INVALID' }) as Error,
    )
  })
})

function numberOf(value: Uint8Array | null): number {
  return (JSON.parse(String(value)) as { n: number }).n
}

test('isBatch: one event follows the rules of a batch, where an empty key is a key', async () => {
  const cluster = await startCluster({ topics: { t: 12 } })
  const mappings = [{ name: 'all', fields: { topic: 't', key: '', ...wholeEvent } }]
  const destination = newDestination(cluster, { mappings })
  await destination.deliver([track()])
  const [inBatch] = await destination.deliver([track()], { isBatch: true })
  const keys = cluster.records('t').map(({ key }) => (key === null ? null : String(key)))
  expect([...keys].sort()).toEqual(['', null])
  expect(inBatch).toMatchObject({ status: 200, partition: 9 }) // of the table in A.5
})
