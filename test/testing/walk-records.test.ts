import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeRecordBatch, encodeRecordBatch, stampRecordBatch } from '../../src/protocol/record-batch.ts'
import { checkBatch } from '../../src/testing/check-batch.ts'
import { walkRecords } from '../../src/testing/walk-records.ts'

const HEADER_BYTES = 61

interface BatchVector {
  readonly name: string
  readonly hex: string
  readonly javaResult: string
}

const file = new URL('../fixtures/golden.json', import.meta.url)
const golden = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly recordBatchV2: { readonly vectors?: readonly BatchVector[] } | readonly BatchVector[]
  readonly recordBatchV2MustReject: readonly BatchVector[]
}

const bytes = fc.option(fc.uint8Array({ maxLength: 200 }), { freq: 4 })
const record = fc.record({
  key: bytes,
  value: bytes,
  timestamp: fc.integer({ min: 0, max: 2 ** 45 }),
  headers: fc.array(fc.tuple(fc.string({ unit: 'grapheme', maxLength: 5 }), bytes), { maxLength: 3 }),
})
const records = fc.array(record, { minLength: 1, maxLength: 150 })

describe('walkRecords', () => {
  it('accepts what the encoder writes, and finds its latest timestamp', () => {
    fc.assert(
      fc.property(records, (list) => {
        const base = list[0]?.timestamp ?? 0
        const walk = walkRecords(encodeRecordBatch(list), HEADER_BYTES, list.length)
        expect(walk.problem).toBeNull()
        expect(walk.maxTimestampDelta).toBe(Math.max(...list.map(({ timestamp }) => timestamp - base)))
      }),
    )
  })

  it('refuses what the decoder refuses, and nothing else, wherever a byte is changed', () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }))
    let refused = 0
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 4 }), change, (list, [place, byte]) => {
        const batch = Buffer.from(encodeRecordBatch(list))
        batch[HEADER_BYTES + (place % (batch.length - HEADER_BYTES))] = byte
        stampRecordBatch(batch, null)
        const isAccepted = walkRecords(batch, HEADER_BYTES, list.length).problem === null
        if (!isAccepted) refused++
        expect(isAccepted).toBe(isDecoded(batch))
      }),
      { numRuns: 3000 },
    )
    expect(refused).toBeGreaterThan(100)
  })

  it('refuses every truncation', () => {
    const batch = encodeRecordBatch([{ key: 'k', value: 'v', timestamp: 1, headers: [['h', null]] }])
    for (let end = HEADER_BYTES; end < batch.length; end++) {
      expect(walkRecords(batch.subarray(0, end), HEADER_BYTES, 1).problem).not.toBeNull()
    }
  })
})

/** Timestamps beyond 2^53 are legal for a broker, but not for our decoder. */
function isDecoded(batch: Uint8Array): boolean {
  try {
    decodeRecordBatch(batch)
    return true
  } catch (error) {
    return error instanceof Error && error.message.includes('timestamp beyond')
  }
}

describe('checkBatch', () => {
  it.each(golden.recordBatchV2MustReject.map((vector) => [vector.name, vector] as const))(
    'judges golden batch %s as Java does',
    (_name, { hex, javaResult }) => {
      const checked = checkBatch(Buffer.from(hex, 'hex'), 9, 1_000_000)
      const errorCode = 'refusal' in checked ? checked.refusal.errorCode : 0
      expect(errorCode).toBe(javaResult.includes('CorruptRecordException') ? 2 : 87)
    },
  )
})
