import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Reader } from '../../src/bytes/reader.ts'
import { Writer } from '../../src/bytes/writer.ts'
import { ProtocolError } from '../../src/errors.ts'
import { apis } from '../../src/protocol/apis.ts'
import { decodeBody, encodeBody } from '../../src/protocol/codec.ts'
import type { Direction } from '../../src/protocol/layout.ts'
import { metadata } from '../../src/protocol/messages/metadata.ts'
import { produce } from '../../src/protocol/messages/produce.ts'
import * as schema from '../../src/protocol/schema.ts'
import { bodies, versionsOf } from '../support/arbitraries.ts'

type Body = Record<string, unknown>

const { api, array, boolean, bytes, float64, int16, int32, int64, int8, string, struct, uint16, uint32, uuid } = schema

/** What the vocabulary has and no message of ours uses yet. */
const everything = api({
  name: 'Everything',
  key: 999,
  versions: [0, 3],
  flexible: 2,
  request: {
    int8,
    uint16,
    uint32,
    float64,
    bytes: bytes.nullable(1),
    names: array(string).nullable(),
    place: struct({ x: int32, tagged: string.tagged(4, 2) }).nullable(1),
    ids: array(uuid),
    later: struct({ deep: array({ n: int64 }) }).since(1),
    strict: int16.since(1, -1),
    dropped: string.nullable().since(1, null).ignorable(),
    gone: boolean.until(1),
    taggedPlace: struct({ x: int32.default(7), names: array(string).default([]) })
      .nullable(2)
      .tagged(1, 2),
    taggedBytes: bytes.tagged(0, 2),
    taggedNull: string.nullable().tagged(3, 2, null),
  },
  response: {},
})

const subjects = [...apis, everything].flatMap((subject: schema.Api) =>
  versionsOf(subject).flatMap((version) =>
    (['request', 'response'] as const).map((direction) => ({ subject, name: subject.name, version, direction })),
  ),
)

function encode(subject: schema.Api, direction: Direction, version: number, body: unknown): Buffer {
  const out = new Writer()
  encodeBody(subject, direction, version, body as Body, out)
  return out.finish()
}

function decode(subject: schema.Api, direction: Direction, version: number, input: Uint8Array): Body {
  return decodeBody(subject, direction, version, new Reader(input, 'test'))
}

function errorOf(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  return undefined
}

/** The same schema, with a tagged field in every struct that the original does not know. */
function extended(subject: schema.Api, tag: number): schema.Api {
  const extend = (fields: schema.Fields): schema.Fields => {
    const entries = Object.entries(fields).map(
      ([name, field]) => [name, new schema.Field({ ...field.spec, type: extendType(field.spec.type) })] as const,
    )
    const extra = bytes.tagged(tag, subject.flexibleFrom, Uint8Array.of())
    return { ...Object.fromEntries(entries), extra }
  }
  const extendType = (type: schema.FieldType): schema.FieldType => {
    if (type.kind === 'array') return { kind: 'array', element: extendType(type.element) }
    return type.kind === 'struct' ? { kind: 'struct', fields: extend(type.fields) } : type
  }
  return { ...subject, request: extend(subject.request), response: extend(subject.response) }
}

/** `body` with a value in that field of every struct. */
function withExtra(fields: schema.Fields, body: Body, extra: Uint8Array): Body {
  const visit = (type: schema.FieldType, value: unknown): unknown => {
    if (value === null) return null
    if (type.kind === 'array') return (value as unknown[]).map((element) => visit(type.element, element))
    return type.kind === 'struct' ? withExtra(type.fields, value as Body, extra) : value
  }
  const entries = Object.entries(fields).map(([name, { spec }]) => {
    // A default stays the very object that it is, so that it stays unsent.
    const value = body[name]
    return [name, value === spec.defaultValue ? value : visit(spec.type, value)] as const
  })
  return { ...Object.fromEntries(entries), extra }
}

describe.each(subjects)('$name v$version $direction', ({ subject, direction, version }) => {
  const body = bodies(subject, direction, version)

  it('decodes what it encodes, and consumes it exactly', () => {
    fc.assert(
      fc.property(body, (value) => {
        const encoded = encode(subject, direction, version, value)
        expect(decode(subject, direction, version, encoded)).toEqual(value)
        const longer = Buffer.concat([encoded, Buffer.of(0)])
        expect(() => decode(subject, direction, version, longer)).toThrow(
          expect.objectContaining({ code: 'TRAILING_BYTES' }) as Error,
        )
      }),
    )
  })

  it('refuses to end early', () => {
    fc.assert(
      fc.property(body, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (value, fraction) => {
        const encoded = encode(subject, direction, version, value)
        if (encoded.length === 0) return
        const cut = encoded.subarray(0, Math.floor(encoded.length * fraction))
        expect(errorOf(() => decode(subject, direction, version, cut))).toMatchObject({
          name: 'ProtocolError',
          code: expect.stringMatching(/^(TRUNCATED|INVALID_VALUE)$/),
        })
      }),
    )
  })

  it('gives a value or a ProtocolError, whatever bits are flipped, and leaves the input alone', () => {
    fc.assert(
      fc.property(body, fc.array(fc.tuple(fc.nat(), fc.nat(7)), { minLength: 1, maxLength: 4 }), (value, flips) => {
        const damaged = encode(subject, direction, version, value)
        if (damaged.length === 0) return
        for (const [at, bit] of flips) damaged[at % damaged.length]! ^= 1 << bit
        const copy = Buffer.from(damaged)
        const error = errorOf(() => decode(subject, direction, version, damaged))
        if (error !== undefined) expect(error).toBeInstanceOf(ProtocolError)
        expect(damaged.equals(copy)).toBe(true)
      }),
    )
  })

  it('gives a value or a ProtocolError for noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
        const error = errorOf(() => decode(subject, direction, version, noise))
        if (error !== undefined) expect(error).toBeInstanceOf(ProtocolError)
      }),
    )
  })

  if (version >= subject.flexibleFrom) {
    it('passes over tagged fields that it does not know', () => {
      const newer = extended(subject, 1000)
      fc.assert(
        fc.property(body, fc.uint8Array({ minLength: 1, maxLength: 200 }), (value, extra) => {
          const encoded = encode(newer, direction, version, withExtra(subject[direction], value, extra))
          expect(decode(subject, direction, version, encoded)).toEqual(value)
        }),
      )
    })
  }

  it('refuses or writes anything that is handed in, never a RangeError or TypeError', () => {
    fc.assert(
      fc.property(body, fc.anything({ withBigInt: true, withTypedArray: true }), fc.nat(), (value, odd, pick) => {
        const names = Object.keys(value)
        const damaged = names.length === 0 ? odd : { ...value, [names[pick % names.length]!]: odd }
        const error = errorOf(() => encode(subject, direction, version, damaged))
        if (error !== undefined) expect(error).toMatchObject({ name: 'ProtocolError', code: 'NOT_REPRESENTABLE' })
      }),
    )
  })
})

describe('a version', () => {
  const v0 = { int8: 1, uint16: 1, uint32: 1, float64: 1, bytes: Buffer.of(1), names: null, place: { x: 1 }, ids: [] }

  it('reads a field that it lacks as the default', () => {
    const decoded = decode(everything, 'request', 0, encode(everything, 'request', 0, v0))
    expect(decoded).toMatchObject({ later: { deep: [] }, strict: -1, dropped: null, gone: false })
    expect(decoded['taggedPlace']).toEqual({ x: 7, names: [] })
  })

  it('drops an ignorable field that it lacks, whatever it is', () => {
    const plain = encode(everything, 'request', 0, v0)
    expect(encode(everything, 'request', 0, { ...v0, dropped: 'not here' })).toEqual(plain)
  })

  it.each([
    [0, { strict: 2 }, 'strict is 2, must be -1, for this version does not have the field'],
    [
      0,
      { later: { deep: [{ n: 0n }] } },
      'later is an object, must be an object, for this version does not have the field',
    ],
    [2, { gone: true }, 'gone is true, must be false, for this version does not have the field'],
    [0, { bytes: null }, 'bytes is of type object, must be bytes'],
    [0, { place: null }, 'place is null, must be an object'],
  ])('v%i refuses case %#', (version, change, message) => {
    expect(errorOf(() => encode(everything, 'request', version, { ...v0, ...change }))).toMatchObject({
      code: 'NOT_REPRESENTABLE',
      message: `Everything v${version} request: NOT_REPRESENTABLE: ${message}`,
    })
  })

  it('accepts the default of a field that it lacks, spelled out', () => {
    const spelled = {
      ...v0,
      strict: -1,
      gone: false,
      later: { deep: [] },
      taggedPlace: { x: 7, names: [] },
      taggedBytes: Buffer.alloc(0),
    }
    expect(encode(everything, 'request', 0, spelled)).toEqual(encode(everything, 'request', 0, v0))
  })

  it('has null where Kafka allows it, from that version on', () => {
    const all = { topics: null }
    expect(encode(metadata, 'request', 1, all).toString('hex')).toBe('ffffffff')
    expect(() => encode(metadata, 'request', 0, all)).toThrow(
      'Metadata v0 request: NOT_REPRESENTABLE: topics is null, must be an array',
    )
  })
})

describe('encoding refuses by name', () => {
  const request = (change: object) => ({ acks: 1, timeoutMs: 1, topicData: [], ...change })
  const topic = (change: object) =>
    request({ topicData: [{ name: 't', partitionData: [{ index: 0, records: null, ...change }] }] })

  it.each([
    [request({ acks: 40_000 }), 'acks is 40000, must be an integer from -32768 to 32767'],
    [request({ acks: '1' }), 'acks is "1", must be an integer from -32768 to 32767'],
    [request({ timeoutMs: 1.5 }), 'timeoutMs is 1.5, must be an integer from -2147483648 to 2147483647'],
    [request({ timeoutMs: undefined }), 'timeoutMs is missing, must be an integer from -2147483648 to 2147483647'],
    [
      request({ transactionalId: 'x'.repeat(32_768) }),
      /^transactionalId is "x{64}\.\.\.", must be at most 32767 bytes of UTF-8$/,
    ],
    [request({ transactionalId: '\ud800' }), 'transactionalId is "\\ud800", must be Unicode text'],
    [request({ topicData: {} }), 'topicData is an object, must be an array'],
    [request({ topicData: [{ partitionData: [] }, 7] }), 'topicData[1] is 7, must be an object'],
    [
      topic({ index: 2 ** 31 }),
      'topicData[0].partitionData[0].index is 2147483648, must be an integer from -2147483648 to 2147483647',
    ],
    [topic({ records: 'the password' }), 'topicData[0].partitionData[0].records is of type string, must be bytes'],
    [null, 'the body is null, must be an object'],
  ])('case %#', (body, message) => {
    const error = errorOf(() => encode(produce, 'request', 9, body)) as ProtocolError
    expect(error.code).toBe('NOT_REPRESENTABLE')
    expect(error.message.replace('Produce v9 request: NOT_REPRESENTABLE: ', '')).toMatch(message)
  })

  it.each(['', 'AAAAAAAAAAAAAAAAAAAAAB', 'AAAAAAAAAAAAAAAAAAAAA=', 'AAAAAAAAAAAAAAAAAAAAAAA'])(
    'the uuid %j',
    (topicId) => {
      const body = request({ topicData: [{ topicId, partitionData: [] }] })
      expect(() => encode(produce, 'request', 13, body)).toThrow('topicData[0].topicId is')
    },
  )

  it('passes records along without copying them', () => {
    const batch = new Uint8Array(600)
    const out = new Writer()
    encodeBody(produce, 'request', 9, topic({ records: batch }), out)
    expect(out.chunks()).toContain(batch)
  })
})

describe('hostile bytes', () => {
  const produceResponse = (version: number, hex: string) => () =>
    decode(produce, 'response', version, Buffer.from(hex, 'hex'))
  const metadataRequest = (version: number, hex: string) => () =>
    decode(metadata, 'request', version, Buffer.from(hex, 'hex'))

  it.each([
    [
      'count 2^31-1',
      produceResponse(3, '7fffffff' + '00'.repeat(100)),
      /responses: 2147483647 elements in 100 bytes at byte 4/,
    ],
    ['count -2', produceResponse(3, 'fffffffe' + '00'.repeat(100)), /responses: negative length -2 at byte 4/],
    ['null array', produceResponse(3, 'ffffffff00000000'), /responses: null at byte 4/],
    [
      'compact count 2^32-1',
      produceResponse(9, 'ffffffff0f' + '00'.repeat(100)),
      /responses: 4294967294 elements in 100 bytes/,
    ],
    ['null compact array', produceResponse(9, '00000000000000'), /responses: null/],
    ['uvarint without end', produceResponse(9, 'ff'.repeat(64)), /more than 32 bits/],
    ['string of -2', metadataRequest(1, '00000001fffe'), /name: negative length -2/],
    ['null string', metadataRequest(1, '00000001ffff'), /name: null/],
    ['compact string of 32768', metadataRequest(9, '02818002' + '00'.repeat(40_000)), /name: string of 32768 bytes/],
    ['tag count 2^31', metadataRequest(9, '01000000' + '8080808008'), /2147483648 tagged fields in 0 bytes/],
    ['tag count over half', metadataRequest(9, '01000000' + '02' + '0000' + '01'), /2 tagged fields in 3 bytes/],
    ['tag twice', metadataRequest(9, '01000000' + '02' + '0500' + '0500'), /tag 5 after tag 5/],
    ['tag descending', metadataRequest(9, '01000000' + '02' + '0500' + '0400'), /tag 4 after tag 5/],
    [
      'tag of 2^32-1 bytes',
      metadataRequest(9, '01000000' + '01' + '05ffffffff0f'),
      /TRUNCATED: 4294967295 bytes wanted/,
    ],
    [
      'known tag too long',
      produceResponse(10, '01' + '00000000' + '01' + '00' + '02' + '01' + '00'),
      /nodeEndpoints, of 2 bytes, does not end/,
    ],
    [
      'known tag too short',
      produceResponse(10, '01' + '00000000' + '01' + '00' + '00' + '01' + '00'),
      /nodeEndpoints, of 0 bytes, does not end/,
    ],
  ])('%s', (_, call, message) => {
    const error = errorOf(call)
    expect(error).toBeInstanceOf(ProtocolError)
    expect((error as ProtocolError).message).toMatch(message)
  })

  it('costs no memory that the bytes do not pay for', () => {
    // Kafka's own decoder made an object of every two such bytes (CVE-2026-111115).
    const tagCount = 300_000
    const tags = new Writer()
    tags.bytes(Buffer.from('01000000', 'hex'))
    tags.uvarint(tagCount)
    for (let tag = 0; tag < tagCount; tag++) {
      tags.uvarint(tag)
      tags.uvarint(0)
    }
    const message = tags.finish()
    const before = process.memoryUsage().heapUsed
    expect(decode(metadata, 'request', 9, message)['topics']).toEqual([])
    for (let i = 0; i < 50; i++) {
      expect(errorOf(produceResponse(3, '7fffffff' + '00'.repeat(100)))).toBeInstanceOf(ProtocolError)
    }
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(10_000_000)
  })

  it('says where, and nothing of what', () => {
    const secret = Buffer.from('hunter2').toString('hex')
    const input = Buffer.from('00000001' + '0007' + secret + 'ff', 'hex')
    const error = errorOf(() => decodeBody(metadata, 'request', 1, new Reader(input, 'Metadata v1 request')))
    expect((error as ProtocolError).message).toBe(
      'Metadata v1 request: TRAILING_BYTES: 1 bytes follow the end of the message at byte 13',
    )
  })
})

describe('a schema', () => {
  it.each([int8, int16, uint16, int32, uint32, int64, float64, boolean, uuid])(
    'has no null of a fixed size: %#',
    (type) => {
      expect(() => (type as schema.Field).nullable()).toThrow(
        new TypeError(`${type.spec.type.kind} cannot be nullable`),
      )
      expect(() => new schema.Field({ ...(type as schema.Field).spec, nullableSince: 3 })).toThrow(TypeError)
    },
  )

  it.each([string, bytes, schema.records, array(int32), struct({ int32 })])(
    'has a null of what has a length or a mark: %#',
    (type) => {
      expect((type as schema.Field).nullable(2).spec.nullableSince).toBe(2)
    },
  )

  it('is frozen data, shared defaults included', () => {
    const { defaultValue } = produce.response.nodeEndpoints.spec
    expect([produce, produce.request.acks.spec, defaultValue].every((part) => Object.isFrozen(part))).toBe(true)
    const decoded = decode(produce, 'response', 3, Buffer.alloc(8))
    expect(decoded['nodeEndpoints']).toBe(defaultValue)
  })
})
