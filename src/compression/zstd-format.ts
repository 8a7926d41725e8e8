/**
 * Decodes zstd frames, in TypeScript because Node has zstd from 22.15 on only, and the package for older ones can neither
 * be bounded nor called synchronously.
 *
 * ```
 * magic 28 b5 2f fd | descriptor | [window] | [dictionary id] | [content size] | blocks: header uint24, bytes | [checksum]
 * ```
 * Little-endian. Nothing is allocated for a window: what was decoded is the window. Dictionaries are refused.
 *
 * Source: RFC 8878.
 */
import { Reader } from '../bytes/reader.ts'
import { BoundedOutput, refusal } from './bounded-output.ts'
import { xxh64 } from './xxhash.ts'
import { WHERE } from './zstd-bits.ts'
import { readLiterals, type HuffmanTable } from './zstd-literals.ts'
import { executeSequences, newSequenceState } from './zstd-sequences.ts'

const MAGIC = 0xfd2fb528
/** The upper 28 bits of a frame that decoders pass over. */
const SKIPPABLE = 0x184d2a5
const MAX_BLOCK_BYTES = 128 * 1024
/** What the zstd library refuses, and with it a broker. */
const MAX_WINDOW_BYTES = 2 ** 27

/** @throws {ProtocolError} and nothing else. */
export function decompressZstd(bytes: Uint8Array, maxOutputBytes: number): Uint8Array {
  const reader = new Reader(bytes, WHERE)
  const output = new BoundedOutput(WHERE, maxOutputBytes, 0)
  do {
    const magic = littleEndian(reader, 4)
    if (magic === MAGIC) decodeFrame(reader, output, maxOutputBytes)
    else if (magic >>> 4 === SKIPPABLE) reader.skip(littleEndian(reader, 4))
    else throw refusal(WHERE, 'INVALID_VALUE', `magic 0x${magic.toString(16)}`)
  } while (reader.remaining > 0)
  return output.finish()
}

interface FrameHeader {
  readonly contentSize: number | null
  readonly maxBlockBytes: number
  readonly hasChecksum: boolean
}

function decodeFrame(reader: Reader, output: BoundedOutput, maxOutputBytes: number): void {
  const start = output.length
  const { contentSize, maxBlockBytes, hasChecksum } = decodeHeader(reader)
  if (contentSize !== null && contentSize > maxOutputBytes - start) throw output.tooLong()
  const sequences = newSequenceState()
  let table: HuffmanTable | null = null
  for (let isLast = false; !isLast;) {
    const header = littleEndian(reader, 3)
    isLast = (header & 1) === 1
    const kind = (header >>> 1) & 3
    const size = header >>> 3
    if (size > maxBlockBytes) throw refusal(WHERE, 'INVALID_VALUE', `a block of ${size} bytes, over ${maxBlockBytes}`)
    if (kind === 0) output.append(reader.bytes(size))
    else if (kind === 1) output.fill(littleEndian(reader, 1), size)
    else if (kind === 2) {
      const bytes = reader.bytes(size)
      const literals = readLiterals(bytes, maxBlockBytes, table)
      table = literals.table
      const block = { bytes, start: literals.end, end: size, literals: literals.bytes }
      executeSequences(block, sequences, { output, start, maxBlockBytes })
    } else throw refusal(WHERE, 'INVALID_VALUE', 'a block of the reserved kind')
  }
  const content = output.finish().subarray(start)
  if (contentSize !== null && contentSize !== content.length) {
    throw refusal(WHERE, 'INVALID_VALUE', `${content.length} bytes, the header says ${contentSize}`)
  }
  if (hasChecksum && littleEndian(reader, 4) !== Number(xxh64(content) & 0xffff_ffffn)) {
    throw refusal(WHERE, 'INVALID_VALUE', 'the checksum does not fit the content')
  }
}

function decodeHeader(reader: Reader): FrameHeader {
  const descriptor = littleEndian(reader, 1)
  const isSingleSegment = (descriptor & 0x20) !== 0
  if ((descriptor & 0x08) !== 0) throw refusal(WHERE, 'INVALID_VALUE', 'the reserved bit is set')
  let windowBytes = 0
  if (!isSingleSegment) {
    const window = littleEndian(reader, 1)
    const base = 2 ** (10 + (window >>> 3))
    windowBytes = base + (base / 8) * (window & 7)
  }
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number
  const dictionary = littleEndian(reader, dictionaryBytes)
  if (dictionary !== 0) throw refusal(WHERE, 'INVALID_VALUE', `dictionary ${dictionary}`)
  const contentSize = readContentSize(reader, descriptor >>> 6, isSingleSegment)
  if (isSingleSegment) windowBytes = contentSize ?? 0
  else if (windowBytes > MAX_WINDOW_BYTES) throw refusal(WHERE, 'INVALID_VALUE', `a window of ${windowBytes} bytes`)
  return {
    contentSize,
    maxBlockBytes: Math.min(windowBytes, MAX_BLOCK_BYTES),
    hasChecksum: (descriptor & 0x04) !== 0,
  }
}

function readContentSize(reader: Reader, flag: number, isSingleSegment: boolean): number | null {
  if (flag === 0) return isSingleSegment ? littleEndian(reader, 1) : null
  if (flag === 1) return littleEndian(reader, 2) + 256
  if (flag === 2) return littleEndian(reader, 4)
  return littleEndian(reader, 4) + littleEndian(reader, 4) * 2 ** 32
}

function littleEndian(reader: Reader, size: number): number {
  return size === 0 ? 0 : reader.bytes(size).readUIntLE(0, size)
}
