import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crc32c } from '../../src/bytes/crc32c.ts'
import { Reader } from '../../src/bytes/reader.ts'
import { decompress as decompressAny } from '../../src/compression/decompress.ts'
import { ProtocolError } from '../../src/errors.ts'
import {
  decodeRecordBatch,
  decodeRecordBatches,
  decodeRecordBatchHeader,
  encodeRecordBatch,
  RecordBatchBuilder,
  stampRecordBatch,
} from '../../src/protocol/record-batch.ts'
import type { EncodeOptions, RecordBatch, RecordToEncode } from '../../src/protocol/record-batch.ts'
import {
  measureRecord,
  readRecord,
  sizeOfRecord,
  upperBoundOfRecordBatch,
  writeRecord,
} from '../../src/protocol/record.ts'
import type { Bytes, RecordHeaders } from '../../src/protocol/record.ts'
import { javaBatchRecords, javaFormats } from '../support/java-record-formats.ts'

interface GoldenRecord {
  readonly timestampDelta: number
  readonly keyHex: string | null
  readonly valueHex: string | null
  readonly headers: unknown[]
}
interface GoldenBatch {
  readonly name: string
  readonly hex: string
  readonly crc32c: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly lastOffsetDelta: number
  readonly producerId: string
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly isTransactional: boolean
  readonly isControl: boolean
  readonly records?: GoldenRecord[]
}
const golden = JSON.parse(readFileSync(new URL('../fixtures/golden.json', import.meta.url), 'utf8')) as {
  recordBatchV2: GoldenBatch[]
  recordBatchV2MustReject: { name: string; hex: string; why: string }[]
}
const lz4Batch = Buffer.from(golden.recordBatchV2.find(({ name }) => name === 'lz4_uncompressed_block')!.hex, 'hex')
const uncompressed = golden.recordBatchV2.filter((batch) => batch.records !== undefined)

interface JavaBatch {
  readonly name: string
  readonly records: RecordToEncode[]
  readonly upper: number[]
  readonly options: EncodeOptions
  readonly hex: string
}

const fromHex = (hex: string | null): Buffer | null => (hex === null ? null : Buffer.from(hex, 'hex'))
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

// MemoryRecordsBuilder and AbstractRecords.estimateSizeInBytesUpperBound of kafka-clients 4.3.1 on random records: four of
// 2000 batches (28103 records), of which every one had our bytes and our bounds.
const javaBatches: readonly JavaBatch[] = [
  {
    name: 'an older record after a newer one, then one near 2^53 ms',
    records: [
      { timestamp: 1700000000236, key: null, value: null, headers: [] },
      { timestamp: 1699999959661, key: null, value: fromHex('f1ccac'), headers: [] },
      { timestamp: 7284653437670089, key: fromHex('a4aec8b5'), value: fromHex('6c6b2a5eef49e6'), headers: [] },
    ],
    upper: [85, 88, 96],
    options: {
      baseOffset: 0n,
      partitionLeaderEpoch: -1,
      producerId: -1n,
      producerEpoch: -1,
      baseSequence: -1,
      isTransactional: false,
    },
    hex: '00000000000000000000005dffffffff0299aa7bcb0000000000020000018bcfe568ec0019e15a8c76d2c9ffffffffffffffffffffffffffff000000030c0000000101001600fdf904020106f1ccac003000baa78bc9d7f3ef190408a4aec8b50e6c6b2a5eef49e600',
  },
  {
    name: 'a delta below -2^31 ms',
    records: [
      { timestamp: 3790681940943, key: null, value: null, headers: [] },
      { timestamp: 0, key: fromHex('f40af18b9052009f9157b1'), value: fromHex('09083c2ee4af61'), headers: [] },
    ],
    upper: [85, 103],
    options: {
      baseOffset: 0n,
      partitionLeaderEpoch: -1,
      producerId: -1n,
      producerEpoch: -1,
      baseSequence: -1,
      isTransactional: false,
    },
    hex: '000000000000000000000057ffffffff0240283b4700000000000100000372964023cf00000372964023cfffffffffffffffffffffffffffff000000020c0000000101003c009d8f81e4d2dc010216f40af18b9052009f9157b10e09083c2ee4af6100',
  },
  {
    name: 'LogAppendTime and a base offset',
    records: [
      { timestamp: 0, key: fromHex('f3f9e9ec6fe5dfd86c11'), value: null, headers: [] },
      { timestamp: 1699999912191, key: null, value: fromHex('c04641b171'), headers: [] },
    ],
    upper: [95, 90],
    options: {
      baseOffset: 1382167455923078n,
      partitionLeaderEpoch: -1,
      producerId: -1n,
      producerEpoch: -1,
      baseSequence: -1,
      isTransactional: false,
      logAppendTimeMs: 1700000000005,
    },
    hex: '0004e912f03afb8600000053ffffffff024157dd4800080000000100000000000000000000018bcfe56805ffffffffffffffffffffffffffff000000022000000014f3f9e9ec6fe5dfd86c1101002000fec3a0fef96202010ac04641b17100',
  },
  {
    name: 'transactional, with headers',
    records: [
      {
        timestamp: 0,
        key: null,
        value: null,
        headers: [
          ['a', fromHex('f9ae4c')],
          ['', fromHex('99e1108304701a45ffefc257978850ed0f93c08451385cfb49fd40bf2904f6f5e4')],
          ['键🚀', fromHex('8dee2ae9ebad8e990e09488332')],
        ],
      },
    ],
    upper: [148],
    options: {
      baseOffset: 646728028457246n,
      partitionLeaderEpoch: 58,
      producerId: 3894490381169420294n,
      producerEpoch: 31103,
      baseSequence: 1961219950,
      isTransactional: true,
    },
    hex: '00024c321a67091e000000780000003a02ee53ef4900100000000000000000000000000000000000000000360c025e26c76806797f74e5d76e000000018a01000000010106026106f9ae4c004299e1108304701a45ffefc257978850ed0f93c08451385cfb49fd40bf2904f6f5e40ee994aef09f9a801a8dee2ae9ebad8e990e09488332',
  },
]

/** A copy of a batch with other bytes at a position and a CRC that fits them. */
function patched(batch: Uint8Array, at: number, hex: string): Buffer {
  const copy = Buffer.from(batch)
  copy.set(Buffer.from(hex, 'hex'), at)
  copy.writeUInt32BE(crc32c(copy, 21), 17)
  return copy
}

describe('batches that Kafka wrote', () => {
  test('are there: six uncompressed ones and one with LZ4', () => {
    expect([golden.recordBatchV2.length, uncompressed.length]).toEqual([7, 6])
  })

  test.each(uncompressed)('$name: encoded byte for byte', (batch) => {
    const records = batch.records!.map(({ timestampDelta, keyHex, valueHex, headers }) => {
      expect(headers).toEqual([])
      return { timestamp: batch.baseTimestamp + timestampDelta, key: fromHex(keyHex), value: fromHex(valueHex) }
    })
    const { producerEpoch, baseSequence, isTransactional, isControl } = batch
    const options = { producerId: BigInt(batch.producerId), producerEpoch, baseSequence, isTransactional, isControl }
    expect(toHex(encodeRecordBatch(records, options))).toBe(batch.hex)
  })

  test.each(uncompressed)('$name: decoded', (batch) => {
    const { records, ...header } = decodeRecordBatch(Buffer.from(batch.hex, 'hex'))
    expect(header).toEqual({
      baseOffset: 0n,
      batchLength: batch.hex.length / 2 - 12,
      partitionLeaderEpoch: -1,
      magic: 2,
      crc: batch.crc32c,
      attributes: batch.isTransactional ? 0x10 : 0,
      codec: 0,
      compression: 'none',
      timestampType: 'CreateTime',
      isTransactional: batch.isTransactional,
      isControl: batch.isControl,
      lastOffsetDelta: batch.lastOffsetDelta,
      baseTimestamp: BigInt(batch.baseTimestamp),
      maxTimestamp: BigInt(batch.maxTimestamp),
      producerId: BigInt(batch.producerId),
      producerEpoch: batch.producerEpoch,
      baseSequence: batch.baseSequence,
      recordCount: batch.lastOffsetDelta + 1,
    })
    expect(records).toEqual(
      batch.records!.map(({ timestampDelta, keyHex, valueHex }, i) => ({
        key: fromHex(keyHex),
        value: fromHex(valueHex),
        headers: [],
        timestamp: batch.baseTimestamp + timestampDelta,
        offset: BigInt(i),
      })),
    )
  })

  test('headers (twice the same, null, empty) and text beyond ASCII, from the batch behind the corrupted ones', () => {
    const bytes = Buffer.from(golden.recordBatchV2MustReject.find(({ name }) => name === 'zero_length')!.hex, 'hex')
    bytes.writeInt32BE(bytes.length - 12, 8)
    const headers: RecordHeaders = [
      ['h1', 'v1'],
      ['h1', 'v2'],
      ['h2', null],
      ['h3', ''],
    ]
    const decoded = decodeRecordBatch(bytes)
    expect(decoded.records.map(({ key }) => key?.toString())).toEqual(['a', 'b', undefined])
    expect(decoded.records.map(({ value }) => value?.toString())).toEqual(['1', 'Žluťoučký 🚀', 'c'])
    expect(decoded.records[1]!.headers.map(([key, value]) => [key, value?.toString() ?? null])).toEqual(headers)
    const records = decoded.records.map(({ key, value, headers, timestamp }) => {
      return { key: key?.toString() ?? null, value: value?.toString() ?? null, headers, timestamp }
    })
    expect(toHex(encodeRecordBatch(records))).toBe(toHex(bytes))
  })

  test.each(javaBatches)('$name: encoded and decoded', ({ records, upper, options, hex }) => {
    expect(toHex(encodeRecordBatch(records, options))).toBe(hex)
    const decoded = decodeRecordBatch(Buffer.from(hex, 'hex'))
    expect(decoded.records.map(({ key, value, timestamp }) => ({ key, value, timestamp }))).toEqual(
      records.map(({ key, value, timestamp }) => ({ key, value, timestamp: options.logAppendTimeMs ?? timestamp })),
    )
    expect(decoded.records.map(({ headers }) => headers)).toEqual(records.map(({ headers }) => headers ?? []))
    expect(records.map(({ key, value, headers }) => upperBoundOfRecordBatch(key, value, headers ?? []))).toEqual(upper)
  })

  test.each(golden.recordBatchV2MustReject)('$name is refused ($why)', ({ hex }) => {
    expect(() => decodeRecordBatch(Buffer.from(hex, 'hex'))).toThrow(ProtocolError)
    expect(() => decodeRecordBatches(Buffer.from(hex, 'hex'))).toThrow(ProtocolError)
  })
})

describe('compression', () => {
  test('of a batch is known from its header, without a decompressor', () => {
    expect(decodeRecordBatchHeader(lz4Batch)).toMatchObject({ codec: 3, compression: 'lz4', recordCount: 1 })
  })

  test('without a decompress function is an error that says so', () => {
    expect(() => decodeRecordBatch(lz4Batch)).toThrow(ProtocolError)
    expect(() => decodeRecordBatch(lz4Batch)).toThrow(/compressed \(lz4\) and no decompress function/)
  })

  test('is undone by the function given, which sees codec and payload', () => {
    const decompress = (codec: number, records: Uint8Array): Uint8Array => {
      expect([codec, toHex(records.subarray(0, 4))]).toEqual([3, '04224d18'])
      return records.subarray(11, 11 + 12) // an LZ4 frame of one stored block
    }
    expect(decodeRecordBatch(lz4Batch, { decompress }).records[0]!.value?.toString()).toBe('hello')
  })

  test('that cannot be undone is a ProtocolError with the cause', () => {
    const cause = new RangeError('bad frame')
    const decompress = (): Uint8Array => {
      throw cause
    }
    expect(() => decodeRecordBatch(lz4Batch, { decompress })).toThrow(expect.objectContaining({ cause }))
    expect(() => decodeRecordBatch(lz4Batch, { decompress })).toThrow(ProtocolError)
  })

  test.each([5, 6, 7])('number %d is nobody\u2019s, decompress function or not', (codec) => {
    const batch = patched(lz4Batch, 21, `000${codec}`)
    expect(() => decodeRecordBatch(batch, { decompress: (_, records) => records })).toThrow(/codec \d .* unknown/)
    expect(decodeRecordBatchHeader(batch)).toMatchObject({ codec, compression: 'unknown' })
  })

  test('is applied to the records only, by the builder', () => {
    const flip = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ 0xff)
    const records: RecordToEncode[] = [{ key: 'k', value: 'v', timestamp: 1 }]
    const plain = encodeRecordBatch(records)
    const batch = encodeRecordBatch(records, { codec: 1, compress: (bytes) => Buffer.concat([flip(bytes), bytes]) })
    expect(batch.length).toBe(plain.length + plain.length - 61)
    expect(decodeRecordBatchHeader(batch)).toMatchObject({ codec: 1, compression: 'gzip', recordCount: 1 })
    const decompress = (_: number, bytes: Uint8Array): Uint8Array => flip(bytes.subarray(0, bytes.length / 2))
    expect(decodeRecordBatch(batch, { decompress }).records).toEqual(decodeRecordBatch(plain).records)
  })

  test('in two steps is what it is in one, however long the first one takes', async () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), (records) => {
        const [one, two] = [new RecordBatchBuilder(10), new RecordBatchBuilder(10)]
        for (const builder of [one, two]) {
          for (const { timestamp, key, value, headers } of records) builder.append(timestamp, key, value, headers!)
        }
        const compress = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ 0xff).subarray(1)
        const sizeBytes = two.sizeBytes
        const raw = two.records()
        expect([raw.length, two.records(), two.sizeBytes]).toEqual([sizeBytes - 61, raw, sizeBytes])
        const batch = two.build({ codec: 2, compressedRecords: compress(raw), isTransactional: true })
        expect(toHex(batch)).toBe(toHex(one.build({ codec: 2, compress, isTransactional: true })))
      }),
    )
    const builder = new RecordBatchBuilder(10)
    builder.append(1, null, 'v', [])
    const waiting = Promise.resolve(builder.records())
    expect(() => builder.append(2, null, 'w', [])).toThrow('append after records()')
    const compressedRecords = Buffer.from(await waiting)
    expect(builder.build({ codec: 1, compressedRecords }).length).toBe(61 + compressedRecords.length)
  })

  test('that is not worth it is left out: a sealed builder still gives the batch as it is, without a copy', () => {
    const builder = new RecordBatchBuilder(100)
    builder.append(1, null, 'v', [])
    const records = builder.records()
    const batch = builder.build()
    expect(batch.buffer).toBe(records.buffer)
    stampRecordBatch(batch, null)
    expect(decodeRecordBatch(batch)).toMatchObject({ compression: 'none', recordCount: 1 })
  })

  test('of nothing is refused', () => {
    expect(() => new RecordBatchBuilder(100).records()).toThrow('a batch without records')
  })

  test.each(javaFormats.recordBatches.batches)("$codec of Kafka's own is read", ({ codec, hex }) => {
    const decompress = (id: number, bytes: Uint8Array): Uint8Array => decompressAny(id as 1, bytes, 100_000)
    const batch = decodeRecordBatch(Buffer.from(hex, 'hex'), { decompress })
    expect(batch.compression).toBe(codec)
    const asText = (field: Uint8Array | null): string | null => (field === null ? null : Buffer.from(field).toString())
    const read = batch.records.map(({ timestamp, key, value }) => ({
      timestamp,
      key: asText(key),
      value: asText(value),
    }))
    expect(read).toEqual(javaBatchRecords)
  })

  test('by a codec without its function is a bug of the caller', () => {
    const builder = new RecordBatchBuilder(100)
    builder.append(1, null, 'v', [])
    expect(() => builder.build({ codec: 2 })).toThrow('codec 2 without compressed records')
  })
})

const text = fc.string({ unit: 'binary', maxLength: 40 })
// Any UTF-16 units, lone surrogates among them; both sides of the lengths where the writer changes its method.
const anyText = fc.oneof(
  text,
  fc.string({ minLength: 10, maxLength: 30 }),
  fc.string({ minLength: 60, maxLength: 70 }),
  fc.array(fc.nat(0xffff), { maxLength: 40 }).map((units) => String.fromCharCode(...units)),
)
const anyBytes = fc.oneof(anyText, fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 100, maxLength: 300 }))
const field = fc.option(anyBytes)
const headers = fc.oneof(fc.constant([]), fc.array(fc.tuple(anyText, field), { maxLength: 5 }))
const timestamp = fc.oneof(
  fc.integer({ min: 0, max: 1000 }).map((ms) => 1.7e12 + ms),
  fc.integer({ min: 0, max: 2 ** 40 }),
  fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER }),
)
const record: fc.Arbitrary<RecordToEncode> = fc.record({ key: field, value: field, headers, timestamp })
const recordList = fc.array(record, { minLength: 1, maxLength: 10 })
const options: fc.Arbitrary<EncodeOptions> = fc.record({
  baseOffset: fc.bigInt({ min: 0n, max: 2n ** 62n }),
  partitionLeaderEpoch: fc.integer(),
  producerId: fc.bigInt({ min: -1n, max: 2n ** 63n - 1n }),
  producerEpoch: fc.integer({ min: -1, max: 32767 }),
  baseSequence: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
  isTransactional: fc.boolean(),
  isControl: fc.boolean(),
})

const asBytes = (value: Bytes | null): Buffer | null => (value === null ? null : Buffer.from(value as string))
const asSent = (text: string): string => Buffer.from(text).toString() // lone surrogates become U+FFFD

describe('encoding and decoding', () => {
  test('give back what went in', () => {
    fc.assert(
      fc.property(recordList, options, (records, options) => {
        const { records: decoded, ...header } = decodeRecordBatch(encodeRecordBatch(records, options))
        expect(header).toMatchObject(options)
        expect(header.maxTimestamp).toBe(BigInt(Math.max(...records.map((it) => it.timestamp))))
        expect(decoded).toEqual(
          records.map((it, i) => ({
            key: asBytes(it.key),
            value: asBytes(it.value),
            headers: it.headers!.map(([key, value]) => [asSent(key), asBytes(value)]),
            timestamp: it.timestamp,
            offset: options.baseOffset! + BigInt(i),
          })),
        )
      }),
      { numRuns: 500 },
    )
  })

  test('text and its UTF-8 bytes are the same record', () => {
    fc.assert(
      fc.property(recordList, (records) => {
        const inBytes = records.map(({ key, value, headers, timestamp }) => ({
          key: asBytes(key),
          value: asBytes(value),
          headers: headers!.map(([key, value]) => [key, asBytes(value)] as const),
          timestamp,
        }))
        expect(toHex(encodeRecordBatch(inBytes))).toBe(toHex(encodeRecordBatch(records)))
      }),
    )
  })

  test('with LogAppendTime, all records have the time of the batch', () => {
    const records: RecordToEncode[] = [1, 2, 3].map((timestamp) => ({ key: null, value: 'v', timestamp }))
    const batch = decodeRecordBatch(encodeRecordBatch(records, { logAppendTimeMs: 99 }))
    expect(batch).toMatchObject({ timestampType: 'LogAppendTime', baseTimestamp: 1n, maxTimestamp: 99n })
    expect(batch.records.map((it) => it.timestamp)).toEqual([99, 99, 99])
  })

  test.each([-2, 0.5, NaN, 2 ** 53, Infinity])('a timestamp of %d cannot be encoded', (timestamp) => {
    expect(() => encodeRecordBatch([{ key: null, value: '', timestamp }])).toThrow(/NOT_REPRESENTABLE: timestamp/)
  })

  test('a batch without records can be neither encoded nor decoded', () => {
    expect(() => encodeRecordBatch([])).toThrow(/NOT_REPRESENTABLE/)
    const empty = Buffer.from(encodeRecordBatch([{ key: null, value: '', timestamp: 0 }])).subarray(0, 61)
    empty.writeInt32BE(49, 8)
    expect(() => decodeRecordBatch(patched(empty, 57, '00000000'))).toThrow(/recordCount 0/)
  })
})

describe('hostile bytes', () => {
  const sample: RecordToEncode[] = [
    { key: 'key', value: 'value', headers: [['h', 'x']], timestamp: 1000 },
    { key: null, value: 'y'.repeat(70), timestamp: 900 },
  ]
  const batch = encodeRecordBatch(sample, { producerId: 5n, producerEpoch: 1, baseSequence: 7 })
  const decodeAny = (bytes: Uint8Array): RecordBatch => decodeRecordBatch(bytes, { decompress: (_, it) => it })

  test('cut off anywhere are refused', () => {
    for (let length = 0; length < batch.length; length++) {
      expect(() => decodeRecordBatch(batch.subarray(0, length))).toThrow(ProtocolError)
      expect(() => decodeRecordBatchHeader(batch.subarray(0, length))).toThrow(ProtocolError)
    }
  })

  test('with one more byte, or one batch more, are refused where one batch is expected', () => {
    expect(() => decodeRecordBatch(Buffer.concat([batch, Buffer.of(0)]))).toThrow(/TRAILING_BYTES/)
    expect(() => decodeRecordBatch(Buffer.concat([batch, batch]))).toThrow(/TRAILING_BYTES/)
  })

  test('with any bit flipped are refused, except in base offset and leader epoch, which the CRC leaves out', () => {
    for (let bit = 0; bit < batch.length * 8; bit++) {
      const flipped = Uint8Array.from(batch)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      const isFree = bit >> 3 < 8 || (bit >> 3 >= 12 && bit >> 3 < 16)
      if (isFree) expect(decodeRecordBatch(flipped).recordCount).toBe(2)
      else expect(() => decodeAny(flipped), `bit ${bit}`).toThrow(ProtocolError)
    }
  })

  test('behind a valid CRC never give anything but a batch or a ProtocolError', () => {
    const change = fc.tuple(fc.integer({ min: 21, max: batch.length - 1 }), fc.nat(255))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = Buffer.from(batch)
        for (const [at, value] of changes) bytes[at] = value
        bytes.writeUInt32BE(crc32c(bytes, 21), 17)
        let decoded: RecordBatch
        try {
          decoded = decodeAny(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError)
          return
        }
        expect(decoded.records).toHaveLength(decoded.recordCount)
      }),
      { numRuns: 3000 },
    )
  })

  test.each([
    ['a gap in the offset deltas', 64, '04', /offset delta 2 of record 0/],
    ['a header count that the bytes cannot hold', 75, 'fe', /header count/],
    ['a last offset delta that is not the count less one', 23, '00000005', /lastOffsetDelta 5 of 2 records/],
    ['a record that ends before its length', 61, '26', /should end at byte 81/],
    ['a key length below -1', 65, '03', /negative length -2/],
  ])('%s is refused', (_, at, hex, message) => {
    expect(() => decodeRecordBatch(patched(batch, at, hex))).toThrow(message)
    expect(() => decodeRecordBatch(patched(batch, at, hex))).toThrow(ProtocolError)
  })

  test('with more records than the header counts are refused', () => {
    expect(() => decodeRecordBatch(patched(patched(batch, 23, '00000000'), 57, '00000001'))).toThrow(/TRAILING_BYTES/)
  })

  test('with a record count that the bytes cannot hold are refused before the first record is read', () => {
    const { hex } = golden.recordBatchV2MustReject.find(({ name }) => name === 'count_huge')!
    const fitting = patched(Buffer.from(hex, 'hex'), 23, '7ffffffe')
    expect(() => decodeRecordBatch(fitting)).toThrow(/recordCount 2147483647 in 63 bytes/)
  })

  test('of formats 0 and 1 are refused by name', () => {
    const old = Buffer.from(batch)
    old[16] = 1
    expect(() => decodeRecordBatch(old)).toThrow(/magic 1, not 2/)
  })
})

describe('decodeRecordBatches', () => {
  test('decodes all of several batches, each with its own offsets', () => {
    fc.assert(
      fc.property(fc.array(recordList, { maxLength: 4 }), (lists) => {
        const batches = lists.map((records, i) => encodeRecordBatch(records, { baseOffset: BigInt(i * 100) }))
        const decoded = decodeRecordBatches(Buffer.concat(batches))
        expect(decoded.map((batch) => batch.baseOffset)).toEqual(lists.map((_, i) => BigInt(i * 100)))
        expect(decoded.map((batch) => batch.recordCount)).toEqual(lists.map((records) => records.length))
      }),
    )
  })

  test('refuses a last batch that is not whole', () => {
    const batch = encodeRecordBatch([{ key: null, value: 'v', timestamp: 0 }])
    const twice = Buffer.concat([batch, batch])
    for (let length = batch.length + 1; length < twice.length; length++) {
      expect(() => decodeRecordBatches(twice.subarray(0, length))).toThrow(ProtocolError)
    }
  })
})

describe('RecordBatchBuilder', () => {
  test('makes what encodeRecordBatch makes, whatever capacity it starts with', () => {
    fc.assert(
      fc.property(recordList, fc.nat(500), (records, capacity) => {
        const builder = new RecordBatchBuilder(capacity)
        for (const { timestamp, key, value, headers } of records) builder.append(timestamp, key, value, headers!)
        const batch = builder.build()
        stampRecordBatch(batch, null)
        expect(toHex(batch)).toBe(toHex(encodeRecordBatch(records)))
      }),
    )
  })

  test('knows its size, before and after each record', () => {
    fc.assert(
      fc.property(recordList, (records) => {
        const builder = new RecordBatchBuilder(64)
        expect(builder.sizeBytes).toBe(61)
        for (const { timestamp, key, value, headers } of records) {
          const before = builder.sizeBytes
          const announced = builder.sizeAfter(timestamp, key, value, headers!)
          expect(before + builder.append(timestamp, key, value, headers!)).toBe(announced)
          expect(builder.sizeBytes).toBe(announced)
        }
        expect(builder.recordCount).toBe(records.length)
        expect(builder.baseTimestamp).toBe(records[0]!.timestamp)
        expect(builder.maxTimestamp).toBe(Math.max(...records.map((it) => it.timestamp)))
        const { sizeBytes } = builder
        expect(builder.build().byteLength).toBe(sizeBytes)
      }),
    )
  })

  test('measures a record that goes to the next batch after all, and another one in between, right', () => {
    fc.assert(
      fc.property(record, record, ({ key, value, headers }, other) => {
        const full = new RecordBatchBuilder(64)
        full.append(5, null, 'x', [])
        full.sizeAfter(5, key, value, headers!)
        full.append(5, other.key, other.value, other.headers!)
        const next = new RecordBatchBuilder(64)
        next.append(6, key, value, headers!)
        const batch = next.build()
        stampRecordBatch(batch, null)
        expect(toHex(batch)).toBe(toHex(encodeRecordBatch([{ key, value, headers: headers!, timestamp: 6 }])))
      }),
    )
  })

  test('an empty text after a long one is empty', () => {
    const long = 'x'.repeat(100)
    const batch = encodeRecordBatch([
      { key: long, value: long, headers: [[long, long]], timestamp: 0 },
      { key: '', value: '', headers: [['', '']], timestamp: 0 },
    ])
    const [, second] = decodeRecordBatch(batch).records
    expect([second!.key?.length, second!.value?.length, second!.headers[0]![0]]).toEqual([0, 0, ''])
    expect(second!.headers[0]![1]).toHaveLength(0)
  })

  test('writes what an array holds at append, even if it grew after sizeAfter', () => {
    const builder = new RecordBatchBuilder(64)
    const headers: [string, string][] = [['a', 'b']]
    builder.sizeAfter(1, 'k', 'v', headers)
    headers.push(['c', 'd'])
    builder.append(1, 'k', 'v', headers)
    const batch = builder.build()
    stampRecordBatch(batch, null)
    expect(decodeRecordBatch(batch).records[0]!.headers).toHaveLength(2)
  })

  test('keeps what it has when it grows', () => {
    const values = Array.from({ length: 50 }, (_, i) => `value ${i}`)
    const builder = new RecordBatchBuilder(0)
    for (const value of values) builder.append(0, null, value, [])
    const batch = builder.build()
    stampRecordBatch(batch, null)
    expect(decodeRecordBatch(batch).records.map(({ value }) => value?.toString())).toEqual(values)
  })

  test('grows neither for nothing nor late: a batch that fills its capacity to the last byte stays in it', () => {
    const CAPACITY_BYTES = 200_000 // beyond Node's pool, 64 KiB on Node 24: the array is all of its memory
    const builder = new RecordBatchBuilder(CAPACITY_BYTES)
    const value = new Uint8Array(100)
    while (builder.sizeAfter(0, null, value, []) <= CAPACITY_BYTES) builder.append(0, null, value, [])
    builder.append(0, null, new Uint8Array(CAPACITY_BYTES - builder.sizeBytes - 10), [])
    const batch = builder.build()
    expect(batch.length).toBeGreaterThan(CAPACITY_BYTES - 10)
    expect(batch.buffer.byteLength).toBe(CAPACITY_BYTES)
  })

  test('is of no use after build', () => {
    const builder = new RecordBatchBuilder(4096)
    builder.append(1, null, 'v', [])
    builder.build()
    expect(() => builder.append(2, null, 'w', [])).toThrow('append after records() or build()')
    expect(() => builder.build()).toThrow('built twice')
    expect([builder.recordCount, builder.sizeBytes]).toEqual([1, 69])
  })
})

describe('stampRecordBatch', () => {
  test('may be done again, and undone', () => {
    const batch = encodeRecordBatch([{ key: null, value: 'v', timestamp: 3 }])
    const before = toHex(batch)
    stampRecordBatch(Uint8Array.prototype.subarray.call(batch), {
      producerId: 2n ** 62n,
      producerEpoch: 9,
      baseSequence: 2 ** 31 - 1,
    })
    expect(decodeRecordBatch(batch)).toMatchObject({
      producerId: 2n ** 62n,
      producerEpoch: 9,
      baseSequence: 2 ** 31 - 1,
    })
    stampRecordBatch(batch, null)
    expect(toHex(batch)).toBe(before)
  })
})

describe('sizes', () => {
  test('of a record are exact', () => {
    const delta = fc.oneof(fc.integer(), fc.maxSafeInteger())
    fc.assert(
      fc.property(record, delta, fc.nat(2 ** 31 - 1), ({ key, value, headers }, timestampDelta, offsetDelta) => {
        const content = measureRecord(key, value, headers!)
        const size = sizeOfRecord(timestampDelta, offsetDelta, content)
        const bytes = Buffer.alloc(size)
        expect(writeRecord(bytes, 0, timestampDelta, offsetDelta, key, value, headers!, content)).toBe(size)
        const reader = new Reader(bytes, 'Test')
        expect(readRecord(reader, offsetDelta, 0n, 0n).timestamp).toBe(timestampDelta)
        expect(reader.remaining).toBe(0)
      }),
    )
  })

  test('upper bound: never below the batch of that one record, and at most 20 bytes above', () => {
    fc.assert(
      fc.property(record, (it) => {
        const slack = upperBoundOfRecordBatch(it.key, it.value, it.headers!) - encodeRecordBatch([it]).length
        expect(slack).toBeGreaterThanOrEqual(0)
        expect(slack).toBeLessThanOrEqual(20)
      }),
    )
  })
})
