/** Finite state entropy: tables that turn states into symbols. RFC 8878, 4.1. */
import { refusal } from './bounded-output.ts'
import { WHERE, type BackwardBits } from './zstd-bits.ts'

/** In state `s` the symbol is `symbols[s]`, the next state `bases[s]` plus `bits[s]` bits of the stream. */
export interface FseTable {
  readonly accuracyLog: number
  readonly symbols: Uint8Array
  readonly bits: Uint8Array
  readonly bases: Uint16Array
}

/** Always the same symbol. */
export function fseOfOne(symbol: number): FseTable {
  return { accuracyLog: 0, symbols: Uint8Array.of(symbol), bits: Uint8Array.of(0), bases: Uint16Array.of(0) }
}

/** @param counts how many of the 2^accuracyLog states each symbol has; -1 is one state that takes every bit afresh. */
export function buildFse(counts: readonly number[], accuracyLog: number): FseTable {
  const size = 1 << accuracyLog
  const symbols = new Uint8Array(size)
  const next = new Uint16Array(counts.length)
  let high = size
  counts.forEach((count, symbol) => {
    if (count === -1) symbols[--high] = symbol
    next[symbol] = Math.abs(count)
  })
  const step = (size >> 1) + (size >> 3) + 3
  let at = 0
  counts.forEach((count, symbol) => {
    for (let i = 0; i < count; i++) {
      symbols[at] = symbol
      do at = (at + step) & (size - 1)
      while (at >= high)
    }
  })
  const bits = new Uint8Array(size)
  const bases = new Uint16Array(size)
  for (let state = 0; state < size; state++) {
    const symbol = symbols[state] as number
    const rank = next[symbol] as number
    next[symbol] = rank + 1
    const width = accuracyLog - (31 - Math.clz32(rank))
    bits[state] = width
    bases[state] = (rank << width) - size
  }
  return { accuracyLog, symbols, bits, bases }
}

/** Reads the description of a table. @returns the table and where its description ends. */
export function readFse(
  bytes: Buffer,
  start: number,
  end: number,
  maxLog: number,
  maxSymbol: number,
): [FseTable, number] {
  const bits = new ForwardBits(bytes, start, end)
  const accuracyLog = bits.read(4) + 5
  if (accuracyLog > maxLog) throw refusal(WHERE, 'INVALID_VALUE', `table of accuracy ${accuracyLog}, over ${maxLog}`)
  const counts: number[] = []
  let left = 1 << accuracyLog
  while (left > 0 && counts.length <= maxSymbol) {
    const count = readCount(bits, left)
    counts.push(count)
    left -= Math.abs(count)
    if (count !== 0) continue
    for (let more = 3; more === 3;) {
      more = bits.read(2)
      for (let i = 0; i < more; i++) counts.push(0)
    }
  }
  if (left !== 0 || counts.length > maxSymbol + 1) throw refusal(WHERE, 'INVALID_VALUE', 'a table that is not full')
  return [buildFse(counts, accuracyLog), bits.endByte()]
}

/** Small counts take a bit less: of the values that `left + 1` allows for, the lower ones. */
function readCount(bits: ForwardBits, left: number): number {
  const width = 32 - Math.clz32(left + 1)
  const value = bits.peek(width)
  const lower = value & ((1 << (width - 1)) - 1)
  const threshold = (1 << width) - 2 - left
  if (lower < threshold) {
    bits.skip(width - 1)
    return lower - 1
  }
  bits.skip(width)
  return (value === lower ? value : value - threshold) - 1
}

/** A stream's first state. */
export function firstState({ accuracyLog }: FseTable, stream: BackwardBits): number {
  return stream.read(accuracyLog)
}

export function nextState({ bases, bits }: FseTable, state: number, stream: BackwardBits): number {
  return (bases[state] as number) + stream.read(bits[state] as number)
}

class ForwardBits {
  readonly #bytes: Buffer
  readonly #start: number
  readonly #end: number
  #at = 0

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes
    this.#start = start
    this.#end = end
  }

  /** Zeros behind the end; `skip` refuses to go there. */
  peek(count: number): number {
    let value = 0
    for (let i = 0; i < count; i++) {
      const at = this.#start + ((this.#at + i) >>> 3)
      const byte = at < this.#end ? (this.#bytes[at] as number) : 0
      value |= ((byte >>> ((this.#at + i) & 7)) & 1) << i
    }
    return value
  }

  skip(count: number): void {
    this.#at += count
    if (this.endByte() > this.#end) throw refusal(WHERE, 'TRUNCATED', 'inside the description of a table')
  }

  read(count: number): number {
    const value = this.peek(count)
    this.skip(count)
    return value
  }

  endByte(): number {
    return this.#start + Math.ceil(this.#at / 8)
  }
}
