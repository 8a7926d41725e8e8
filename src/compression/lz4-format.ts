/**
 * The LZ4 frame format, as far as Kafka allows it: one frame of independent blocks, no dictionary.
 *
 * ```
 * magic 04 22 4d 18 | FLG | BD | [content size int64] | HC | (block size uint32 | block | [checksum])... | 0 uint32 | [checksum]
 * FLG: 01 version, independent blocks, block checksums, content size, content checksum, 0, dictionary id
 * BD:  0, block size 4 to 7 (64 KiB, 256 KiB, 1 MiB, 4 MiB), 0000       HC: second byte of XXH32 of FLG to before HC
 * ```
 * All of it little-endian; the highest bit of a block's size says that it is stored as it is.
 *
 * Source: lz4_Frame_format.md and lz4_Block_format.md of lz4/lz4; Lz4BlockInputStream of Apache Kafka; KIP-57.
 */
import { asBuffer } from '../bytes/as-buffer.ts'
import { BoundedOutput, copyLiterals, copyMatch, refusal } from './bounded-output.ts'
import { xxh32 } from './xxhash.ts'

const WHERE = 'lz4'
const MAGIC = 0x184d2204
const MAGIC_BYTES = 4
const CHECKSUM_BYTES = 4
const STORED = 0x80000000

const VERSION_MASK = 0xc0
const VERSION_1 = 0x40
const INDEPENDENT_BLOCKS = 0x20
const BLOCK_CHECKSUMS = 0x10
const CONTENT_SIZE = 0x08
const CONTENT_CHECKSUM = 0x04
const RESERVED_OR_DICTIONARY = 0x03

const MIN_MATCH = 4
/** A byte of a length stands for up to 255 bytes of output. */
const MAX_RATIO = 255

export interface Lz4Options {
  /** Messages of magic 0 come with a checksum that takes in the frame's magic, too (KIP-57). Default: refused. */
  readonly allowKip57Checksum?: boolean
}

/** The frame as messages of magic 0 must have it: the header checksum takes in the frame's magic, a bug older than KIP-57. */
export function lz4FrameForMagic0(frame: Uint8Array): Uint8Array {
  const at = checksumPosition(frame)
  const copy = Buffer.from(frame)
  copy[at] = (xxh32(frame, 0, at) >>> 8) & 0xff
  return copy
}

/** @throws {ProtocolError} and nothing else. */
export function decompressLz4(frame: Uint8Array, maxOutputBytes: number, options: Lz4Options = {}): Uint8Array {
  const bytes = asBuffer(frame)
  const header = decodeHeader(bytes, options)
  const { contentSize, hasBlockChecksums, hasContentChecksum, maxBlockBytes } = header
  if (contentSize !== null && contentSize > maxOutputBytes) throw new BoundedOutput(WHERE, maxOutputBytes, 0).tooLong()
  const output = new BoundedOutput(WHERE, maxOutputBytes, 0)
  let at = header.end
  for (;;) {
    const word = uint32(bytes, at)
    at += 4
    if (word === 0) break
    const size = word % STORED
    if (size > maxBlockBytes) throw refusal(WHERE, 'INVALID_VALUE', `a block of ${size} bytes, over ${maxBlockBytes}`)
    const end = at + size
    if (end > bytes.length) throw refusal(WHERE, 'TRUNCATED', `a block of ${size} bytes at byte ${at}`)
    if (hasBlockChecksums) check(bytes, end, xxh32(bytes, at, end))
    if (word >= STORED) output.append(bytes.subarray(at, end))
    else decodeBlock(bytes, at, end, output, maxBlockBytes)
    at = end + (hasBlockChecksums ? CHECKSUM_BYTES : 0)
  }
  const content = output.finish()
  if (contentSize !== null && contentSize !== content.length) {
    throw refusal(WHERE, 'INVALID_VALUE', `${content.length} bytes, the header says ${contentSize}`)
  }
  if (hasContentChecksum) {
    check(bytes, at, xxh32(content))
    at += CHECKSUM_BYTES
  }
  if (at < bytes.length) throw refusal(WHERE, 'TRAILING_BYTES', `${bytes.length - at} bytes after the frame`)
  return content
}

interface FrameHeader {
  readonly end: number
  readonly contentSize: number | null
  readonly hasBlockChecksums: boolean
  readonly hasContentChecksum: boolean
  readonly maxBlockBytes: number
}

function decodeHeader(bytes: Buffer, { allowKip57Checksum = false }: Lz4Options): FrameHeader {
  const checksumAt = checksumPosition(bytes)
  const flags = bytes[MAGIC_BYTES] as number
  const descriptor = bytes[MAGIC_BYTES + 1] as number
  const blockSize = descriptor >>> 4
  const isIndependent = (flags & INDEPENDENT_BLOCKS) !== 0
  if ((flags & VERSION_MASK) !== VERSION_1 || (flags & RESERVED_OR_DICTIONARY) !== 0 || !isIndependent) {
    throw refusal(WHERE, 'INVALID_VALUE', `flags 0x${flags.toString(16)}`)
  }
  if ((descriptor & 0x0f) !== 0 || blockSize < 4 || blockSize > 7) {
    throw refusal(WHERE, 'INVALID_VALUE', `block descriptor 0x${descriptor.toString(16)}`)
  }
  const checksum = bytes[checksumAt]
  const isCorrect = checksum === secondByte(xxh32(bytes, MAGIC_BYTES, checksumAt))
  if (!isCorrect && !(allowKip57Checksum && checksum === secondByte(xxh32(bytes, 0, checksumAt)))) {
    throw refusal(WHERE, 'INVALID_VALUE', 'the header checksum does not fit the header')
  }
  return {
    end: checksumAt + 1,
    contentSize: flags & CONTENT_SIZE ? Number(bytes.readBigUInt64LE(MAGIC_BYTES + 2)) : null,
    hasBlockChecksums: (flags & BLOCK_CHECKSUMS) !== 0,
    hasContentChecksum: (flags & CONTENT_CHECKSUM) !== 0,
    maxBlockBytes: 1 << (8 + 2 * blockSize),
  }
}

/** Where the header's checksum is, which is there. */
function checksumPosition(bytes: Uint8Array): number {
  if (bytes.length < 7) throw refusal(WHERE, 'TRUNCATED', `a frame header in ${bytes.length} bytes`)
  const magic = uint32(bytes, 0)
  if (magic !== MAGIC) throw refusal(WHERE, 'INVALID_VALUE', `magic 0x${magic.toString(16)}`)
  const at = (bytes[MAGIC_BYTES] as number) & CONTENT_SIZE ? 14 : 6
  if (at >= bytes.length) throw refusal(WHERE, 'TRUNCATED', `a frame header in ${bytes.length} bytes`)
  return at
}

/** Sequences of literals and a match each; the last has literals only. */
function decodeBlock(input: Buffer, from: number, to: number, out: BoundedOutput, maxBlockBytes: number): void {
  const limit = out.reserve(Math.min(maxBlockBytes, (to - from) * MAX_RATIO))
  const output = out.bytes
  const start = out.length
  let at = start
  let next = from
  for (;;) {
    if (next >= to) throw refusal(WHERE, 'TRUNCATED', 'a block ends before its last literals')
    const token = input[next++] as number
    let literals = token >>> 4
    if (literals === 15) {
      let more = 255
      while (more === 255 && next < to) literals += more = input[next++] as number
      if (more === 255) throw refusal(WHERE, 'TRUNCATED', 'a block ends inside a length')
    }
    if (literals > to - next) throw refusal(WHERE, 'TRUNCATED', `${literals} literals, ${to - next} left`)
    if (literals > limit - at) throw tooLong(out, limit - start, maxBlockBytes)
    copyLiterals(output, at, input, next, next + literals)
    next += literals
    at += literals
    if (next === to) break

    if (to - next < 2) throw refusal(WHERE, 'TRUNCATED', 'a block ends inside a distance')
    const distance = (input[next] as number) | ((input[next + 1] as number) << 8)
    next += 2
    let length = token & 15
    if (length === 15) {
      let more = 255
      while (more === 255 && next < to) length += more = input[next++] as number
      if (more === 255) throw refusal(WHERE, 'TRUNCATED', 'a block ends inside a length')
    }
    length += MIN_MATCH
    if (distance === 0 || distance > at - start) {
      throw refusal(WHERE, 'INVALID_VALUE', `a match ${distance} bytes back, ${at - start} are there`)
    }
    if (length > limit - at) throw tooLong(out, limit - start, maxBlockBytes)
    copyMatch(output, at, distance, length)
    at += length
  }
  out.length = at
}

function tooLong(out: BoundedOutput, room: number, maxBlockBytes: number): Error {
  if (room < maxBlockBytes) return out.tooLong()
  return refusal(WHERE, 'INVALID_VALUE', `a block of more than ${maxBlockBytes} bytes when decompressed`)
}

function check(bytes: Buffer, at: number, actual: number): void {
  if (uint32(bytes, at) !== actual) throw refusal(WHERE, 'INVALID_VALUE', 'a checksum does not fit its bytes')
}

function uint32(bytes: Uint8Array, at: number): number {
  if (at + 4 > bytes.length)
    throw refusal(WHERE, 'TRUNCATED', `4 bytes wanted at byte ${at}, ${bytes.length - at} left`)
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true)
}

function secondByte(hash: number): number {
  return (hash >>> 8) & 0xff
}
