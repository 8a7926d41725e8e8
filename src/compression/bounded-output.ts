import { ProtocolError, type ProtocolErrorCode } from '../errors.ts'

/**
 * Where a decoder writes: memory that grows with what was really decoded, never by what hostile bytes announce, and
 * never beyond the limit.
 */
export class BoundedOutput {
  bytes: Buffer
  length = 0
  readonly #where: string
  readonly #maxBytes: number

  /** @param expectedBytes a first guess; the decoder has checked that the input can hold as much. */
  constructor(where: string, maxBytes: number, expectedBytes: number) {
    this.#where = where
    this.#maxBytes = maxBytes
    if (expectedBytes > maxBytes) throw this.tooLong()
    this.bytes = Buffer.allocUnsafe(expectedBytes)
  }

  /** Makes room for up to `count` more bytes, less where the limit is nearer. @returns where that room ends. */
  reserve(count: number): number {
    const end = Math.min(this.length + count, this.#maxBytes)
    if (end > this.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.min(Math.max(end, this.bytes.length * 2), this.#maxBytes))
      larger.set(this.bytes.subarray(0, this.length))
      this.bytes = larger
    }
    return end
  }

  /** Appends bytes as they are. */
  append(bytes: Uint8Array): void {
    if (this.reserve(bytes.length) < this.length + bytes.length) throw this.tooLong()
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  /** Appends one byte `count` times. */
  fill(byte: number, count: number): void {
    if (this.reserve(count) < this.length + count) throw this.tooLong()
    this.bytes.fill(byte, this.length, this.length + count)
    this.length += count
  }

  /** What was decoded, exactly. */
  finish(): Buffer {
    return this.bytes.subarray(0, this.length)
  }

  tooLong(): ProtocolError {
    return refusal(this.#where, 'INVALID_VALUE', `more than ${this.#maxBytes} bytes when decompressed`)
  }
}

export function refusal(where: string, code: ProtocolErrorCode, what: string, cause?: unknown): ProtocolError {
  return new ProtocolError(code, `${where}: ${code}: ${what}`, { cause })
}

/** Longer matches are worth a call into the engine (about 30 ns). */
const LOOP_BYTES = 32

/** Repeats `length` bytes that lie `distance` behind `at`; they may overlap what is being written. */
export function copyMatch(bytes: Buffer, at: number, distance: number, length: number): void {
  if (distance >= length && length > LOOP_BYTES) {
    bytes.copyWithin(at, at - distance, at - distance + length)
  } else if (distance === 1 && length > LOOP_BYTES) {
    bytes.fill(bytes[at - 1] as number, at, at + length)
  } else {
    for (let i = at; i < at + length; i++) bytes[i] = bytes[i - distance] as number
  }
}

/** Copies `input[from, to)` to `at`. */
export function copyLiterals(output: Buffer, at: number, input: Uint8Array, from: number, to: number): void {
  if (to - from > LOOP_BYTES) output.set(input.subarray(from, to), at)
  else for (let i = 0; i < to - from; i++) output[at + i] = input[from + i] as number
}
