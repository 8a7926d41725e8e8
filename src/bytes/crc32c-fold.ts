/**
 * CRC-32C of long inputs, up to ten times as fast as by tables (bench/record-batch): exclusive ors of whole vectors.
 *
 * The polynomial divides x^209 + x^144 + x^54 + x^39 + x^14 + 1, the smallest multiple of it with six terms (found by
 * search; there is none with fewer below degree 5000). So it divides that one's 128th power, which has the same six terms, at
 * distances of 128 bits. A vector of 128 bits may therefore be taken away, if it is added 65, 155, 170, 195 and 209 vectors
 * further on, and the CRC of the whole stays what it was: no multiplication, no table, nothing to do with the order of bits.
 *
 * ```
 *   memory   | 209 vectors before | a chunk of the input ...      |   for each vector v of the chunk, in order:
 *                                                                    m[v] ^= m[v-65] ^ m[v-155] ^ m[v-170] ^ m[v-195] ^ m[v-209]
 * ```
 *
 * What is left in the end, 209 vectors, is folded in the same way by the polynomial itself, whose 18 terms lie within 32; and what
 * is left then, 32 vectors, goes through the tables. Inputs that are too short for the one begin with the other.
 *
 * It is the idea of "Chorba" (Kadatch and others, 2024: a CRC by sparse multiples) on vectors. WebAssembly, because JavaScript has no
 * vectors; where that is switched off (`--jitless`) or the processor has none, the tables do it all.
 */
import { foldModule } from './crc32c-module.ts'
import { crc32cByTable } from './crc32c-table.ts'

export type Crc32c = (bytes: Uint8Array, start: number, end: number, seed: number) => number

/** Shorter ones are as fast by tables. */
export const FOLDED_FROM_BYTES = 2048

const VECTOR_BYTES = 16
/** How far behind a vector those are that it takes up; the last is how many are left in the end. */
const SPARSE = [65, 155, 170, 195, 209]
/** The same for the polynomial itself, 0x11edc6f41: 32 less each of its exponents. */
const DENSE = [4, 5, 6, 7, 9, 10, 12, 13, 14, 18, 19, 21, 22, 23, 24, 26, 32]
/** From here on the sparse one comes first. */
const SPARSE_FROM_BYTES = 12_288
/** Vectors of one turn of the loop. No more than the smallest distance, so that they do not wait for each other. */
const TURN = 4
const TURN_BYTES = TURN * VECTOR_BYTES
/** Fits into the processor's nearest cache. */
const CHUNK_BYTES = 16_384

/** What we use of the global object; the types of Node do not have it. */
export interface WebAssemblyHost {
  validate(code: Uint8Array): boolean
  readonly Module: new (code: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: object }
}

/** Null: there is no WebAssembly with vectors here. */
export function foldingCrc32c(host: WebAssemblyHost | null = hostHere()): Crc32c | null {
  const sparse = host === null ? null : loadKernel(host, SPARSE)
  const dense = host === null || sparse === null ? null : loadKernel(host, DENSE)
  if (sparse === null || dense === null) return null
  const byDense: Crc32c = (bytes, start, end, seed) => foldAll(dense, crc32cByTable, bytes, start, end, seed)
  return (bytes, start, end, seed) =>
    end - start < SPARSE_FROM_BYTES
      ? byDense(bytes, start, end, seed)
      : foldAll(sparse, byDense, bytes, start, end, seed)
}

interface Kernel {
  readonly distances: readonly number[]
  /** As many bytes as are left in the end. */
  readonly leftBytes: number
  readonly memory: Uint8Array
  /** Folds the vectors at `[at, end)` of the chunk, which begins behind the vectors before it. */
  readonly fold: (at: number, end: number) => void
  /** Adds the vectors from `from` on to those at `[to, end)`. */
  readonly add: (to: number, from: number, end: number) => void
}

/** @param crcOfLeft takes what is left. */
function foldAll(
  kernel: Kernel,
  crcOfLeft: Crc32c,
  bytes: Uint8Array,
  start: number,
  end: number,
  seed: number,
): number {
  const { memory, leftBytes, distances, fold, add } = kernel
  const foldedEnd = start + Math.floor((end - start - leftBytes) / TURN_BYTES) * TURN_BYTES
  memory.fill(0, 0, leftBytes)
  for (let at = start; at < foldedEnd; at += CHUNK_BYTES) {
    const chunk = Math.min(CHUNK_BYTES, foldedEnd - at)
    memory.set(bytes.subarray(at, at + chunk), leftBytes)
    if (at === start) addSeed(memory, leftBytes, seed)
    fold(0, chunk)
    memory.copyWithin(0, chunk, chunk + leftBytes)
  }
  // What the last vectors owe to those behind them.
  memory.set(bytes.subarray(foldedEnd, foldedEnd + leftBytes), leftBytes)
  for (const distance of distances) {
    const owed = distance * VECTOR_BYTES
    add(leftBytes, leftBytes - owed, leftBytes + owed)
  }
  const NONE = 0xffffffff // the seed is in the vectors
  const crc = crcOfLeft(memory, leftBytes, 2 * leftBytes, NONE)
  return crc32cByTable(bytes, foldedEnd + leftBytes, end, crc)
}

/** A CRC begins with what came before, added to the first four bytes, lowest first. */
function addSeed(memory: Uint8Array, at: number, seed: number): void {
  for (let i = 0; i < 4; i++) memory[at + i] = (memory[at + i] ?? 0) ^ (~seed >>> (8 * i))
}

function hostHere(): WebAssemblyHost | null {
  return (globalThis as { WebAssembly?: WebAssemblyHost }).WebAssembly ?? null
}

function loadKernel(host: WebAssemblyHost, distances: readonly number[]): Kernel | null {
  const leftBytes = Math.max(...distances) * VECTOR_BYTES
  try {
    const code = foldModule(leftBytes, distances, TURN)
    if (!host.validate(code)) return null
    const { exports } = new host.Instance(new host.Module(code))
    const { memory, fold, add } = exports as { memory: { buffer: ArrayBuffer } } & Pick<Kernel, 'fold' | 'add'>
    return { distances, leftBytes, memory: new Uint8Array(memory.buffer), fold, add }
  } catch {
    return null // no room for its memory: the tables need none
  }
}
