import { describe, expect, it } from 'vitest'
import { ProtocolError } from '../../src/errors.ts'
import { apis } from '../../src/protocol/apis.ts'
import {
  decodeResponseFrame,
  encodeRequestFrame,
  encodeResponseFrame,
  requestHeaderVersion,
  responseHeaderVersion,
} from '../../src/protocol/frame.ts'
import { decodeRequestHeader } from '../../src/protocol/request-header.ts'
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from '../../src/protocol/protocol.ts'
import { Reader } from '../../src/bytes/reader.ts'
import { Writer } from '../../src/bytes/writer.ts'
import { decodeBody, encodeBody } from '../../src/protocol/codec.ts'
import type { Api } from '../../src/protocol/schema.ts'
import { golden, type MessageVector } from '../support/golden.ts'
import { decodedFromKafkaJson, inputFromKafkaJson } from '../support/kafka-json.ts'

const CORRELATION_ID = 0x01020304
const CLIENT_ID = 'golden-client'

const named = new Map<string, Api>(apis.map((api) => [api.name, api]))
const full = golden.messages.vectors
const all: MessageVector[] = [...full, ...golden.messages.derived]

/** APIs that nobody wrote golden bytes for: test/oracle has Kafka's own classes judge them. */
const WITHOUT_VECTORS = ['CreateTopics', 'DescribeConfigs', 'DescribeCluster']

const apiOf = (vector: MessageVector): Api => named.get(vector.api)!
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

function encode(vector: MessageVector, body: Record<string, unknown>): string {
  const out = new Writer()
  encodeBody(apiOf(vector), vector.kind, vector.version, body, out)
  return hex(out.finish())
}

function decode(vector: MessageVector, bytes: Uint8Array): Record<string, unknown> {
  return decodeBody(apiOf(vector), vector.kind, vector.version, new Reader(bytes, vector.api))
}

function errorOf(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  return undefined
}

it('has all 90 vectors, both ways of every API that has any', () => {
  const seen = new Set(full.map(({ api, kind }) => `${api} ${kind}`))
  const expected = apis
    .filter(({ name }) => !WITHOUT_VECTORS.includes(name))
    .flatMap(({ name }) => [`${name} request`, `${name} response`])
  expect([...seen].sort()).toEqual(expected.sort())
  expect(full).toHaveLength(90)
})

describe.each(full)("$api v$version $kind, by Kafka's own classes", (vector) => {
  const api = apiOf(vector)
  const bytes = Buffer.from(vector.bodyHex, 'hex')

  it('decodes to the same values', () => {
    expect(decode(vector, bytes)).toEqual(decodedFromKafkaJson(api[vector.kind], vector.bodyJson))
  })

  it('encodes to the same bytes, with or without the fields that have defaults', () => {
    expect(encode(vector, inputFromKafkaJson(api[vector.kind], vector.bodyJson))).toBe(vector.bodyHex)
    expect(encode(vector, decodedFromKafkaJson(api[vector.kind], vector.bodyJson))).toBe(vector.bodyHex)
  })

  it('has the same frame around it', () => {
    const body = inputFromKafkaJson(api[vector.kind], vector.bodyJson)
    const frame =
      vector.kind === 'request'
        ? encodeRequestFrame(api, vector.version, { correlationId: CORRELATION_ID, clientId: CLIENT_ID }, body)
        : encodeResponseFrame(api, vector.version, CORRELATION_ID, body)
    const payload = vector.headerHex + vector.bodyHex
    const length = Buffer.alloc(4)
    length.writeInt32BE(payload.length / 2)
    expect(hex(Buffer.concat(frame.chunks))).toBe(length.toString('hex') + payload)
    expect(frame.sizeBytes).toBe(payload.length / 2 + 4)
  })

  it('reads out of its frame', () => {
    const frame = Buffer.from(vector.headerHex + vector.bodyHex, 'hex')
    if (vector.kind === 'response') {
      expect(responseHeaderVersion(api, vector.version)).toBe(vector.headerVersion)
      expect(decodeResponseFrame(api, vector.version, frame)).toEqual(decode(vector, bytes))
    } else {
      expect(requestHeaderVersion(api, vector.version)).toBe(vector.headerVersion)
      const header = { api, apiVersion: vector.version, correlationId: CORRELATION_ID, clientId: CLIENT_ID }
      expect(decodeRequestHeader(frame)).toEqual({ ...header, body: bytes })
    }
  })

  it('is refused as a frame that ends anywhere too early', () => {
    const frame = Buffer.from(vector.headerHex + vector.bodyHex, 'hex')
    for (let length = 0; length < frame.length; length++) {
      const cut = frame.subarray(0, length)
      const error = errorOf(() => {
        if (vector.kind === 'response') decodeResponseFrame(api, vector.version, cut)
        else decode(vector, decodeRequestHeader(cut).body)
      })
      expect(error, `at ${length}`).toMatchObject({
        name: 'ProtocolError',
        code: expect.stringMatching(/^(TRUNCATED|INVALID_VALUE)$/) as string,
      })
    }
  })
})

describe.each(all)('$api v$version $kind, damaged', (vector) => {
  const bytes = Buffer.from(vector.bodyHex, 'hex')

  it('encodes what it decodes to the same bytes', () => {
    expect(encode(vector, decode(vector, bytes))).toBe(vector.bodyHex)
  })

  it('is refused when it ends anywhere too early', () => {
    for (let length = 0; length < bytes.length; length++) {
      const error = errorOf(() => decode(vector, bytes.subarray(0, length)))
      expect(error, `at ${length}`).toBeInstanceOf(ProtocolError)
      expect(['TRUNCATED', 'INVALID_VALUE']).toContain((error as ProtocolError).code)
    }
  })

  it('is refused with one byte more', () => {
    expect(() => decode(vector, Buffer.concat([bytes, Buffer.of(0)]))).toThrow(
      expect.objectContaining({ code: 'TRAILING_BYTES' }) as Error,
    )
  })
})

describe('headrace/protocol', () => {
  it('is typed by the name of the API', () => {
    const request = { acks: -1, timeoutMs: 30_000, topicData: [] }
    const bytes = encodeRequest('Produce', 3, request)
    expect(hex(bytes)).toBe('ffff' + 'ffff' + '00007530' + '00000000')
    const decoded = decodeRequest('Produce', 3, bytes)
    const transactionalId: string | null = decoded.transactionalId
    expect(transactionalId).toBeNull()

    const response = decodeResponse('Metadata', 0, encodeResponse('Metadata', 0, { brokers: [], topics: [] }))
    const clusterId: string | null = response.clusterId
    expect([clusterId, response.controllerId]).toEqual([null, -1])
  })

  it('knows both forms of a Produce topic: by name, and from v13 on by id', () => {
    const topicId = 'AQIDBAUGBwgJCgsMDQ4PEA'
    const body = { acks: 1, timeoutMs: 1, topicData: [{ name: 't', topicId, partitionData: [] }] }
    expect(decodeRequest('Produce', 12, encodeRequest('Produce', 12, body)).topicData[0]?.name).toBe('t')
    expect(decodeRequest('Produce', 13, encodeRequest('Produce', 13, body)).topicData[0]).toMatchObject({
      name: '',
      topicId,
    })
  })

  it('refuses names and versions that it does not have', () => {
    const unsupported = expect.objectContaining({ name: 'ProtocolError', code: 'UNSUPPORTED_VERSION' }) as Error
    expect(() => decodeRequest('Nonsense' as 'Produce', 3, Buffer.alloc(0))).toThrow(unsupported)
    for (const version of [-1, 14, 3.5, Number.NaN]) {
      expect(() => decodeRequest('Produce', version, Buffer.alloc(0))).toThrow(unsupported)
      expect(() => encodeRequest('Produce', version, { acks: 1, timeoutMs: 1, topicData: [] })).toThrow(unsupported)
    }
  })

  it('gives a header of a version too new, so that a broker can answer, but none of an unknown API', () => {
    const header = decodeRequestHeader(Buffer.from('0012' + '0063' + '00000007' + 'ffff' + '00' + 'abcd', 'hex'))
    expect(header).toMatchObject({ apiVersion: 99, correlationId: 7, clientId: null, body: Buffer.from('abcd', 'hex') })
    expect(() => decodeRequestHeader(Buffer.from('7fff' + '0000' + '00000007' + 'ffff', 'hex'))).toThrow(
      'request header: UNSUPPORTED_VERSION: unknown API key 32767',
    )
  })
})
