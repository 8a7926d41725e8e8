/**
 * `headrace/protocol`: the protocol without a connection, for fuzzers, tools and tests.
 *
 * Outside of semantic versioning: this is the inside of headrace, and moves with it. Field names are Kafka's own in
 * camelCase, int64 is `bigint`, bytes are `Uint8Array`, a uuid is Kafka's text of 22 characters.
 */
import { Reader } from '../bytes/reader.ts'
import { Writer } from '../bytes/writer.ts'
import { apiNamed, type ApiName, type ApiNamed } from './apis.ts'
import { decodeBody, encodeBody } from './codec.ts'
import type { Infer, Input } from './schema.ts'

export { apiNamed, apis, type ApiName, type ApiNamed } from './apis.ts'
export type { Api, Field, Fields, FieldSpec, FieldType, Infer, Input, Primitive } from './schema.ts'
export {
  FrameReader,
  decodeResponseFrame,
  describePeer,
  encodeRequestFrame,
  encodeResponseFrame,
  type EncodedFrame,
  type RequestHeader,
} from './frame.ts'
export { decodeRequestHeader, type DecodedRequestHeader } from './request-header.ts'
export {
  decodeRecordBatch,
  decodeRecordBatches,
  decodeRecordBatchHeader,
  encodeRecordBatch,
  type CodecId,
  type DecodeOptions,
  type EncodeOptions,
  type RecordBatch,
  type RecordBatchHeader,
  type RecordToEncode,
} from './record-batch.ts'
export type { Bytes, DecodedRecord, RecordHeaders } from './record.ts'
export type { CompressionName } from './record-batch-layout.ts'
export { encodeMessageSet, type EncodeMessageSetOptions } from './message-set.ts'
export { decodeMessageSet, type DecodedMessage } from './message-set-decode.ts'
export { crc32c } from '../bytes/crc32c.ts'
export { murmur2 } from '../partitioner/murmur2.ts'
export { ProtocolError } from '../errors.ts'

/**
 * The body of a request, without header and length.
 *
 * @throws {ProtocolError} `UNSUPPORTED_VERSION`: headrace does not have this version of `api`.
 * @throws {ProtocolError} `NOT_REPRESENTABLE`: `body` has a value that this version cannot carry; the message names it.
 */
export function encodeRequest<Name extends ApiName>(
  api: Name,
  version: number,
  body: Input<ApiNamed<Name>['request']>,
): Uint8Array {
  const out = new Writer()
  encodeBody(apiNamed(api), 'request', version, body, out)
  return out.finish()
}

/**
 * The body of a request, all fields of all versions in it; byte fields are views of `bytes`.
 *
 * @throws {ProtocolError} `TRUNCATED`, `TRAILING_BYTES`, `INVALID_VALUE`: `bytes` are not one such body.
 * @throws {ProtocolError} `UNSUPPORTED_VERSION`: headrace does not have this version of `api`.
 */
export function decodeRequest<Name extends ApiName>(
  api: Name,
  version: number,
  bytes: Uint8Array,
): Infer<ApiNamed<Name>['request']> {
  return decodeBody(apiNamed(api), 'request', version, new Reader(bytes, `${api} v${version} request`))
}

/** The body of a response, as `encodeRequest` does it. */
export function encodeResponse<Name extends ApiName>(
  api: Name,
  version: number,
  body: Input<ApiNamed<Name>['response']>,
): Uint8Array {
  const out = new Writer()
  encodeBody(apiNamed(api), 'response', version, body, out)
  return out.finish()
}

/** The body of a response, as `decodeRequest` does it. */
export function decodeResponse<Name extends ApiName>(
  api: Name,
  version: number,
  bytes: Uint8Array,
): Infer<ApiNamed<Name>['response']> {
  return decodeBody(apiNamed(api), 'response', version, new Reader(bytes, `${api} v${version} response`))
}
