/** One line of the input, without its end. */
export interface Line {
  /** `null`: it is longer than allowed, and was skipped without being kept. */
  readonly bytes: Buffer | null
  readonly length: number
}

const LF = 10
const CR = 13

/**
 * Cuts chunks of bytes into lines: at `\n`, of which a `\r` before it is a part, as Kafka's console producer reads lines.
 * Bytes stay bytes: nothing is decoded. Lines within one chunk are views of it. A line over `maxLineBytes` is counted
 * and dropped, so that an input without line ends cannot eat the memory.
 */
export class LineSplitter {
  readonly #maxLineBytes: number
  /** Parts of the line that goes on in the next chunk. */
  #parts: Buffer[] = []
  #partBytes = 0
  #endsWithCr = false

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes
  }

  /** @returns the lines that end in this chunk. */
  push(chunk: Buffer): Line[] {
    const lines: Line[] = []
    let from = 0
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, from)) {
      lines.push(this.#partBytes === 0 ? this.#line(chunk, from, end) : this.#join(chunk.subarray(from, end)))
      from = end + 1
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from))
    return lines
  }

  /** @returns the last line, if the input did not end with a line end. A lone `\r` at the end belongs to the line. */
  end(): Line[] {
    if (this.#partBytes === 0) return []
    const length = this.#partBytes
    const bytes = length > this.#maxLineBytes ? null : Buffer.concat(this.#parts, length)
    this.#forget()
    return [{ bytes, length }]
  }

  #line(chunk: Buffer, from: number, end: number): Line {
    const to = end > from && chunk[end - 1] === CR ? end - 1 : end
    const length = to - from
    return { bytes: length > this.#maxLineBytes ? null : chunk.subarray(from, to), length }
  }

  #join(last: Buffer): Line {
    this.#keep(last)
    const length = this.#partBytes
    const isTooLong = length > this.#maxLineBytes + 1
    const line = isTooLong
      ? { bytes: null, length: this.#endsWithCr ? length - 1 : length }
      : this.#line(Buffer.concat(this.#parts, length), 0, length)
    this.#forget()
    return line
  }

  #keep(part: Buffer): void {
    this.#partBytes += part.length
    if (part.length > 0) this.#endsWithCr = part.at(-1) === CR
    // One byte more than allowed: it may turn out to be the `\r` of the line end.
    if (this.#partBytes > this.#maxLineBytes + 1) this.#parts = []
    else this.#parts.push(part)
  }

  #forget(): void {
    this.#parts = []
    this.#partBytes = 0
    this.#endsWithCr = false
  }
}
