import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { jsonFault } from '../json-fault.ts'
import type { Load } from './load.ts'
import { Refusal } from './refusal.ts'

/** Of a request, compressed and not. As in Segment's HTTP API. */
export const MAX_BODY_BYTES = 500 * 1024

const unzip = promisify(gunzip)

export interface JsonBody {
  readonly json: unknown
  /** Of the text. */
  readonly bytes: number
}

/**
 * Reads a body that is JSON, as it is or in gzip; stops when it is too large, before it is there.
 *
 * @throws {Refusal} 400: it is too large, no JSON, in another encoding, or broken off; 429: too much is being read.
 */
export async function readJsonBody(incoming: IncomingMessage, load: Load): Promise<JsonBody> {
  if (Number(incoming.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge()
  const encoding = (incoming.headers['content-encoding'] ?? 'identity').toLowerCase()
  if (encoding !== 'identity' && encoding !== 'gzip') {
    throw new Refusal(400, 'UNKNOWN_ENCODING', 'Content-Encoding: expected gzip or none.')
  }
  const read = await readBytes(incoming, load)
  const bytes = encoding === 'gzip' ? await unzipped(read) : read
  return { json: parse(bytes), bytes: bytes.length }
}

async function readBytes(incoming: IncomingMessage, load: Load): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    // Leaving the loop must not destroy the socket: the answer goes there.
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      const { length } = chunk as Buffer
      if (bytes + length > MAX_BODY_BYTES) throw tooLarge()
      load.addBodyBytes(length)
      bytes += length
      chunks.push(chunk as Buffer)
    }
    return Buffer.concat(chunks, bytes)
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw new Refusal(400, 'BROKEN_OFF', 'The request broke off.')
  } finally {
    load.removeBodyBytes(bytes)
  }
}

async function unzipped(bytes: Buffer): Promise<Buffer> {
  try {
    return await unzip(bytes, { maxOutputLength: MAX_BODY_BYTES })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge()
    throw new Refusal(400, 'INVALID_GZIP', 'The body is not the gzip that Content-Encoding says.')
  }
}

/** What `JSON.parse` says would quote the body. */
function parse(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new Refusal(400, 'INVALID_JSON', 'The body is not JSON: its bytes are not UTF-8.')
  const text = bytes.toString('utf8')
  try {
    return JSON.parse(text) as unknown
  } catch {
    const fault = jsonFaultOf(text)
    throw new Refusal(400, 'INVALID_JSON', `The body is not JSON${fault}.`)
  }
}

function jsonFaultOf(text: string): string {
  try {
    const place = jsonFault(text)
    return place === null ? '' : `: look at line ${place.line}, column ${place.column}`
  } catch {
    return '' // nested so deeply that the search for the place gives up
  }
}

function tooLarge(): Refusal {
  return new Refusal(400, 'BODY_TOO_LARGE', `The body is larger than ${MAX_BODY_BYTES} bytes.`)
}
