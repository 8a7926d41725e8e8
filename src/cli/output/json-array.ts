/** Where an element of a JSON array lies in the input. */
export interface Element {
  readonly bytes: Buffer
  /** Behind the element. */
  readonly endByte: number
}

const OPEN = new Set(Buffer.from('[{'))
const CLOSE = new Set(Buffer.from(']}'))
const BLANK = new Set(Buffer.from(' \t\r\n'))
const [QUOTE, BACKSLASH, COMMA] = Buffer.from('"\\,')
const LF = 10
const SPACE = 32

/**
 * Cuts one JSON array, such as the sample files of Stream Analytics are, into its elements, without reading it as a whole.
 *
 * It looks at quotes and brackets only; whether an element is JSON, its reader says. Each comes on one line: a line end
 * outside of a string means nothing in JSON, and inside of one it is not allowed.
 */
export class JsonArraySplitter {
  #depth: number
  #isInString = false
  #isEscaped = false
  readonly #maxElementBytes: number
  #parts: Buffer[] = []
  #partBytes = 0
  #isBlank = true
  #at: number

  /**
   * @param start where reading begins: before the array, or where one of its elements ended.
   * @param maxElementBytes of a longer element one byte more is kept, so that its reader sees that it is too long.
   */
  constructor(start: { byte: number; isInside: boolean }, maxElementBytes: number) {
    this.#at = start.byte
    this.#depth = start.isInside ? 1 : 0
    this.#maxElementBytes = maxElementBytes
  }

  /** What stands behind the array is an element, too, which its reader refuses. */
  get isClosed(): boolean {
    return this.#depth === 0
  }

  /** @returns the elements that end in this chunk. */
  push(chunk: Buffer): Element[] {
    const elements: Element[] = []
    let from = 0
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i] ?? 0
      if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false
        else if (byte === BACKSLASH) this.#isEscaped = true
        else if (byte === QUOTE) this.#isInString = false
        continue
      }
      if (BLANK.has(byte)) continue
      const isBracketOfArray = this.#depth === 0 ? OPEN.has(byte) : this.#depth === 1 && CLOSE.has(byte)
      if (isBracketOfArray || (this.#depth === 1 && byte === COMMA)) {
        this.#finish(chunk.subarray(from, i), this.#at + i, elements)
        from = i + 1
      } else this.#isBlank = false
      if (byte === QUOTE) this.#isInString = true
      if (OPEN.has(byte)) this.#depth++
      if (CLOSE.has(byte) && this.#depth > 0) this.#depth--
    }
    this.#keep(chunk.subarray(from))
    this.#at += chunk.length
    return elements
  }

  /** What stands at the end of an array that is not closed, or behind one that is. */
  end(): Element[] {
    const elements: Element[] = []
    this.#finish(Buffer.alloc(0), this.#at, elements)
    return elements
  }

  #keep(part: Buffer): void {
    const room = Math.max(this.#maxElementBytes + 1 - this.#partBytes, 0)
    // A copy: the source may use its chunk again.
    const kept = Buffer.from(part.subarray(0, room))
    this.#partBytes += kept.length
    if (kept.length > 0) this.#parts.push(kept)
  }

  #finish(last: Buffer, endByte: number, elements: Element[]): void {
    this.#keep(last)
    const bytes = Buffer.concat(this.#parts, this.#partBytes)
    this.#parts = []
    this.#partBytes = 0
    if (!this.#isBlank) elements.push({ bytes: onOneLine(bytes), endByte })
    this.#isBlank = true
  }
}

function onOneLine(bytes: Buffer): Buffer {
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at)) bytes[at] = SPACE
  return bytes
}
