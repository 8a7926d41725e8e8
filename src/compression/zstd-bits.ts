import { refusal } from './bounded-output.ts'

export const WHERE = 'zstd'

/** Bits of zstd's entropy-coded streams, which are written forwards and read from their end. RFC 8878, 4.1. */
export class BackwardBits {
  readonly #bytes: Buffer
  readonly #start: number
  /** Bits that are left; negative: so many more were taken, as zeros. */
  #left: number

  /** The last byte's highest bit that is set is no data: it says where the data end. */
  constructor(bytes: Buffer, start: number, end: number) {
    const last = start < end ? (bytes[end - 1] as number) : 0
    if (last === 0) throw refusal(WHERE, 'INVALID_VALUE', 'a bit stream without its end')
    this.#bytes = bytes
    this.#start = start
    this.#left = (end - start) * 8 - 1 - Math.clz32(last << 24)
  }

  get left(): number {
    return this.#left
  }

  /** The next `count` bits, at most 25, without taking them. Where none are left there are zeros. */
  peek(count: number): number {
    const low = this.#left - count
    if (low < 0) return this.#left <= 0 ? 0 : (this.#window(0) << -low) & ((1 << count) - 1)
    return (this.#window(low) & ((1 << count) - 1)) >>> 0
  }

  skip(count: number): void {
    this.#left -= count
  }

  /** Takes `count` bits, at most 25. */
  read(count: number): number {
    if (count === 0) return 0
    const value = this.peek(count)
    this.#left -= count
    return value
  }

  /** Bits from `position` on, at least 25 of them, or all that there are in the bytes of this stream. */
  #window(position: number): number {
    const at = this.#start + (position >>> 3)
    const bytes = this.#bytes
    const word =
      at + 4 <= bytes.length
        ? (bytes[at] as number) |
          ((bytes[at + 1] as number) << 8) |
          ((bytes[at + 2] as number) << 16) |
          ((bytes[at + 3] as number) << 24)
        : bytes.readUIntLE(at, bytes.length - at)
    return word >>> (position & 7)
  }
}
