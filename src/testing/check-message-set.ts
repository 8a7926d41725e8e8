/**
 * What a broker looks at in a message set (Produce v0 to v2) before it appends.
 *
 * Source: Log.analyzeAndValidateRecords and LogValidator of Apache Kafka 2.8.
 */
import { errorByCode } from '../protocol/error-codes.ts'
import { decodeMessageSet, type DecodedMessage } from '../protocol/message-set-decode.ts'
import type { BatchRefusal } from './check-batch.ts'
import { decompress } from './decompress.ts'
import { CORRUPT_MESSAGE, MESSAGE_TOO_LARGE } from '../protocol/error-numbers.ts'

export type CheckedMessageSet = { readonly messages: readonly DecodedMessage[] } | { readonly refusal: BatchRefusal }

/** From here on a request may carry timestamps, and so magic 1. */
const FIRST_VERSION_WITH_MAGIC_1 = 2
/** Offset and size of a message, which the size does not count. */
const SIZE_END = 12

export function checkMessageSet(bytes: Buffer | null, version: number, maxMessageBytes: number): CheckedMessageSet {
  if (bytes === null || bytes.length === 0) return refuse(CORRUPT_MESSAGE, 'no messages')
  const messages = decode(bytes)
  if (!Array.isArray(messages)) return refuse(CORRUPT_MESSAGE, messages)
  const maxMagic = version >= FIRST_VERSION_WITH_MAGIC_1 ? 1 : 0
  const tooNew = messages.find(({ magic }) => magic > maxMagic)
  if (tooNew !== undefined) return refuse(CORRUPT_MESSAGE, `magic ${tooNew.magic} in Produce v${version}`)
  const wrong = messages.findIndex(({ offset }, i) => offset !== BigInt(i))
  if (wrong >= 0) return refuse(CORRUPT_MESSAGE, `offset ${messages[wrong]?.offset ?? -1n} of message ${wrong}`)
  const largest = largestOf(bytes)
  if (largest <= maxMessageBytes) return { messages }
  const message = `a message of ${largest} bytes is over max.message.bytes (${maxMessageBytes})`
  return { refusal: { errorCode: MESSAGE_TOO_LARGE, message, isViolation: false } }
}

/** The messages, or what is wrong with them. */
function decode(bytes: Buffer): DecodedMessage[] | string {
  try {
    return decodeMessageSet(bytes, { decompress })
  } catch (error) {
    return String(error)
  }
}

/** Bytes of the largest message, wrappers as they are. */
function largestOf(bytes: Buffer): number {
  let largest = 0
  for (let at = 0; at < bytes.length;) {
    const size = SIZE_END + bytes.readInt32BE(at + 8)
    largest = Math.max(largest, size)
    at += size
  }
  return largest
}

function refuse(errorCode: number, what: string): CheckedMessageSet {
  return { refusal: { errorCode, message: `${errorByCode(errorCode).name}: ${what}`, isViolation: true } }
}
