import { describe, expect, test } from 'vitest'
import { FakeClock } from '../support/fake-clock.ts'
import { newDestination, startCluster, track, written } from './harness.ts'

/** What Segment's destination does not have. */
describe('beyond Segment', () => {
  test('the time of the record is that of the event, where it has one', async () => {
    const cluster = await startCluster({ topics: { t: 1 } })
    const at = '2026-01-02T03:04:05.678Z'
    const events = [
      { ...track(), timestamp: at },
      { ...track(), timestamp: 'soon' },
    ]
    await newDestination(cluster, { timestamp: 'event' }).deliver(events)
    const [first, second] = cluster.records('t').map(({ timestamp }) => timestamp)
    expect(first).toBe(Date.parse(at))
    expect(second).toBeGreaterThan(Date.parse(at))
  })

  test('compression', async () => {
    const cluster = await startCluster({ topics: { t: 1 } })
    await newDestination(cluster, { compression: 'gzip' }).deliver([track({ text: 'x'.repeat(1000) })])
    expect(cluster.records('t')[0]?.compression).toBe('gzip')
  })

  test('events that are refused for good go to the dead-letter topic, with the reason', async () => {
    const cluster = await startCluster({ topics: { t: 3, dead: 1 } })
    const fields = { partition: { '@path': '$.properties.p' } }
    const destination = newDestination(cluster, { fields, deadLetterTopic: 'dead' })
    const bad = track({ p: 99 })
    const [good, result] = await destination.deliver([track(), bad])
    expect(good).not.toHaveProperty('deadLetter')
    expect(result).toMatchObject({ status: 400, deadLetter: { topic: 'dead', partition: 0, offset: 0n } })
    expect(JSON.parse(JSON.stringify([good, result]))).toMatchObject([
      { offset: '0' },
      { deadLetter: { topic: 'dead', offset: '0' } },
    ])
    const [letter] = cluster.records('dead')
    expect(String(letter?.value)).toBe(JSON.stringify(bad))
    const headers = Object.fromEntries((letter?.headers ?? []).map(([name, value]) => [name, String(value)]))
    expect(headers).toMatchObject({
      'headrace-error-status': '400',
      'headrace-error-code': 'UNKNOWN_PARTITION',
      'headrace-mapping': 'all',
      'headrace-topic': 't',
    })
  })

  test('a messageId is delivered once within the window, also in one call and in calls at once', async () => {
    const cluster = await startCluster({ topics: { t: 1 } })
    const clock = new FakeClock()
    const destination = newDestination(cluster, { clock, dedupe: { windowMs: 1000 } })
    const event = { ...track(), messageId: 'm-1' }
    const [[first, again], [atOnce]] = await Promise.all([
      destination.deliver([event, event]),
      destination.deliver([event]),
    ])
    expect(first).toMatchObject({ event: 0, status: 200, offset: 0n })
    expect(first).not.toHaveProperty('isDuplicate')
    expect(again).toMatchObject({ event: 1, status: 200, offset: 0n, isDuplicate: true })
    expect(atOnce).toMatchObject({ event: 0, status: 200, offset: 0n, isDuplicate: true })
    await clock.advance(999)
    expect(await destination.deliver([event])).toMatchObject([{ offset: 0n, isDuplicate: true }])
    await clock.advance(1)
    expect(await destination.deliver([event])).toMatchObject([{ offset: 1n }])
    expect(written(cluster)).toHaveLength(2)
  })

  test('what failed is not taken for delivered', async () => {
    const cluster = await startCluster({ topics: { t: 1 } })
    const destination = newDestination(cluster, { dedupe: true })
    cluster.fail({ api: 'Produce', error: 'TOPIC_AUTHORIZATION_FAILED' })
    const event = { ...track(), messageId: 'm-1' }
    expect(await destination.deliver([event])).toMatchObject([{ status: 403 }])
    const [result] = await destination.deliver([event])
    expect(result).toMatchObject({ status: 200 })
    expect(result).not.toHaveProperty('isDuplicate')
  })

  test('a list that breaks off sends nothing, and holds up nobody who has the same event', async () => {
    const cluster = await startCluster({ topics: { t: 1 } })
    const destination = newDestination(cluster, { dedupe: true })
    const event = { ...track(), messageId: 'm-1' }
    function* broken(): Generator {
      yield event
      throw new Error('the list is broken')
    }
    await expect(destination.deliver(broken(), { isBatch: true })).rejects.toThrow('the list is broken')
    expect(written(cluster)).toEqual([])
    const [result] = await destination.deliver([event])
    expect(result).toMatchObject({ status: 200, offset: 0n })
    expect(result).not.toHaveProperty('isDuplicate')
  })

  test('seg-S19: membership of an audience, in a member of the payload; the event stays as it is', async () => {
    const cluster = await startCluster({ topics: { t: 1 } })
    const personas = { computation_class: 'audience', computation_key: 'vip' }
    const event = { type: 'identify', traits: { vip: false }, context: { personas } }
    const mappings = [{ name: 'm', audience: 'is_member', fields: { topic: 't', payload: { '@path': '$.' } } }]
    const before = JSON.stringify(event)
    await newDestination(cluster, { mappings }).deliver([event, track()])
    expect(JSON.stringify(event)).toBe(before)
    expect(written(cluster)).toEqual([
      `0 - ${before.slice(0, -1)},"is_member":false}`,
      `0 - ${JSON.stringify(track())}`,
    ])
  })

  test('options that are wrong are told, all at once', async () => {
    const cluster = await startCluster()
    const wrong = { timestamps: 'event', idleMs: -1, dedupe: { windowMs: 'x' } } as object
    expect(() => newDestination(cluster, wrong)).toThrow(/timestamps: unknown option; dedupe: .*; idleMs: /)
    expect(() => newDestination(cluster, { producer: { ssl: {} } as object })).toThrow(/ssl/)
  })
})
