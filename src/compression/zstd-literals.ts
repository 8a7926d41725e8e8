/** The literals of a zstd block: stored, one byte repeated, or Huffman-coded. RFC 8878, 3.1.1.3.1 and 4.2. */
import { refusal } from './bounded-output.ts'
import { BackwardBits, WHERE } from './zstd-bits.ts'
import { firstState, nextState, readFse } from './zstd-fse.ts'

const MAX_CODE_BITS = 11
const MAX_WEIGHT_ACCURACY = 6

/** The first `maxBits` bits of a code look up its symbol and how many bits it has. */
export interface HuffmanTable {
  readonly maxBits: number
  readonly symbols: Uint8Array
  readonly bits: Uint8Array
}

export interface Literals {
  readonly bytes: Buffer
  /** Where in the block they end. */
  readonly end: number
  /** What the next block may use again. */
  readonly table: HuffmanTable | null
}

/** Reads the literals that a block begins with. @param known the table of an earlier block. */
export function readLiterals(block: Buffer, maxBytes: number, known: HuffmanTable | null): Literals {
  const first = byteAt(block, 0, block.length)
  const kind = first & 3
  const format = (first >>> 2) & 3
  if (kind < 2) return readPlain(block, format, maxBytes, known)

  const start = format < 2 ? 3 : format + 2
  if (block.length < start) throw truncated()
  const sizeBits = format < 2 ? 10 : format * 4 + 6
  const sizes = Math.floor(block.readUIntLE(0, start) / 16)
  const size = sizes % 2 ** sizeBits
  const end = start + Math.floor(sizes / 2 ** sizeBits)
  checkSize(size, maxBytes)
  if (end > block.length) throw truncated()
  const [table, treeEnd] = kind === 2 ? readTable(block, start, end) : [known, start]
  if (table === null) throw refusal(WHERE, 'INVALID_VALUE', 'literals with the code of no block before')
  const bytes = Buffer.allocUnsafe(size)
  if (format === 0) decodeStream(table, new BackwardBits(block, treeEnd, end), bytes, 0, size)
  else decodeFourStreams(table, block, treeEnd, end, bytes)
  return { bytes, end, table }
}

function readPlain(block: Buffer, format: number, maxBytes: number, table: HuffmanTable | null): Literals {
  const start = format === 3 ? 3 : format === 1 ? 2 : 1
  if (block.length < start) throw truncated()
  const size = block.readUIntLE(0, start) >>> (start === 1 ? 3 : 4)
  checkSize(size, maxBytes)
  const isOneByte = (byteAt(block, 0, block.length) & 3) === 1
  if (isOneByte) return { bytes: Buffer.alloc(size, byteAt(block, start, block.length)), end: start + 1, table }
  const end = start + size
  if (end > block.length) throw truncated()
  return { bytes: block.subarray(start, end), end, table }
}

/** A jump table gives the lengths of the first three; each but the last makes a quarter, rounded up. */
function decodeFourStreams(table: HuffmanTable, block: Buffer, at: number, end: number, out: Buffer): void {
  if (end - at < 6) throw truncated()
  const quarter = (out.length + 3) >>> 2
  let start = at + 6
  for (let i = 0; i < 4; i++) {
    const stop = i === 3 ? end : start + block.readUInt16LE(at + 2 * i)
    const made = Math.min(i * quarter, out.length)
    if (stop > end) throw truncated()
    decodeStream(table, new BackwardBits(block, start, stop), out, made, i === 3 ? out.length : made + quarter)
    start = stop
  }
}

function decodeStream(table: HuffmanTable, stream: BackwardBits, out: Buffer, from: number, to: number): void {
  const { maxBits, symbols, bits } = table
  if (to > out.length) throw refusal(WHERE, 'INVALID_VALUE', `four streams of ${out.length} literals`)
  for (let at = from; at < to; at++) {
    const code = stream.peek(maxBits)
    out[at] = symbols[code] as number
    stream.skip(bits[code] as number)
  }
  if (stream.left !== 0) throw refusal(WHERE, 'INVALID_VALUE', `${stream.left} bits after the last literal`)
}

function readTable(block: Buffer, at: number, end: number): [HuffmanTable, number] {
  const header = byteAt(block, at, end)
  const start = at + 1
  const isDirect = header >= 128
  const stop = start + (isDirect ? (header - 126) >>> 1 : header)
  if (stop > end) throw truncated()
  const weights = isDirect
    ? Array.from({ length: header - 127 }, (_, i) => ((block[start + (i >> 1)] as number) >>> (i & 1 ? 0 : 4)) & 15)
    : readWeights(block, start, stop)
  return [buildTable(weights), stop]
}

/** Two states take turns; the one that runs out of bits leaves the last symbol to the other. */
function readWeights(block: Buffer, start: number, end: number): number[] {
  const [table, at] = readFse(block, start, end, MAX_WEIGHT_ACCURACY, MAX_CODE_BITS)
  const stream = new BackwardBits(block, at, end)
  const weights: number[] = []
  let state = firstState(table, stream)
  let other = firstState(table, stream)
  if (stream.left < 0) throw truncated()
  while (weights.length < 254) {
    weights.push(table.symbols[state] as number)
    const next = nextState(table, state, stream)
    if (stream.left < 0) {
      weights.push(table.symbols[other] as number)
      return weights
    }
    state = other
    other = next
  }
  throw refusal(WHERE, 'INVALID_VALUE', 'a code of more than 256 symbols')
}

/** A symbol of weight w > 0 has 2^(w-1) parts of the table; the weight of the last symbol is what is left. */
function buildTable(weights: number[]): HuffmanTable {
  let parts = 0
  for (const weight of weights) parts += (1 << weight) >> 1
  const maxBits = 32 - Math.clz32(parts)
  const left = (1 << maxBits) - parts
  if (parts === 0 || maxBits > MAX_CODE_BITS || (left & (left - 1)) !== 0) {
    throw refusal(WHERE, 'INVALID_VALUE', `a code whose weights make ${parts}`)
  }
  weights.push(32 - Math.clz32(left))
  const symbols = new Uint8Array(1 << maxBits)
  const bits = new Uint8Array(1 << maxBits)
  let at = 0
  for (let weight = 1; weight <= maxBits; weight++) {
    const count = 1 << (weight - 1)
    for (let symbol = 0; symbol < weights.length; symbol++) {
      if (weights[symbol] !== weight) continue
      symbols.fill(symbol, at, at + count)
      bits.fill(maxBits + 1 - weight, at, at + count)
      at += count
    }
  }
  return { maxBits, symbols, bits }
}

function checkSize(size: number, maxBytes: number): void {
  if (size > maxBytes) throw refusal(WHERE, 'INVALID_VALUE', `${size} literals in a block of at most ${maxBytes} bytes`)
}

function byteAt(block: Buffer, at: number, end: number): number {
  if (at >= end) throw truncated()
  return block[at] as number
}

function truncated(): Error {
  return refusal(WHERE, 'TRUNCATED', 'a block ends inside its literals')
}
