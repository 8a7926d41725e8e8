import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crc32 } from '../../src/bytes/crc32.ts'
import { decompress } from '../../src/compression/decompress.ts'
import { loadCodec } from '../../src/compression/load-codec.ts'
import { lz4FrameForMagic0 } from '../../src/compression/lz4-format.ts'
import { ProtocolError } from '../../src/errors.ts'
import { decodeMessageSet, type DecodedMessage } from '../../src/protocol/message-set-decode.ts'
import type { MessageMagic } from '../../src/protocol/message-set-layout.ts'
import { encodeMessageSet, MessageSetBuilder, upperBoundOfMessageSet } from '../../src/protocol/message-set.ts'
import type { RecordToEncode } from '../../src/protocol/record-batch.ts'
import { javaFormats } from '../support/java-record-formats.ts'

const LIMIT = 1_000_000
const IDS = { none: 0, gzip: 1, snappy: 2, lz4: 3 } as const
const CODECS = ['none', 'gzip', 'snappy', 'lz4'] as const
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function decode(bytes: Uint8Array): DecodedMessage[] {
  return decodeMessageSet(bytes, {
    decompress: (codec, value, magic) => decompress(codec as 1, value, LIMIT, { allowKip57Checksum: magic === 0 }),
  })
}

function encode(records: readonly RecordToEncode[], magic: MessageMagic, codec: (typeof CODECS)[number]): Uint8Array {
  if (codec === 'none') return encodeMessageSet(records, { magic })
  const { compressSync } = loadCodec(codec)
  const isOldLz4 = codec === 'lz4' && magic === 0
  const compress = (bytes: Uint8Array): Uint8Array =>
    isOldLz4 ? lz4FrameForMagic0(compressSync!(bytes)) : compressSync!(bytes)
  return encodeMessageSet(records, { magic, codec: IDS[codec], compress })
}

const asText = (field: Uint8Array | string | null): string | null =>
  field === null ? null : Buffer.from(field).toString()
const plain = ({ key, value, timestamp }: RecordToEncode): unknown => ({
  key: asText(key),
  value: asText(value),
  timestamp,
})

const field = fc.oneof(
  fc.constant(null),
  fc.constant(''),
  fc.string({ unit: 'grapheme' }),
  fc.uint8Array({ maxLength: 300 }),
)
const record: fc.Arbitrary<RecordToEncode> = fc.record({
  key: field,
  value: field,
  timestamp: fc.oneof(fc.integer({ min: -1, max: 2 ** 31 }), fc.maxSafeNat()),
})
const records = fc.array(record, { minLength: 1, maxLength: 20 })
const magics = fc.constantFrom<MessageMagic>(0, 1)

describe("what Kafka's own classes wrote", () => {
  const uncompressed = javaFormats.messageSets.filter(({ codec }) => codec === 'none')

  test.each(uncompressed)('has our bytes: magic $magic, $hex', ({ magic, records: given, hex }) => {
    expect(toHex(encodeMessageSet(given, { magic }))).toBe(hex)
  })

  test.each(javaFormats.messageSets)('is read: magic $magic, $codec', ({ magic, codec, records: given, hex }) => {
    const messages = decode(Buffer.from(hex, 'hex'))
    const expected = given.map((it) => plain({ ...it, timestamp: magic === 0 ? -1 : it.timestamp }))
    expect(messages.map(plain)).toEqual(expected)
    messages.forEach((message, i) => {
      expect(message).toMatchObject({
        offset: BigInt(i),
        magic,
        compression: codec,
        timestampType: 'CreateTime',
        headers: [],
      })
    })
  })

  test.each(javaFormats.messageSets)(
    'has our wrapper: magic $magic, $codec',
    ({ magic, codec, records: given, hex }) => {
      // The compressors differ, so Java's own output takes the place of ours.
      const valueAt = magic === 0 ? 26 : 34
      const java = Buffer.from(hex, 'hex')
      const compress = (): Uint8Array => java.subarray(valueAt)
      expect(toHex(encodeMessageSet(given, { magic, codec: IDS[codec], compress }))).toBe(hex)
    },
  )

  test.each(javaFormats.messageSets)(
    'has our bounds: magic $magic, $codec',
    ({ magic, codec, records: given, upperBounds }) => {
      expect(given.map(({ key, value }) => upperBoundOfMessageSet(magic, codec !== 'none', key, value))).toEqual(
        upperBounds,
      )
    },
  )

  test('has the lz4 checksum of KIP-57 with magic 0, and only then', () => {
    for (const { magic, hex } of javaFormats.messageSets.filter(({ codec }) => codec === 'lz4')) {
      const strict = (): unknown =>
        decodeMessageSet(Buffer.from(hex, 'hex'), { decompress: (_, it) => decompress(3, it, LIMIT) })
      if (magic === 0) expect(strict).toThrow('cannot be decompressed (lz4)')
      else expect(strict).not.toThrow()
    }
  })
})

describe('a message set', () => {
  test.each(CODECS)('gives back any records (%s)', (codec) => {
    fc.assert(
      fc.property(records, magics, (given, magic) => {
        const messages = decode(encode(given, magic, codec))
        expect(messages.map(plain)).toEqual(
          given.map((it) => plain({ ...it, timestamp: magic === 0 ? -1 : it.timestamp })),
        )
        expect(messages.map(({ offset }) => offset)).toEqual(given.map((_, i) => BigInt(i)))
      }),
    )
  })

  test.each(CODECS)('is refused when it is cut anywhere but between two messages (%s)', (codec) => {
    const whole = encode([{ key: 'k', value: 'some value', timestamp: 1 }], 1, codec)
    for (let length = 1; length < whole.length; length++) {
      expect(() => decode(whole.subarray(0, length))).toThrow(ProtocolError)
    }
    expect(() => decode(Buffer.concat([whole, Buffer.alloc(1)]))).toThrow(ProtocolError)
    expect(decode(Buffer.concat([whole, whole]))).toHaveLength(2)
  })

  test('has a checksum over every bit but those of offset and size', () => {
    const whole = encode([{ key: 'k', value: 'v', timestamp: 1 }], 1, 'none')
    for (let bit = 8 * 8; bit < whole.length * 8; bit++) {
      const flipped = Uint8Array.from(whole)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(() => decode(flipped)).toThrow(ProtocolError)
    }
  })

  test('is only ever a ProtocolError, on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.boolean(), (bytes, isSealed) => {
        const message = Buffer.concat([Buffer.alloc(8), Buffer.from([0, 0, 0, bytes.length + 4, 0, 0, 0, 0]), bytes])
        if (isSealed) message.writeUInt32BE(crc32(message, 16), 12)
        try {
          decode(isSealed ? message : bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError)
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('cannot carry everything', () => {
    const { magic } = { magic: 1 } as const
    const withHeader = { key: null, value: 'v', timestamp: 1, headers: [['trace', 'x']] } as const
    const refused = (work: () => unknown, message: string): void => {
      expect(work).toThrow(expect.objectContaining({ name: 'ProtocolError', code: 'NOT_REPRESENTABLE' }))
      expect(work).toThrow(message)
    }
    const one = [{ key: null, value: 'v', timestamp: 1 }]
    refused(() => encodeMessageSet([withHeader], { magic }), 'header "trace": messages of magic 1 have none')
    refused(() => encodeMessageSet(one, { magic, codec: 4, compress: (it) => it }), 'zstd')
    refused(() => encodeMessageSet(one, { magic, isTransactional: true }), 'a transaction')
    refused(() => encodeMessageSet([], { magic }), 'without records')
    refused(() => encodeMessageSet([{ ...one[0]!, timestamp: 1.5 }], { magic }), 'timestamp 1.5')
    expect(encodeMessageSet([{ ...one[0]!, headers: [] }], { magic }).length).toBe(35)
  })
})

describe('a wrapper', () => {
  const one: RecordToEncode = { key: 'k', value: 'v', timestamp: 5 }
  const inside = [one, { ...one, timestamp: 3 }]
  const identity = (bytes: Uint8Array): Uint8Array => bytes

  function sealed(bytes: Uint8Array, change: (bytes: Buffer) => unknown): Buffer {
    const copy = Buffer.from(bytes)
    change(copy)
    copy.writeUInt32BE(crc32(copy, 16), 12)
    return copy
  }
  const wrapped = (magic: MessageMagic): Uint8Array => encodeMessageSet(inside, { magic, codec: 1, compress: identity })
  const read = (bytes: Uint8Array): DecodedMessage[] => decodeMessageSet(bytes, { decompress: (_, value) => value })

  test('has the offset of its last message: with magic 1 those inside count backwards from it', () => {
    const moved = (magic: MessageMagic): bigint[] =>
      read(sealed(wrapped(magic), (bytes) => bytes.writeBigInt64BE(100n, 0))).map(({ offset }) => offset)
    expect([moved(0), moved(1)]).toEqual([
      [0n, 1n],
      [99n, 100n],
    ])
  })

  test('says when the broker set the time, which then holds for all', () => {
    const stamped = sealed(wrapped(1), (bytes) => {
      bytes.writeInt8(bytes.readInt8(17) | 8, 17)
      bytes.writeBigInt64BE(77n, 18)
    })
    expect(read(stamped)).toMatchObject([
      { timestamp: 77, timestampType: 'LogAppendTime' },
      { timestamp: 77, timestampType: 'LogAppendTime' },
    ])
    expect(read(wrapped(1)).map(({ timestamp }) => timestamp)).toEqual([5, 3])
    expect(Buffer.from(wrapped(1)).readBigInt64BE(18)).toBe(5n) // the latest
  })

  test.each<[string, Uint8Array, string]>([
    [
      'another wrapper',
      encodeMessageSet(inside, { magic: 1, codec: 1, compress: () => wrapped(1) }),
      'inside a wrapper',
    ],
    [
      'another magic',
      encodeMessageSet(inside, { magic: 1, codec: 1, compress: () => encodeMessageSet(inside, { magic: 0 }) }),
      'magic 0 inside a wrapper of magic 1',
    ],
    [
      'nothing',
      encodeMessageSet(inside, { magic: 1, codec: 1, compress: () => Buffer.alloc(0) }),
      'no messages inside',
    ],
    [
      'half a message',
      encodeMessageSet(inside, { magic: 1, codec: 1, compress: (it) => it.subarray(1) }),
      'MessageSet',
    ],
    [
      'no value',
      sealed(encodeMessageSet([{ key: null, value: null, timestamp: 1 }], { magic: 1 }), (it) => it.writeInt8(1, 17)),
      'without a value',
    ],
    ['zstd', sealed(wrapped(1), (it) => it.writeInt8(4, 17)), 'codec 4'],
    ['a codec that is none', sealed(wrapped(1), (it) => it.writeInt8(7, 17)), 'codec 7'],
  ])('with %s inside is refused', (_, bytes, message) => {
    expect(() => read(bytes)).toThrow(ProtocolError)
    expect(() => read(bytes)).toThrow(message)
  })

  test('without a decompress function is an error that says so; what the function throws is the cause', () => {
    expect(() => decodeMessageSet(wrapped(1))).toThrow('compressed (gzip) and no decompress function')
    const cause = new RangeError('bad')
    const failing = (): Uint8Array => {
      throw cause
    }
    expect(() => decodeMessageSet(wrapped(1), { decompress: failing })).toThrow(expect.objectContaining({ cause }))
  })

  test('that holds a bomb is refused', () => {
    const zeros = Buffer.alloc(50_000_000)
    const bomb = encodeMessageSet(inside, {
      magic: 1,
      codec: 1,
      compress: () => loadCodec('gzip').compressSync!(zeros),
    })
    expect(bomb.length).toBeLessThan(60_000)
    expect(() => decode(bomb)).toThrow('cannot be decompressed')
  })
})

describe('MessageSetBuilder', () => {
  test('knows its size, its count and its times, as the builder of batches does', () => {
    const builder = new MessageSetBuilder(0, 1)
    expect([builder.sizeBytes, builder.recordCount, builder.baseTimestamp, builder.maxTimestamp]).toEqual([
      0, 0, -1, -1,
    ])
    const after = builder.sizeAfter(7, 'ключ', new Uint8Array(3), [])
    expect(builder.append(7, 'ключ', new Uint8Array(3), [])).toBe(34 + 8 + 3)
    builder.append(9, null, null, [])
    builder.append(8, null, null, [])
    expect([builder.sizeBytes, builder.recordCount, builder.baseTimestamp, builder.maxTimestamp]).toEqual([
      after + 68,
      3,
      7,
      9,
    ])
  })

  test('gives its messages to a codec, and takes what comes of them later', async () => {
    const builder = new MessageSetBuilder(10, 1)
    builder.append(7, null, 'v', [])
    const codec = loadCodec('gzip')
    const compressedRecords = await codec.compress(builder.records())
    expect(() => builder.append(8, null, 'w', [])).toThrow('append after it was sealed')
    expect(decode(builder.build({ codec: 1, compressedRecords })).map(plain)).toEqual([
      { key: null, value: 'v', timestamp: 7 },
    ])
    expect(() => builder.build()).toThrow('built twice')
  })

  test('is as it was after a record that it cannot carry', () => {
    const builder = new MessageSetBuilder(100, 0)
    builder.append(1, null, 'a', [])
    expect(() => builder.append(2, null, 'b', [['h', null]])).toThrow('header "h"')
    builder.append(3, null, 'c', [])
    expect(decode(builder.build()).map(({ value, offset }) => [String(value), offset])).toEqual([
      ['a', 0n],
      ['c', 1n],
    ])
  })

  test('without compressed records is a bug of the caller', () => {
    const builder = new MessageSetBuilder(100, 1)
    builder.append(1, null, 'a', [])
    expect(() => builder.build({ codec: 1 })).toThrow('codec 1 without compressed records')
  })
})
