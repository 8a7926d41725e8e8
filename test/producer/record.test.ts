import { describe, expect, it } from 'vitest'
import type { ProducerRecord } from '../../src/index.ts'
import { checkRecord } from '../../src/producer/record.ts'

const NOW_MS = 1_700_000_000_000
const check = (record: unknown): ReturnType<typeof checkRecord> => checkRecord(record as ProducerRecord, NOW_MS)

describe('checkRecord', () => {
  it('fills in what was left out', () => {
    expect(check({ topic: 't', value: 'v' })).toMatchObject({
      topic: 't',
      partition: null,
      timestamp: NOW_MS,
      key: null,
      value: 'v',
      headers: [],
    })
  })

  it('tells null from empty, in key and value', () => {
    expect(check({ topic: 't', value: null, key: '' })).toMatchObject({ value: null, key: Buffer.alloc(0) })
    expect(check({ topic: 't', value: '', key: null })).toMatchObject({ value: '', key: null })
  })

  it('keeps the order and the doubles of headers, and leaves out undefined', () => {
    expect(check({ topic: 't', value: '', headers: { b: ['1', null], a: '2', gone: undefined } }).headers).toEqual([
      ['b', '1'],
      ['b', null],
      ['a', '2'],
    ])
    const pairs = new Map([['x', 'y']])
    expect(check({ topic: 't', value: '', headers: pairs }).headers).toEqual([['x', 'y']])
    expect(check({ topic: 't', value: '', headers: JSON.parse('{"__proto__": "p"}') }).headers).toEqual([
      ['__proto__', 'p'],
    ])
  })

  it.each([
    [undefined, 'expected a record, got undefined'],
    ['x', 'expected a record, got "x"'],
    [{ value: 'v' }, 'topic: got undefined, expected 1 to 249 characters'],
    [{ topic: '', value: 'v' }, 'topic: got "", expected 1 to 249'],
    [{ topic: 'x'.repeat(250), value: 'v' }, 'topic: got "xxx'],
    [{ topic: 't' }, 'topic "t": value is undefined; use null for a tombstone'],
    [{ topic: 't', value: undefined }, 'topic "t": value is undefined; use null for a tombstone'],
    [{ topic: 't', value: { a: 1 } }, 'topic "t": value: got an object, expected a string, a Uint8Array or null'],
    [{ topic: 't', value: 5 }, 'topic "t": value: got 5, expected'],
    [{ topic: 't', value: '', key: 17 }, 'topic "t": key: got 17, expected'],
    [{ topic: 't', value: '', partition: -1 }, 'topic "t": partition: got -1, expected an integer from 0'],
    [{ topic: 't', value: '', partition: '1' }, 'topic "t": partition: got "1"'],
    [{ topic: 't', value: '', partition: 2 ** 31 }, 'topic "t": partition: got 2147483648'],
    [{ topic: 't', value: '', timestamp: -1 }, 'topic "t": timestamp: got -1'],
    [{ topic: 't', value: '', timestamp: new Date('never') }, 'topic "t": timestamp: got NaN'],
    [{ topic: 't', value: '', headers: 'h' }, 'topic "t": headers: got "h", expected an object or pairs'],
    [{ topic: 't', value: '', headers: [['a']] }, 'topic "t": header "a": got undefined, expected a string'],
    [{ topic: 't', value: '', headers: [5] }, 'topic "t": headers: entry 0 is not a pair of a name and a value'],
    [{ topic: 't', value: '', headers: { a: 5 } }, 'topic "t": header "a": got 5'],
  ])('refuses %j: %s', (record, sentence) => {
    expect(() => check(record)).toThrow(`send: INVALID_RECORD: ${sentence}`)
  })
})
