/**
 * Snappy as Kafka has it: raw blocks, bare or in Xerial's framing (snappy-java), which is what Java producers write.
 *
 * ```
 * framing: 82 53 4e 41 50 50 59 00 | version int32 = 1 | compatible int32 = 1 | (length int32 | raw block) ...
 * raw:     length uvarint, uncompressed | elements; the lower two bits of each tag:
 *          00 literal   01 copy, 11-bit distance   10 copy, 16-bit distance   11 copy, 32-bit distance
 * ```
 * Source: format_description.txt of google/snappy; SnappyOutputStream and SnappyInputStream of snappy-java 1.1.
 */
import { Reader } from '../bytes/reader.ts'
import { BoundedOutput, copyLiterals, copyMatch, refusal } from './bounded-output.ts'

const WHERE = 'snappy'
/** Uncompressed bytes per block: what snappy-java, and so every Java producer, takes. */
export const XERIAL_BLOCK_BYTES = 32 * 1024
const XERIAL_MAGIC = Buffer.from('82534e4150505900', 'hex')
const XERIAL_HEADER = Buffer.from('82534e41505059000000000100000001', 'hex')
/** No element makes more of its bytes than a copy of three: 64 bytes. */
const MAX_RATIO = 22

/** Puts compressed blocks into Xerial's framing. */
export function frameXerial(blocks: readonly Uint8Array[]): Buffer {
  const size = blocks.reduce((sum, block) => sum + 4 + block.length, XERIAL_HEADER.length)
  const framed = Buffer.allocUnsafe(size)
  framed.set(XERIAL_HEADER)
  let at = XERIAL_HEADER.length
  for (const block of blocks) {
    framed.writeInt32BE(block.length, at)
    framed.set(block, at + 4)
    at += 4 + block.length
  }
  return framed
}

/** @throws {ProtocolError} and nothing else. */
export function decompressSnappy(bytes: Uint8Array, maxOutputBytes: number): Uint8Array {
  const isFramed = XERIAL_MAGIC.equals(bytes.subarray(0, XERIAL_MAGIC.length))
  const output = new BoundedOutput(WHERE, maxOutputBytes, 0)
  const reader = new Reader(bytes, WHERE)
  if (!isFramed) {
    decodeBlock(reader, output)
    return output.finish()
  }
  reader.skip(XERIAL_MAGIC.length)
  const [version, compatible] = [reader.int32(), reader.int32()]
  if (compatible !== 1) throw refusal(WHERE, 'INVALID_VALUE', `framing of version ${version}, compatible ${compatible}`)
  while (reader.remaining > 0) decodeBlock(new Reader(reader.bytes(reader.int32()), WHERE), output)
  return output.finish()
}

/** Decodes the raw block that `reader` holds, all of it. */
function decodeBlock(reader: Reader, output: BoundedOutput): void {
  const size = reader.uvarint()
  const input = reader.bytes(reader.remaining)
  if (size > input.length * MAX_RATIO) throw refusal(WHERE, 'INVALID_VALUE', `${size} bytes out of ${input.length}`)
  const start = output.length
  const end = start + size
  if (output.reserve(size) < end) throw output.tooLong()
  const made = decodeElements(input, output.bytes, start, end)
  if (made !== end) throw refusal(WHERE, 'TRUNCATED', `${made - start} of ${size} bytes`)
  output.length = end
}

function decodeElements(input: Buffer, output: Buffer, start: number, end: number): number {
  let at = start
  let next = 0
  while (next < input.length) {
    const tag = input[next++] as number
    const kind = tag & 3
    let length = (tag >>> 2) + 1
    if (kind === 0) {
      if (length > 60) {
        const lengthBytes = length - 60
        length = littleEndian(input, next, lengthBytes) + 1
        next += lengthBytes
      }
      if (length > input.length - next || length > end - at) throw tooFar('a literal', length)
      copyLiterals(output, at, input, next, next + length)
      next += length
    } else {
      const distanceBytes = kind === 3 ? 4 : kind
      let distance = littleEndian(input, next, distanceBytes)
      next += distanceBytes
      if (kind === 1) {
        length = 4 + ((tag >>> 2) & 7)
        distance += (tag >>> 5) << 8
      }
      if (distance === 0 || distance > at - start) throw tooFar('a copy from', distance)
      if (length > end - at) throw tooFar('a copy of', length)
      copyMatch(output, at, distance, length)
    }
    at += length
  }
  return at
}

function littleEndian(bytes: Buffer, at: number, count: number): number {
  if (at + count > bytes.length) throw refusal(WHERE, 'TRUNCATED', `inside an element at byte ${at}`)
  return bytes.readUIntLE(at, count)
}

function tooFar(what: string, count: number): Error {
  return refusal(WHERE, 'INVALID_VALUE', `${what} ${count} bytes, which are not there`)
}
