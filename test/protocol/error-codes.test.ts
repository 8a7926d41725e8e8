import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { BrokerError } from '../../src/errors.ts'
import { ERROR_CODES, errorByCode, errorByName, isRetriable, toBrokerError } from '../../src/protocol/error-codes.ts'
import type { ErrorCode } from '../../src/protocol/error-codes.ts'

interface GoldenCode {
  readonly code: number
  readonly name: string
  readonly retriable: boolean
  readonly invalidMetadata: boolean
}
const golden = JSON.parse(readFileSync(new URL('../fixtures/golden.json', import.meta.url), 'utf8')) as {
  errorCodes: { codes: GoldenCode[] }
}
const { codes } = golden.errorCodes

/** New between the golden table (4.0) and 4.3.1, printed from the latter's `Errors` by reflection. */
const NEWER: GoldenCode[] = [
  { code: 129, name: 'REBOOTSTRAP_REQUIRED', retriable: false, invalidMetadata: false },
  { code: 130, name: 'STREAMS_INVALID_TOPOLOGY', retriable: false, invalidMetadata: false },
  { code: 131, name: 'STREAMS_INVALID_TOPOLOGY_EPOCH', retriable: false, invalidMetadata: false },
  { code: 132, name: 'STREAMS_TOPOLOGY_FENCED', retriable: false, invalidMetadata: false },
  { code: 133, name: 'SHARE_SESSION_LIMIT_REACHED', retriable: true, invalidMetadata: false },
]
const all = [...codes, ...NEWER]

const where = (matches: (row: ErrorCode) => boolean): number[] => ERROR_CODES.filter(matches).map((row) => row.code)

describe('the table of error codes', () => {
  test('has the numbers and names of Kafka, in the order of the numbers', () => {
    expect(codes).toHaveLength(130)
    expect(ERROR_CODES.map(({ code, name }) => [code, name])).toEqual(all.map(({ code, name }) => [code, name]))
  })

  test('tries again wherever the Java client does', () => {
    for (const { code, retriable, invalidMetadata } of all) {
      const { recovery } = errorByCode(code)
      if (invalidMetadata) expect([code, recovery]).toEqual([code, 'refresh-metadata'])
      if (retriable) expect([code, isRetriable(recovery)]).toEqual([code, true])
    }
  })

  test('tries again where the Java client does not, only for -1 and for lost sequences', () => {
    const javaRetriable = new Set(all.filter((row) => row.retriable).map((row) => row.code))
    expect(where((row) => isRetriable(row.recovery) && !javaRetriable.has(row.code))).toEqual([-1, 45, 47, 59])
  })

  test('names the special cases of Produce', () => {
    expect(where((row) => row.recovery === 'none')).toEqual([0])
    expect(where((row) => row.recovery === 'duplicate')).toEqual([46])
    expect(where((row) => row.recovery === 'split')).toEqual([10, 18])
    expect(where((row) => row.recovery === 'retry-briefly')).toEqual([2])
    expect(where((row) => row.recovery === 'reset-producer-id')).toEqual([45, 47, 59])
  })

  // reference/faults-and-security.md, 2.3
  test.each([-1, 0, 6, 7, 13, 20, 46, 56, 74])('answer %d to Produce: the records may be in the log', (code) => {
    expect(errorByCode(code).maybeWritten).toBe(true)
  })

  test.each([2, 3, 5, 9, 10, 17, 18, 19, 29, 31, 45, 47, 53, 59, 87, 89, 90, 100])(
    'answer %d to Produce: this attempt wrote nothing',
    (code) => expect(errorByCode(code).maybeWritten).toBe(false),
  )

  test('has one sentence for each, without a full stop and without control characters', () => {
    for (const { text } of ERROR_CODES) expect(text).toMatch(/^[\x20-\x7e]{8,}[^.]$/)
    expect(new Set(ERROR_CODES.map((row) => row.text)).size).toBe(ERROR_CODES.length)
  })
})

describe('errorByCode and errorByName', () => {
  test('find the same row', () => {
    for (const row of ERROR_CODES) {
      expect(errorByCode(row.code)).toBe(row)
      expect(errorByName(row.name)).toBe(row)
    }
  })

  test.each([-2, 134, 32767, -32768])('%d, which nobody knows, gives a row that fails and promises nothing', (code) => {
    const row = errorByCode(code)
    expect(row).toMatchObject({ code, name: `UNKNOWN_ERROR_${code}`, recovery: 'fail', maybeWritten: true })
  })

  test('a name that nobody knows gives nothing', () => {
    expect(errorByName('toString')).toBeUndefined()
  })
})

describe('toBrokerError', () => {
  test('says where, what, and the number', () => {
    const error = toBrokerError(19, 'Produce orders-3', { topic: 'orders', partition: 3, attempts: 2 })
    expect(error).toBeInstanceOf(BrokerError)
    expect(error).toMatchObject({ code: 'NOT_ENOUGH_REPLICAS', errorCode: 19, retriable: true, maybeWritten: false })
    expect(error).toMatchObject({ topic: 'orders', partition: 3, attempts: 2 })
    expect(error.message).toBe(
      'Produce orders-3: NOT_ENOUGH_REPLICAS (19): fewer replicas are in sync than min.insync.replicas asks for, so nothing was written',
    )
  })

  test('takes what the caller knows better', () => {
    const error = toBrokerError(29, 'Produce orders-3', { maybeWritten: true, retriable: true })
    expect(error).toMatchObject({ retriable: true, maybeWritten: true })
    expect(toBrokerError(29, 'Produce orders-3')).toMatchObject({ retriable: false, maybeWritten: false })
  })
})
