/**
 * Frames and headers: what surrounds a message on a connection.
 *
 *     request    length int32 | apiKey int16 | apiVersion int16 | correlationId int32 | clientId | [tags] | body
 *     response   length int32 | correlationId int32 | [tags] | body
 *
 * `length` counts what follows it. Tags are there in flexible versions: request header v2 and response header v1.
 *
 * Source: RequestHeader.json and ResponseHeader.json of Apache Kafka 4.3.1, and ApiMessageTypeGenerator.java for the
 * one exception, ApiVersions.
 */
import { Reader } from '../bytes/reader.ts'
import { Writer } from '../bytes/writer.ts'
import { ProtocolError } from '../errors.ts'
import { decodeBody, encodeBody } from './codec.ts'
import { decodeFields, skipTagged } from './decode.ts'
import { encodeFields } from './encode.ts'
import { layOut } from './layout.ts'
import { apiVersions } from './messages/api-versions.ts'
import { int16, int32, string, type Api, type Input, type RequestInput, type ResponseOf } from './schema.ts'

export { FrameReader, describePeer } from './frame-reader.ts'

export const requestHeader = { apiKey: int16, apiVersion: int16, correlationId: int32, clientId: string.nullable() }
const responseHeader = { correlationId: int32 }

// Never flexible: header v2 only adds tags, its clientId keeps the int16 length (RequestHeader.json).
export const requestHeaderLayout = layOut(requestHeader, 1, false)
const responseHeaderLayout = layOut(responseHeader, 0, false)

const MAX_FRAME_BYTES = 0x7fffffff

export interface EncodedFrame {
  /** Length, header and body, for one gathering write; record batches are the caller's own arrays. */
  readonly chunks: Uint8Array[]
  /** All of `chunks`, the four length bytes included. */
  readonly sizeBytes: number
}

export interface RequestHeader {
  readonly correlationId: number
  readonly clientId: string | null
}

/** 2 with tags, 1 without. Version 0, without a clientId, belongs to a request that no broker of today speaks. */
export function requestHeaderVersion(api: Api, version: number): 1 | 2 {
  return version >= api.flexibleFrom ? 2 : 1
}

/** 1 with tags, 0 without. The answer to ApiVersions must be readable before any version is agreed on: always 0. */
export function responseHeaderVersion(api: Api, version: number): 0 | 1 {
  return version >= api.flexibleFrom && api.key !== apiVersions.key ? 1 : 0
}

/** @throws {ProtocolError} `NOT_REPRESENTABLE`, `UNSUPPORTED_VERSION`: see `encodeBody`. */
export function encodeRequestFrame<A extends Api>(
  api: A,
  version: number,
  header: RequestHeader,
  body: RequestInput<A>,
): EncodedFrame {
  const out = openFrame()
  // Field by field: an object that is spread and added to costs as much as the rest of the frame.
  const { correlationId, clientId } = header
  const fields = { apiKey: api.key, apiVersion: version, correlationId, clientId }
  encodeFields(requestHeaderLayout, fields, out, `${api.name} v${version} request header`)
  if (requestHeaderVersion(api, version) === 2) out.uvarint(0)
  encodeBody(api, 'request', version, body, out)
  return closeFrame(out, `${api.name} v${version} request`)
}

/** @throws {ProtocolError} `NOT_REPRESENTABLE`, `UNSUPPORTED_VERSION`: see `encodeBody`. */
export function encodeResponseFrame<A extends Api>(
  api: A,
  version: number,
  correlationId: number,
  body: Input<A['response']>,
): EncodedFrame {
  const out = openFrame()
  encodeFields(responseHeaderLayout, { correlationId }, out, `${api.name} v${version} response header`)
  if (responseHeaderVersion(api, version) === 1) out.uvarint(0)
  encodeBody(api, 'response', version, body, out)
  return closeFrame(out, `${api.name} v${version} response`)
}

/**
 * The body of a response frame (without its length). The correlation id, its first four bytes, is for the connection
 * to compare; it is not looked at here.
 *
 * @throws {ProtocolError} see `decodeBody`; positions count from the start of `frame`.
 */
export function decodeResponseFrame<A extends Api>(api: A, version: number, frame: Uint8Array): ResponseOf<A> {
  const input = new Reader(frame, `${api.name} v${version} response`)
  decodeFields(responseHeaderLayout, input)
  if (responseHeaderVersion(api, version) === 1) skipTagged(input)
  return decodeBody(api, 'response', version, input)
}

function openFrame(): Writer {
  const out = new Writer()
  out.int32(0) // the length, known in the end
  return out
}

function closeFrame(out: Writer, where: string): EncodedFrame {
  const lengthBytes = out.size - 4
  if (lengthBytes > MAX_FRAME_BYTES) {
    throw new ProtocolError(
      'NOT_REPRESENTABLE',
      `${where}: NOT_REPRESENTABLE: a frame of ${lengthBytes} bytes, at most ${MAX_FRAME_BYTES}`,
    )
  }
  const sizeBytes = out.size
  const chunks = out.chunks()
  const [first] = chunks
  if (first) new DataView(first.buffer, first.byteOffset).setInt32(0, lengthBytes)
  return { chunks, sizeBytes }
}
