/**
 * The WebAssembly of `crc32c-fold.ts`, put together from its instructions: two loops, 0.3 kB.
 *
 * Source: WebAssembly Core Specification 2.0, section 5 (binary format); vector instructions, section 5.4.8.
 */

type Code = readonly number[]

const VECTOR_BYTES = 16
const MEMORY_PAGES = 2 // of 64 KiB
const I32 = 0x7f

const localGet = (index: number): Code => [0x20, index]
const localTee = (index: number): Code => [0x22, index]
const constant = (value: number): Code => [0x41, ...signed(value)]
const I32_ADD = 0x6a
const I32_LESS = 0x49 // unsigned
const END = 0x0b
/** Of vectors; addresses are multiples of 16. */
const load = (offset: number): Code => [0xfd, 0x00, 4, ...unsigned(offset)]
const store = (offset: number): Code => [0xfd, 0x0b, 4, ...unsigned(offset)]
const XOR: Code = [0xfd, ...unsigned(0x51)]

/**
 * `fold(at, end)`: to each vector from `base + at` up to `base + end` adds those that lie `distances` vectors before it, `turn` vectors
 * a turn of the loop. `add(to, from, end)`: to each vector from `to` up to `end` adds the one at `from`. Both once at least.
 */
export function foldModule(base: number, distances: readonly number[], turn: number): Uint8Array<ArrayBuffer> {
  const [at, end] = [0, 1]
  const foldOne = (offset: number): Code => [
    ...[...localGet(at), ...localGet(at), ...load(base + offset)],
    ...distances.flatMap((distance) => [
      ...[...localGet(at), ...load(base + offset - distance * VECTOR_BYTES), ...XOR],
    ]),
    ...store(base + offset),
  ]
  const fold = [
    ...Array.from({ length: turn }, (_, i) => foldOne(i * VECTOR_BYTES)).flat(),
    ...[...advanced(at, turn * VECTOR_BYTES), ...localGet(end), I32_LESS],
  ]
  const [to, from, addEnd] = [0, 1, 2]
  const add = [
    ...[...localGet(to), ...localGet(to), ...load(0), ...localGet(from), ...load(0), ...XOR, ...store(0)],
    ...[...advanced(from, VECTOR_BYTES), 0x1a], // dropped: only the new value counts
    ...[...advanced(to, VECTOR_BYTES), ...localGet(addEnd), I32_LESS],
  ]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // "\0asm", version 1
    ...section(1, list([functionType(2), functionType(3)])),
    ...section(3, list([[0], [1]])), // the types of the functions
    ...section(5, list([[0x00, MEMORY_PAGES]])),
    ...section(7, list([exported('memory', 0x02, 0), exported('fold', 0x00, 0), exported('add', 0x00, 1)])),
    ...section(10, list([loop(fold), loop(add)])),
  ])
}

/** The body of a function that is one loop: `code` leaves on the stack whether to go on. */
function loop(code: Code): Code {
  const body = [0, 0x03, 0x40, ...code, 0x0d, 0, END, END] // no locals; loop, br_if
  return [...unsigned(body.length), ...body]
}

function advanced(local: number, by: number): Code {
  return [...localGet(local), ...constant(by), I32_ADD, ...localTee(local)]
}

function functionType(parameters: number): Code {
  return [0x60, ...list(Array.from({ length: parameters }, () => [I32])), 0]
}

function exported(name: string, kind: number, index: number): Code {
  return [...list([...Buffer.from(name)].map((byte) => [byte])), kind, index]
}

function section(id: number, content: Code): Code {
  return [id, ...unsigned(content.length), ...content]
}

function list(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()]
}

/** LEB128. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

function signed(value: number): Code {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(value >>> 7)]
}
