/**
 * CRC-32C of long inputs, five times as fast as by tables (bench/record-batch): exclusive ors of whole vectors.
 *
 * The polynomial divides x^209 + x^144 + x^54 + x^39 + x^14 + 1, the smallest multiple of it with six terms (found by
 * search; there is none with fewer below degree 5000). So it divides that one's 128th power, which has the same six terms, at
 * distances of 128 bits. A vector of 128 bits may therefore be taken away, if it is added 65, 155, 170, 195 and 209 vectors
 * further on, and the CRC of the whole stays what it was: no multiplication, no table, nothing to do with the order of bits. What
 * is left in the end, 209 vectors, goes through the tables.
 *
 * ```
 *   memory   | 209 vectors before | a chunk of the input ...      |   for each vector v of the chunk, in order:
 *                                                                    m[v] ^= m[v-65] ^ m[v-155] ^ m[v-170] ^ m[v-195] ^ m[v-209]
 * ```
 *
 * It is the idea of "Chorba" (Kadatch and others, 2024: a CRC by sparse multiples) on vectors. WebAssembly, because JavaScript has no
 * vectors; where that is switched off (`--jitless`) or the processor has none, the tables do it all.
 */
import { foldModule } from './crc32c-module.ts'
import { crc32cByTable } from './crc32c-table.ts'

export type Crc32c = (bytes: Uint8Array, start: number, end: number, seed: number) => number

/** Shorter ones are as fast by tables. */
export const FOLDED_FROM_BYTES = 8192

const VECTOR_BYTES = 16
/** How far behind a vector those are that it takes up; the last is how many are left in the end. */
const DISTANCES = [65, 155, 170, 195, 209] as const
const LEFT_BYTES = DISTANCES[4] * VECTOR_BYTES
/** Vectors of one turn of the loop. Less than the smallest distance, so that they do not wait for each other. */
const TURN = 4
const TURN_BYTES = TURN * VECTOR_BYTES
const CHUNK_BYTES = 65_536

/** What we use of the global object; the types of Node do not have it. */
export interface WebAssemblyHost {
  validate(code: Uint8Array): boolean
  readonly Module: new (code: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: object }
}

/** Null: there is no WebAssembly with vectors here. */
export function foldingCrc32c(host: WebAssemblyHost | null = hostHere()): Crc32c | null {
  const kernel = host === null ? null : loadKernel(host)
  return kernel === null ? null : (bytes, start, end, seed) => foldAll(kernel, bytes, start, end, seed)
}

interface Kernel {
  readonly memory: Uint8Array
  /** Folds the vectors at `[at, end)` of the chunk, which begins behind the vectors before it. */
  readonly fold: (at: number, end: number) => void
  /** Adds the vectors from `from` on to those at `[to, end)`. */
  readonly add: (to: number, from: number, end: number) => void
}

function foldAll({ memory, fold, add }: Kernel, bytes: Uint8Array, start: number, end: number, seed: number): number {
  const foldedEnd = start + Math.floor((end - start - LEFT_BYTES) / TURN_BYTES) * TURN_BYTES
  memory.fill(0, 0, LEFT_BYTES)
  for (let at = start; at < foldedEnd; at += CHUNK_BYTES) {
    const chunk = Math.min(CHUNK_BYTES, foldedEnd - at)
    memory.set(bytes.subarray(at, at + chunk), LEFT_BYTES)
    if (at === start) addSeed(memory, seed)
    fold(0, chunk)
    memory.copyWithin(0, chunk, chunk + LEFT_BYTES)
  }
  // What the last vectors owe to those behind them.
  memory.set(bytes.subarray(foldedEnd, foldedEnd + LEFT_BYTES), LEFT_BYTES)
  for (const distance of DISTANCES) {
    const owed = distance * VECTOR_BYTES
    add(LEFT_BYTES, LEFT_BYTES - owed, LEFT_BYTES + owed)
  }
  const NONE = 0xffffffff // the seed is in the vectors
  const crc = crc32cByTable(memory, LEFT_BYTES, 2 * LEFT_BYTES, NONE)
  return crc32cByTable(bytes, foldedEnd + LEFT_BYTES, end, crc)
}

/** A CRC begins with what came before, added to the first four bytes, lowest first. */
function addSeed(memory: Uint8Array, seed: number): void {
  for (let i = 0; i < 4; i++) memory[LEFT_BYTES + i] = (memory[LEFT_BYTES + i] ?? 0) ^ (~seed >>> (8 * i))
}

function hostHere(): WebAssemblyHost | null {
  return (globalThis as { WebAssembly?: WebAssemblyHost }).WebAssembly ?? null
}

function loadKernel(host: WebAssemblyHost): Kernel | null {
  try {
    const code = foldModule(LEFT_BYTES, DISTANCES, TURN)
    if (!host.validate(code)) return null
    const { exports } = new host.Instance(new host.Module(code))
    const { memory, fold, add } = exports as { memory: { buffer: ArrayBuffer } } & Pick<Kernel, 'fold' | 'add'>
    return { memory: new Uint8Array(memory.buffer), fold, add }
  } catch {
    return null // no room for its memory: the tables need none
  }
}
