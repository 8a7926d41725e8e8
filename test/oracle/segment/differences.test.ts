import { beforeAll, expect, it } from 'vitest'
import { KafkaDestination } from '../../../src/destination/destination.ts'
import { validateSettings } from '../../../src/destination/settings/validate-settings.ts'
import { toProducerOptions } from '../../../src/destination/settings/producer-options.ts'
import { parseTrigger } from '../../../src/destination/trigger/parse-trigger.ts'
import { canarySecret } from '../../support/canary.ts'
import { TestCluster } from '../../../src/testing/test-cluster.ts'
import { describeWhere } from '../../support/kafka/require-brokers.ts'
import { errorOf, theirs } from './both-sides.ts'
import { MappingProbe, ourOutcome, type Outcome } from './compare-mapping.ts'
import { ourAnswer, theirAnswer, type Answer } from './compare-triggers.ts'
import { differences, differencesOf, type DifferenceId } from './differences.ts'
import { framework, kafkaCode, segmentAvailable, subscriptions } from './segment-code.ts'

let probe: MappingProbe

describeWhere(segmentAvailable, "what is different from Segment's own code, and how", () => {
  beforeAll(() => void (probe = new MappingProbe()))

  it('every difference has a name of its own, and says what and why', () => {
    expect(new Set(differences.map(({ id }) => id)).size).toBe(differences.length)
    for (const difference of differences) for (const text of Object.values(difference)) expect(text).not.toBe('')
  })

  it.each((['mapping', 'trigger', 'settings'] as const).flatMap((where) => differencesOf(where).map(({ id }) => [id])))(
    'differs: %s',
    async (id) => {
      await shows[id as keyof typeof shows]()
    },
  )
})

const sent = (payload: object, topic = 't'): object => ({
  kind: 'sent',
  message: { topic, value: JSON.stringify(payload) },
})
const invalid = { kind: 'invalid' }

async function mapped(payload: unknown, event: object, upstream: object, own: object): Promise<void> {
  await both({ topic: 't', payload: { a: payload } }, event, upstream, own)
}

async function both(mapping: object, event: object, upstream: object, own: object, isBatch = false): Promise<void> {
  expect(await probe.outcome(mapping, event, isBatch)).toMatchObject(upstream)
  expect(ourOutcome(mapping, event, isBatch)).toMatchObject(own)
}

function trigger(text: string, event: object, upstream: Answer, own: Answer): void {
  expect([theirAnswer(text, event), ourAnswer(text, event)], text).toEqual([upstream, own])
}

const plain = {
  ...{ clientId: 'c', brokers: 'h:1', mechanism: 'plain', username: 'u', ssl_enabled: true },
  password: canarySecret("a password for Segment's checks"),
}

/** Codes of what is wrong with settings, as Segment's `validate` has it and as ours. */
function codes(changes: object): { upstream: string[]; own: string[] } {
  const settings = { ...plain, ...changes }
  const own = validateSettings(settings).map(({ code }) => code)
  try {
    kafkaCode().validate(settings)
    return { upstream: [], own }
  } catch (error) {
    return { upstream: [(error as { code: string }).code], own }
  }
}

/** What the framework says of settings before the code sees them; null: nothing. */
async function refusalBySchema(changes: object): Promise<string | null> {
  const { definition } = kafkaCode()
  const authentication = { ...definition.authentication, testAuthentication: () => Promise.resolve() }
  const destination = new (framework().Destination)({ ...definition, authentication })
  return destination.testAuthentication({ ...plain, ...changes }).then(
    () => null,
    (error: unknown) => (error as Error).message,
  )
}

const shows = {
  'mapping-checked-whole': async () => {
    await mapped([{ '@foo': 1 }], {}, { kind: 'failed' }, invalid)
    await mapped({ '@case': { operator: 'title', value: { '@path': '$.a' } } }, { a: 'x' }, { kind: 'failed' }, invalid)
    const long = { value: { '@path': '$.a' }, pattern: 'a', pattern2: '01234567890' }
    await mapped({ '@replace': long }, { a: 'x' }, { kind: 'failed' }, invalid)
    await mapped({ '@liquid': '{{ a' }, {}, { kind: 'failed' }, invalid)
    // Where the event does not lead there, it is never found.
    await mapped({ '@if': { exists: { '@path': '$.a' }, then: [{ '@foo': 1 }] } }, {}, sent({}), invalid)
  },
  'options-unused': () =>
    mapped({ '@if': { exists: { '@path': '$.a' }, note: { '@path': 1 } } }, {}, invalid, sent({})),
  'own-members': async () => {
    const upstream = { kind: 'sent', message: { value: expect.stringContaining('function toString') as string } }
    await mapped({ '@template': '{{toString}}' }, {}, upstream, sent({ a: '' }))
    const event = JSON.parse('{"__proto__":{"x":1}}') as object
    await both({ topic: 't', payload: { '@path': '$.' } }, event, sent({}), sent(event))
    trigger('properties.toString != null', { properties: {} }, true, false)
  },
  'replace-dollar': async () => {
    const put = (replacement: string): object => ({ '@replace': { value: 'price', pattern: 'r', replacement } })
    await mapped(put('[$&]'), {}, sent({ a: 'p[r]ice' }), sent({ a: 'p[$&]ice' }))
    await mapped(put('$$'), {}, sent({ a: 'p$ice' }), sent({ a: 'p$$ice' }))
  },
  'template-once': () =>
    mapped({ '@template': '{{{a}}}' }, { a: '{{b}}', b: 'secret' }, sent({ a: 'secret' }), sent({ a: '{{b}}' })),
  'template-to-string': () =>
    mapped({ '@template': '{{o}}' }, { o: { toString: 'x' } }, { kind: 'failed' }, sent({ a: '[object Object]' })),
  'liquid-unknown-filter': () => mapped({ '@liquid': '{{ a | uppercase }}' }, { a: 'x' }, sent({ a: 'x' }), invalid),
  'json-mode-case': () =>
    mapped({ '@json': { mode: 'ENCODE', value: { '@path': '$.a' } } }, { a: 1 }, sent({}), invalid),
  'merge-direction-case': () => {
    const objects = [{ x: 1 }, { x: 2 }]
    return mapped({ '@merge': { direction: 'LEFT', objects } }, {}, sent({ a: { x: 2 } }), invalid)
  },
  'mapping-error-alone': async () => {
    const events = [{ type: 'track', a: 'topic' }, { type: 'track' }]
    const mapping = { topic: 't', payload: { k: { '@template': { '@path': '$.a' } } } }
    const error = await errorOf(theirs({ settings: {}, mapping, events }))
    expect(error.message).toBe('@template: expected string, got undefined')
    await using cluster = await TestCluster.start({ topics: { t: 1 }, sasl: { users: { u: plain.password } } })
    const settings = { ...plain, brokers: cluster.bootstrap, ssl_enabled: false } as const
    await using destination = new KafkaDestination({
      settings: { ...settings, mechanism: 'plain' },
      mappings: [{ name: 'm', fields: mapping }],
    })
    expect((await destination.deliver(events))[1]).toMatchObject({ status: 400, error: { code: 'MAPPING_FAILED' } })
    expect(cluster.records('t').map(({ value }) => String(value))).toEqual(['{"k":"topic"}'])
  },
  'topic-empty': async () => {
    const refused: Partial<Outcome> = { kind: 'refused', text: "The root value is missing the required field 'topic'." }
    const mapping = { topic: { '@path': '$.to' }, payload: {} }
    await both(mapping, { to: '' }, sent({}, ''), refused, true)
    await both({ ...mapping, topic: [''] }, {}, sent({}, ''), refused)
  },
  'trigger-precedence': () => {
    const text = 'type = "track" or type = "page" and event = "X"'
    trigger(text, { type: 'track' }, false, true)
    expect(ourAnswer(text, { type: 'track' }, 'last-wins')).toBe(false)
  },
  'trigger-nested-parentheses': () => trigger('((type = "track"))', { type: 'track' }, 'error', true),
  'trigger-call-in-parentheses': () => {
    const text = '(contains(event, "Ord") or type = "x") and type = "track"'
    trigger(text, { type: 'track', event: 'Order' }, false, true)
  },
  'trigger-negation': () => {
    trigger('!(type = "track")', { type: 'track' }, true, false)
    trigger('not type = "track"', { type: 'track' }, true, false)
  },
  'trigger-capitals': () => {
    trigger('type = "x" OR type = "track"', { type: 'track' }, false, true)
    trigger('properties.a = TRUE', { properties: { a: true } }, false, true)
  },
  'trigger-event-null': () => {
    trigger('event = null', {}, false, true)
    trigger('event != null', {}, true, false)
    trigger('type != null', {}, true, false)
  },
  'trigger-not-true': () => trigger('properties.a != true', { properties: { a: true } }, true, false),
  'trigger-text-subjects': () => {
    trigger('userId = 5', { userId: 5 }, false, true)
    trigger('userId = 5', { userId: '5' }, true, true)
    trigger('event = true', { event: true }, false, true)
    trigger('event = true', { event: 'true' }, true, false)
  },
  'trigger-contains-type': () => {
    trigger('contains(type, "rac")', { type: 'track' }, 'error', true)
    trigger('match(type, "tr*")', { type: 'track' }, 'error', true)
  },
  'trigger-single-quotes': () => trigger("type = 'track'", { type: 'track' }, false, true),
  'trigger-exponents': () => {
    trigger('properties.a = 1e21', { properties: { a: 1e21 } }, false, true)
    trigger('properties.a = 1e21', { properties: { a: 1 } }, true, false)
  },
  'trigger-names': () => {
    trigger('properties.é = null', {}, 'error', true)
    trigger('traits.and = 1', { traits: { and: 1 } }, false, true)
    trigger('properties.0 = null', {}, false, true)
  },
  'trigger-match-star': () => {
    trigger('match(event, "Order")', { event: 'Border' }, true, 'error')
    trigger('match(event, "Order")', { event: 'xrder' }, true, 'error')
  },
  'trigger-leftovers': () => {
    const event = { type: 'track', properties: { a: 'b' } }
    trigger('type =', { type: 'eos' }, true, 'error')
    trigger('type = "track" foo = "x"', event, true, 'error')
    trigger('type = "track")', event, true, 'error')
    trigger('properties.a = b', event, true, 'error')
    trigger('properties.a < "x"', event, false, 'error')
    trigger('type = "track" or', event, true, 'error')
  },
  'trigger-error-text': () => {
    const { error } = subscriptions().parseFql('typo = "x"')
    expect(error?.message).toMatch(/^Cannot read properties of undefined/)
    expect(() => parseTrigger('typo = "x"')).toThrow(/expected a condition on .*, got typo \(position 0/)
  },
  'brokers-strict': () => {
    for (const brokers of ['h:0x10', 'h:1e3', 'h:9092:77', 'h: 9092', 'h:+5', 'h:0b11', 'h:-0', '[a]:1']) {
      expect(codes({ brokers }), brokers).toEqual({ upstream: [], own: ['BROKER_FORMAT_INVALID'] })
    }
  },
  'brokers-none': () => {
    for (const brokers of ['', ',', ' ,, ']) {
      expect(codes({ brokers }), brokers).toEqual({ upstream: [], own: ['BROKER_FORMAT_INVALID'] })
    }
  },
  'brokers-ipv6': () =>
    expect(codes({ brokers: '[::1]:9092' })).toEqual({ upstream: ['BROKER_FORMAT_INVALID'], own: [] }),
  'client-id-empty': async () => {
    expect(await refusalBySchema({ clientId: null })).toBe(null)
    const [problem] = validateSettings({ ...plain, clientId: null })
    expect(problem?.message).toBe("The root value is missing the required field 'clientId'.")
    expect(await refusalBySchema({ clientId: undefined })).toBe(problem?.message)
  },
  'settings-all-problems': () =>
    expect(codes({ username: '', brokers: 'x' })).toEqual({
      upstream: ['SASL_PARAMS_MISSING'],
      own: ['SASL_PARAMS_MISSING', 'BROKER_FORMAT_INVALID'],
    }),
  'tls-default': async () => {
    // What Segment's code does then: it speaks without TLS.
    await using cluster = await TestCluster.start({ topics: { t: 1 }, sasl: { users: { u: plain.password } } })
    const settings = { ...plain, brokers: cluster.bootstrap, ssl_enabled: undefined }
    const events = [{ type: 'track' }]
    expect(await theirs({ settings, mapping: { topic: 't', payload: {} }, events }, {})).toMatchObject([
      { status: 200 },
    ])
    expect(cluster.records('t')).toHaveLength(1)
    expect(toProducerOptions(settings).tls).toEqual({ rejectUnauthorized: true })
  },
  'aws-iam': async () => {
    const keys = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: canarySecret("a key for Segment's checks") }
    const host = 'b-1.demo.abc123.c2.kafka.eu-west-1.amazonaws.com:9098'
    const settings = { ...plain, ...keys, mechanism: 'aws', brokers: host }
    expect(await refusalBySchema(settings)).toMatch(/^Authentication Mechanism must be one of/)
    expect(validateSettings(settings)).toEqual([])
    expect(toProducerOptions(settings).sasl).toMatchObject({ mechanism: 'aws-msk-iam', region: 'eu-west-1' })
  },
} as const satisfies Partial<Record<DifferenceId, () => Promise<void> | void>>
