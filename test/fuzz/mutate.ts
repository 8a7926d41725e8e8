import type { FieldMap, Site, TagSection } from './fields.ts'
import type { Random } from './random.ts'

/** Longer inputs are cut. */
export const MAX_INPUT_BYTES = 8 * 1024

/** Bytes and where in them the structure is. */
export interface Parent {
  readonly bytes: Buffer
  readonly map: FieldMap
}

const BYTES = [0x00, 0x01, 0x02, 0x7e, 0x7f, 0x80, 0x81, 0xfe, 0xff]
const NUMBERS = [0, 1, -1, -2, 2, 127, 128, 255, 256, 32_767, 32_768, -32_768, 65_535, 2 ** 31 - 1, -(2 ** 31), 2 ** 30]
const UNSIGNED = [0, 1, 2, 127, 128, 16_383, 16_384, 32_767, 32_768, 32_769, 2 ** 21, 2 ** 28, 2 ** 31, 2 ** 32 - 1]
/** Varints that are longest, too long, without end, or say little with many bytes. */
const VARINTS = [
  'ffffffff0f',
  'ffffffff1f',
  'ffffffffff',
  '808080808000',
  '8000',
  '808000',
  'ffffffffffffffffff01',
].map((hex) => Buffer.from(hex, 'hex'))

/** Makes inputs out of others, in one buffer that it uses again. */
export class Mutator {
  readonly buffer = Buffer.alloc(MAX_INPUT_BYTES)
  length = 0
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** What it makes is in `buffer`, `length` bytes. @param other what may be spliced into it. */
  mutate(parent: Parent, other: Parent): void {
    const random = this.#random
    this.length = parent.bytes.copy(this.buffer, 0, 0, MAX_INPUT_BYTES)
    const { sites, tags } = parent.map
    // The map holds for the first change only: the next one finds other bytes.
    const kind = random.below(10)
    if (kind < 4 && sites.length > 0) this.#changeSite(random.pick(sites))
    else if (kind < 6 && tags.length > 0) this.#changeTags(random.pick(tags))
    else this.#changeBytes(other)
    for (let more = random.below(8); more < 3; more++) this.#changeBytes(other)
  }

  #changeSite({ kind, at, size }: Site): void {
    const random = this.#random
    if (kind === 'int16' || kind === 'int32') {
      const value = this.buffer.readIntBE(at, size)
      const max = kind === 'int16' ? 0x7fff : 0x7fffffff
      const next = random.pick([value + 1, value - 1, 0, -1, max, -2, value * 2, random.pick(NUMBERS)])
      if (size === 2) this.buffer.writeUInt16BE(next & 0xffff, at)
      else this.buffer.writeInt32BE(next | 0, at)
      return
    }
    let value = 0
    for (let i = 0; i < size; i++) value |= (this.buffer[at + i]! & 0x7f) << (7 * i)
    value >>>= 0
    const step = kind === 'varint' ? 2 : 1
    if (random.oneIn(16)) this.#replace(at, size, random.pick(VARINTS))
    else {
      const next = random.pick([value + step, value - step, 0, 1, 2 ** 32 - 1, value * 2, random.pick(UNSIGNED)])
      this.#replace(at, size, uvarint(next))
    }
  }

  #changeTags({ countAt, countSize, count, fields }: TagSection): void {
    const random = this.#random
    const kind = random.below(3)
    const chosen = fields[random.below(fields.length)]
    if (kind === 0 || chosen === undefined) {
      const content = Buffer.alloc(random.below(6), random.next())
      const tag = random.oneIn(4) ? random.pick(UNSIGNED) : random.below(8)
      const at = chosen === undefined ? countAt + countSize : random.oneIn(2) ? chosen.start : chosen.end
      this.#replace(at, 0, Buffer.concat([uvarint(tag), uvarint(content.length), content]))
    } else {
      const bytes = Buffer.from(this.buffer.subarray(chosen.start, chosen.end))
      if (kind === 1) this.#replace(chosen.start, 0, bytes)
      else this.#replace(chosen.start, bytes.length, Buffer.alloc(0))
    }
    const change = kind === 2 && chosen !== undefined ? -1 : 1
    if (!random.oneIn(8)) this.#replace(countAt, countSize, uvarint(count + change))
  }

  #changeBytes(other: Parent): void {
    const random = this.#random
    const { buffer, length } = this
    const at = random.below(length)
    switch (random.below(12)) {
      case 0:
      case 1:
        if (length > 0) buffer[at]! ^= 1 << random.below(8)
        break
      case 2:
        if (length > 0) buffer[at] = random.next()
        break
      case 3:
        if (length > 0) buffer[at] = random.pick(BYTES)
        break
      case 4:
        this.length = at
        break
      case 5: {
        const from = random.oneIn(2) ? Math.min(at, other.bytes.length) : random.below(other.bytes.length)
        this.length = at + other.bytes.copy(buffer, at, from, from + MAX_INPUT_BYTES - at)
        break
      }
      case 6: {
        const count = random.below(Math.min(32, length - at)) + 1
        const chunk = Buffer.from(buffer.subarray(at, Math.min(at + count, length)))
        for (let times = 1 + (random.oneIn(8) ? random.below(64) : 0); times > 0; times--) this.#replace(at, 0, chunk)
        break
      }
      case 7:
        this.#replace(at, Math.min(random.below(16) + 1, length - at), Buffer.alloc(0))
        break
      case 8:
        this.#replace(at, random.oneIn(2) ? Math.min(1, length - at) : 0, random.pick(VARINTS))
        break
      case 9:
        if (length >= 2) buffer.writeUInt16BE(random.pick(NUMBERS) & 0xffff, Math.min(at, length - 2))
        break
      case 10:
        if (length >= 4) buffer.writeInt32BE(random.pick(NUMBERS) | 0, Math.min(at, length - 4))
        break
      default:
        this.#replace(at, 0, Buffer.alloc(1 + random.below(8), random.next()))
    }
  }

  /** Puts `bytes` where `count` bytes were. */
  #replace(at: number, count: number, bytes: Uint8Array): void {
    const { buffer } = this
    const tail = at + bytes.length
    if (tail > MAX_INPUT_BYTES || at + count > this.length) return
    buffer.copyWithin(tail, at + count, this.length)
    buffer.set(bytes, at)
    this.length = Math.min(this.length + bytes.length - count, MAX_INPUT_BYTES)
  }
}

function uvarint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value >>> 0
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return Buffer.from([...bytes, rest])
}
