import { describe, expect, test } from 'vitest'
import { Load } from '../../../src/cli/destination/load.ts'
import { Readiness } from '../../../src/cli/destination/readiness.ts'
import { RepeatedNotes } from '../../../src/cli/destination/repeated-notes.ts'
import { basicUser, WriteKeys } from '../../../src/cli/destination/write-keys.ts'

describe('Load', () => {
  test('tells as many seconds as the oldest has waited, 300 at most', async () => {
    let nowMs = 0
    const load = new Load({ maxEvents: 1, now: () => nowMs })
    let finish = (): void => undefined
    const first = load.carry(1, () => new Promise<void>((resolve) => (finish = resolve)))
    const waited = [0, 4100, 1_000_000].map((ms) => {
      nowMs = ms
      try {
        void load.carry(1, () => Promise.resolve())
        return null
      } catch (error) {
        return (error as { retryAfterSeconds: number }).retryAfterSeconds
      }
    })
    expect(waited).toEqual([1, 5, 300])
    finish()
    await first
    await load.idle()
    expect(load.events).toBe(0)
  })

  test('bounds the bytes that are on their way, whatever the number of events', async () => {
    const load = new Load({ maxEvents: 100, now: () => 0 })
    const half = 40 * 1024 * 1024
    let finish = (): void => undefined
    const first = load.carry(1, () => new Promise<void>((resolve) => (finish = resolve)), half)
    expect(() => load.carry(1, () => Promise.resolve(), half)).toThrow('Too many events')
    await load.carry(1, () => Promise.resolve(), 1000)
    finish()
    await first
    await load.carry(1, () => Promise.resolve(), half)
  })

  test('bounds what is read at once', () => {
    const load = new Load({ maxEvents: 1, now: () => 0 })
    load.addBodyBytes(60_000_000)
    expect(() => load.addBodyBytes(10_000_000)).toThrow('Too many events')
    load.removeBodyBytes(60_000_000)
    load.addBodyBytes(60_000_000)
  })
})

test('Readiness asks once in a while, and once at a time', async () => {
  let nowMs = 0
  let asked = 0
  const readiness = new Readiness({ ask: () => Promise.resolve(asked++), now: () => nowMs, cacheMs: 10 })
  expect(await Promise.all([readiness.isReady(), readiness.isReady()])).toEqual([true, true])
  expect(await readiness.isReady()).toBe(true)
  expect(asked).toBe(1)
  nowMs = 10
  expect(await readiness.isReady()).toBe(true)
  expect(asked).toBe(2)
})

test('RepeatedNotes says the same once in ten seconds, with how often', () => {
  let nowMs = 0
  const said: string[] = []
  const notes = new RepeatedNotes({ print: (text) => said.push(text), now: () => nowMs })
  notes.say('A', 1, 'a\nb')
  notes.say('A', 5, 'more')
  notes.say('B', 1, 'other')
  nowMs = 10_000
  notes.say('A', 2, 'again')
  expect(said).toEqual(['A (1): a b', 'B (1): other', 'A (7): again'])
})

test('WriteKeys knows its keys, and nothing else', () => {
  const keys = new WriteKeys(['one', 'two'])
  expect(['one', 'two', 'on', 'onet', ''].map((key) => keys.allows(key))).toEqual([true, true, false, false, false])
  expect([keys.isOpen, new WriteKeys([]).isOpen, new WriteKeys([]).allows('')]).toEqual([false, true, false])
})

test.each([
  [undefined, null],
  ['Bearer abc', null],
  ['Basic', null],
  [`Basic ${Buffer.from('key:').toString('base64')}`, 'key'],
  [`basic ${Buffer.from('key:a:b').toString('base64')}`, 'key'],
  [`Basic ${Buffer.from('key').toString('base64')}`, 'key'],
])('basicUser(%j)', (header, expected) => {
  expect(basicUser(header)).toBe(expected)
})
