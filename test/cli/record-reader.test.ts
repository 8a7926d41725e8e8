import { describe, expect, test } from 'vitest'
import { recordReader, type RecordReaderOptions } from '../../src/cli/record-reader.ts'

const base: RecordReaderOptions = {
  topic: 't',
  format: 'lines',
  keyField: null,
  keySeparator: null,
  headers: [],
  partition: null,
}

function read(options: Partial<RecordReaderOptions>, line: string | Buffer): unknown {
  const record = recordReader({ ...base, ...options })(Buffer.from(line as string))
  if (record === null) return null
  return 'message' in record ? record.message : [record.key?.toString() ?? null, record.value?.toString() ?? null]
}

describe('lines', () => {
  test('are values as they are', () => {
    expect(read({}, 'a:b')).toEqual([null, 'a:b'])
    expect(read({}, '')).toEqual([null, ''])
  })

  test('give the key before the first separator, if there is one', () => {
    const options = { keySeparator: Buffer.from('::') }
    expect(read(options, 'k::v::w')).toEqual(['k', 'v::w'])
    expect(read(options, '::v')).toEqual(['', 'v'])
    expect(read(options, 'k::')).toEqual(['k', ''])
    expect(read(options, 'v:')).toEqual([null, 'v:'])
  })

  test('carry topic, headers and partition', () => {
    const headers = [['h', '1']] as const
    const record = recordReader({ ...base, headers, partition: 2 })(Buffer.from('v'))
    expect(record).toEqual({ topic: 't', key: null, value: Buffer.from('v'), headers, partition: 2 })
  })
})

describe('ndjson', () => {
  const key = (keyField: string, line: string): unknown => (read({ format: 'ndjson', keyField }, line) as unknown[])[0]

  test.each([
    ['id', '{"id":"k"}', 'k'],
    ['id', '{"id":""}', ''],
    ['id', '{"id":12345678901234567890}', '12345678901234567890'],
    ['id', '{"id":1.0}', '1.0'],
    ['id', '{"id":false}', 'false'],
    ['id', '{"id":{"a": [1]}}', '{"a": [1]}'],
    ['id', '{"id":null}', null],
    ['id', '{}', null],
    ['id', '[]', null],
    ['id', '7', null],
    ['a.b', '{"a":{"b":"k"}}', 'k'],
    ['a.b', '{"a":{"b":"nested"},"a.b":"flat"}', 'flat'],
    ['a.b', '{"a":"text"}', null],
    ['length', '{"a":1}', null],
    ['constructor', '{"a":1}', null],
    ['__proto__', '{"a":1}', null],
  ])('key %s of %s is %j', (field, line, expected) => {
    expect(key(field, line)).toBe(expected)
  })

  test('the value is the bytes of the line', () => {
    expect(read({ format: 'ndjson' }, ' {"a" : 1.0, "b":"\\u00e9é"}  ')).toEqual([
      null,
      ' {"a" : 1.0, "b":"\\u00e9é"}  ',
    ])
  })

  test('lines without anything are skipped', () => {
    expect(read({ format: 'ndjson' }, '')).toBeNull()
    expect(read({ format: 'ndjson' }, ' \t\r')).toBeNull()
  })

  test('what is not JSON is told without its contents', () => {
    expect(read({ format: 'ndjson' }, '{"secret":hunter2}')).toMatch(/^not valid JSON: /)
    expect(read({ format: 'ndjson' }, '{"secret":hunter2}')).not.toContain('secret')
    expect(read({ format: 'ndjson' }, '{"secret":"hun')).not.toContain('hun')
    expect(read({ format: 'ndjson' }, '\uFEFF{}')).toContain('byte order mark')
    expect(read({ format: 'ndjson' }, Buffer.from([0x22, 0xff, 0x22]))).toContain('not UTF-8')
  })
})
