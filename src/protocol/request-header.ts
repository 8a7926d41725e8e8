import { Reader } from '../bytes/reader.ts'
import { ProtocolError } from '../errors.ts'
import { apiOfKey } from './apis.ts'
import { decodeFields, skipTagged } from './decode.ts'
import { requestHeaderLayout, requestHeaderVersion, type requestHeader, type RequestHeader } from './frame.ts'
import type { Api, Infer } from './schema.ts'

export interface DecodedRequestHeader extends RequestHeader {
  readonly api: Api
  /** As asked for; may be a version that headrace does not speak. */
  readonly apiVersion: number
  /** What follows the header: a view. */
  readonly body: Buffer
}

/**
 * Reads the header of a request frame (without its length), for who plays the broker. It knows every API; who imports the
 * producer, which needs six of them, does not wait a millisecond for the others.
 *
 * A version that is too new still has a header that we can read, which a broker needs to say so.
 *
 * @throws {ProtocolError} `UNSUPPORTED_VERSION`: an API that headrace does not speak; its header has an unknown form.
 */
export function decodeRequestHeader(frame: Uint8Array): DecodedRequestHeader {
  const input = new Reader(frame, 'request header')
  const { apiKey, ...header } = decodeFields(requestHeaderLayout, input) as Infer<typeof requestHeader>
  const api = apiOfKey(apiKey)
  if (!api) {
    throw new ProtocolError('UNSUPPORTED_VERSION', `request header: UNSUPPORTED_VERSION: unknown API key ${apiKey}`)
  }
  if (requestHeaderVersion(api, header.apiVersion) === 2) skipTagged(input)
  return { api, ...header, body: input.bytes(input.remaining) }
}
