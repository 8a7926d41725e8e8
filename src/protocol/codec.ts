/**
 * Messages out of schemas: a layout (schema x version) drives a plain walk, for every API alike.
 *
 * Interpreted, without generated code and without a closure per field: the envelope is small beside the batches that
 * it carries (DESIGN.md, "Messages").
 */
import type { Reader } from '../bytes/reader.ts'
import type { Writer } from '../bytes/writer.ts'
import { decodeFields } from './decode.ts'
import { encodeFields } from './encode.ts'
import { layoutOf, type Direction } from './layout.ts'
import type { Api, Infer, Input } from './schema.ts'

/**
 * Writes the body of a message.
 *
 * @throws {ProtocolError} `UNSUPPORTED_VERSION`: the schema does not describe `version`.
 * @throws {ProtocolError} `NOT_REPRESENTABLE`: a value that this version of the message cannot carry.
 */
export function encodeBody<A extends Api, D extends Direction>(
  api: A,
  direction: D,
  version: number,
  body: Input<A[D]>,
  out: Writer,
): void {
  encodeFields(layoutOf(api, direction, version), body, out, `${api.name} v${version} ${direction}`)
}

/**
 * Reads the body of a message; it ends where `input` ends. Byte fields are views, defaults are shared and frozen.
 *
 * @throws {ProtocolError} `TRUNCATED`, `TRAILING_BYTES`, `INVALID_VALUE`: the bytes are not such a message.
 * @throws {ProtocolError} `UNSUPPORTED_VERSION`: the schema does not describe `version`.
 */
export function decodeBody<A extends Api, D extends Direction>(
  api: A,
  direction: D,
  version: number,
  input: Reader,
): Infer<A[D]> {
  const body = decodeFields(layoutOf(api, direction, version), input)
  input.end()
  return body as Infer<A[D]>
}
