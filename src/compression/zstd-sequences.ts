/** The sequences of a zstd block: so many literals, then a match. RFC 8878, 3.1.1.3.2 and 3.1.1.4. */
import { copyLiterals, copyMatch, refusal, type BoundedOutput } from './bounded-output.ts'
import { BackwardBits, WHERE } from './zstd-bits.ts'
import { buildFse, firstState, fseOfOne, nextState, readFse, type FseTable } from './zstd-fse.ts'

/** One of the three codes that a sequence consists of. */
interface CodeKind {
  readonly maxLog: number
  readonly maxSymbol: number
  readonly predefined: FseTable
}

const LITERAL_LENGTHS = [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1]
const MATCH_LENGTHS = [1, 4, 3, 2, 2, 2, 2, 2, 2].concat(new Array<number>(37).fill(1), new Array<number>(7).fill(-1))
const DISTANCES = [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1]
const literalKind: CodeKind = {
  maxLog: 9,
  maxSymbol: 35,
  predefined: buildFse(LITERAL_LENGTHS.concat([-1, -1, -1, -1]), 6),
}
const distanceKind: CodeKind = { maxLog: 8, maxSymbol: 31, predefined: buildFse(DISTANCES, 5) }
const matchKind: CodeKind = { maxLog: 9, maxSymbol: 52, predefined: buildFse(MATCH_LENGTHS, 6) }

/** A code stands for a base and so many bits more. */
const LITERAL_BITS = new Array<number>(16)
  .fill(0)
  .concat([1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
const MATCH_BITS = new Array<number>(32)
  .fill(0)
  .concat([1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
const LITERAL_BASES = basesOf(LITERAL_BITS, 0)
const MATCH_BASES = basesOf(MATCH_BITS, 3)

interface Tables {
  readonly literals: FseTable
  readonly distances: FseTable
  readonly matches: FseTable
}

const NO_TABLES: Tables = { literals: fseOfOne(0), distances: fseOfOne(0), matches: fseOfOne(0) }

/** What a block may take over from those before it in its frame. */
export interface SequenceState {
  tables: Tables | null
  /** The three distances used last. */
  recent: [number, number, number]
}

export function newSequenceState(): SequenceState {
  return { tables: null, recent: [1, 4, 8] }
}

export interface SequenceBlock {
  readonly bytes: Buffer
  /** Where in the block the sequences begin and end. */
  readonly start: number
  readonly end: number
  readonly literals: Buffer
}

export interface FrameOutput {
  readonly output: BoundedOutput
  /** Nothing before it in the output may be copied from. */
  readonly start: number
  readonly maxBlockBytes: number
}

/** Executes the sequences of a block; the literals that are left over end it. */
export function executeSequences(block: SequenceBlock, state: SequenceState, frame: FrameOutput): void {
  const { literals } = block
  const { output, maxBlockBytes } = frame
  const limit = output.reserve(maxBlockBytes)
  const out = output.bytes
  let at = output.length
  let used = 0
  const sequences = new SequenceReader(block, state)
  while (sequences.next()) {
    const { literalLength, matchLength, distance } = sequences
    if (literalLength > literals.length - used) throw refusal(WHERE, 'INVALID_VALUE', 'more literals than there are')
    if (literalLength + matchLength > limit - at) throw tooLong(output, limit, maxBlockBytes)
    copyLiterals(out, at, literals, used, used + literalLength)
    used += literalLength
    at += literalLength
    if (distance > at - frame.start) throw refusal(WHERE, 'INVALID_VALUE', `a match ${distance} bytes back`)
    copyMatch(out, at, distance, matchLength)
    at += matchLength
  }
  if (literals.length - used > limit - at) throw tooLong(output, limit, maxBlockBytes)
  copyLiterals(out, at, literals, used, literals.length)
  output.length = at + literals.length - used
}

/** The sequences of one block, one after the other. */
class SequenceReader {
  literalLength = 0
  matchLength = 0
  distance = 0
  readonly #recent: SequenceState['recent']
  readonly #stream: BackwardBits | null
  readonly #codes: Tables
  #left: number
  #literalState = 0
  #distanceState = 0
  #matchState = 0

  constructor({ bytes, start, end }: SequenceBlock, state: SequenceState) {
    const [count, at] = readCount(bytes, start, end)
    this.#left = count
    this.#recent = state.recent
    this.#codes = NO_TABLES
    this.#stream = null
    if (count === 0) {
      if (at !== end) throw refusal(WHERE, 'INVALID_VALUE', 'bytes after the last sequence')
      return
    }
    const [codes, stream] = readTables(bytes, at, end, state)
    this.#codes = codes
    this.#stream = stream
    this.#literalState = firstState(codes.literals, stream)
    this.#distanceState = firstState(codes.distances, stream)
    this.#matchState = firstState(codes.matches, stream)
  }

  /** Reads the next sequence; false: there is none, and the stream ended where it should. */
  next(): boolean {
    const stream = this.#stream
    if (stream === null) return false
    if (this.#left === 0) {
      if (stream.left !== 0) throw refusal(WHERE, 'INVALID_VALUE', `${stream.left} bits after the last sequence`)
      return false
    }
    const { literals, distances, matches } = this.#codes
    const distanceValue = readDistance(stream, distances.symbols[this.#distanceState] as number)
    const match = matches.symbols[this.#matchState] as number
    this.matchLength = (MATCH_BASES[match] as number) + stream.read(MATCH_BITS[match] as number)
    const literal = literals.symbols[this.#literalState] as number
    this.literalLength = (LITERAL_BASES[literal] as number) + stream.read(LITERAL_BITS[literal] as number)
    if (--this.#left > 0) {
      this.#literalState = nextState(literals, this.#literalState, stream)
      this.#matchState = nextState(matches, this.#matchState, stream)
      this.#distanceState = nextState(distances, this.#distanceState, stream)
    }
    if (stream.left < 0) throw refusal(WHERE, 'TRUNCATED', 'the sequences end early')
    this.distance = recall(this.#recent, distanceValue, this.literalLength)
    return true
  }
}

function readCount(block: Buffer, at: number, end: number): [number, number] {
  const first = at < end ? (block[at] as number) : 0
  const size = first < 128 ? 1 : first < 255 ? 2 : 3
  if (end - at < size) throw refusal(WHERE, 'TRUNCATED', 'a block ends before its sequences')
  if (size === 1) return [first, at + 1]
  if (size === 2) return [((first - 128) << 8) + (block[at + 1] as number), at + 2]
  return [block.readUInt16LE(at + 1) + 0x7f00, at + 3]
}

function readTables(block: Buffer, start: number, end: number, state: SequenceState): [Tables, BackwardBits] {
  if (start >= end) throw refusal(WHERE, 'TRUNCATED', 'a block ends before its tables')
  const modes = block[start] as number
  if ((modes & 3) !== 0) throw refusal(WHERE, 'INVALID_VALUE', `table modes 0x${modes.toString(16)}`)
  const known = state.tables
  const reading = { block, end, at: start + 1 }
  const literals = readTable(reading, modes >>> 6, literalKind, known?.literals)
  const distances = readTable(reading, (modes >>> 4) & 3, distanceKind, known?.distances)
  const matches = readTable(reading, (modes >>> 2) & 3, matchKind, known?.matches)
  state.tables = { literals, distances, matches }
  return [state.tables, new BackwardBits(block, reading.at, end)]
}

/** @param known the table of the block before; read from `at` on, which moves on. */
function readTable(
  reading: { readonly block: Buffer; readonly end: number; at: number },
  mode: number,
  kind: CodeKind,
  known: FseTable | undefined,
): FseTable {
  const { block, at, end } = reading
  if (mode === 0) return kind.predefined
  if (mode === 1) {
    const symbol = at < end ? (block[at] as number) : Infinity
    if (symbol > kind.maxSymbol) throw refusal(WHERE, 'INVALID_VALUE', `code ${symbol}, over ${kind.maxSymbol}`)
    reading.at = at + 1
    return fseOfOne(symbol)
  }
  if (mode === 2) {
    const [table, tableEnd] = readFse(block, at, end, kind.maxLog, kind.maxSymbol)
    reading.at = tableEnd
    return table
  }
  if (known === undefined) throw refusal(WHERE, 'INVALID_VALUE', 'sequences with the table of no block before')
  return known
}

/** 2^code plus `code` bits, which may be more than one read gives. */
function readDistance(stream: BackwardBits, code: number): number {
  const high = code > 16 ? stream.read(code - 16) : 0
  const low = stream.read(Math.min(code, 16))
  return 2 ** code + high * 2 ** 16 + low
}

/** 1 to 3 mean the distances used last, one further where there are no literals; beyond that they count from 3. */
function recall(recent: [number, number, number], value: number, literalLength: number): number {
  const [first, second, third] = recent
  if (value > 3) {
    recent[2] = second
    recent[1] = first
    return (recent[0] = value - 3)
  }
  const which = value + (literalLength === 0 ? 1 : 0)
  if (which === 1) return first
  const distance = which === 2 ? second : which === 3 ? third : first - 1
  if (distance === 0) throw refusal(WHERE, 'INVALID_VALUE', 'a match 0 bytes back')
  if (which !== 2) recent[2] = second
  recent[1] = first
  return (recent[0] = distance)
}

function tooLong(output: BoundedOutput, limit: number, maxBytes: number): Error {
  if (limit < output.length + maxBytes) return output.tooLong()
  return refusal(WHERE, 'INVALID_VALUE', `a block of more than ${maxBytes} bytes when decompressed`)
}

function basesOf(bits: readonly number[], first: number): number[] {
  let base = first
  return bits.map((count) => {
    const start = base
    base += 2 ** count
    return start
  })
}
