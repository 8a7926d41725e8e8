import { parseJsonRow } from './json-reader.ts'
import { RowReadError } from './row-read-error.ts'
import type { Row } from './value.ts'

/** One row of the input, or why there is none. A bad line ends nothing: what happens then is the caller's policy. */
export interface ReadRow {
  /** From 1; blank lines count. */
  readonly line: number
  /** Bytes of the input up to and with this line's end: a checkpoint resumes there. */
  readonly endByte: number
  readonly result: Row | RowReadError
}

export interface NdjsonOptions {
  /** A longer line is an error, and is not kept in memory. Default 16 MiB. */
  readonly maxLineBytes?: number
}

const LF = 10
const DEFAULT_MAX_LINE_BYTES = 16 * 1024 * 1024
const BYTE_ORDER_MARK = '\ufeff'

/** Reads rows from chunks of UTF-8 that may be cut anywhere. Blank lines and a byte order mark at the start are skipped. */
export async function* readNdjson(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: NdjsonOptions = {},
): AsyncGenerator<ReadRow> {
  const splitter = new RowLines(options.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES)
  for await (const chunk of chunks) yield* splitter.push(chunk)
  yield* splitter.end()
}

class RowLines {
  readonly #maxLineBytes: number
  // Fatal: U+FFFD in place of a customer's byte would be a silent change. The byte order mark is left to us.
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  /** Of the line that goes on in the next chunk. */
  #parts: Uint8Array[] = []
  #partBytes = 0
  #line = 0
  #endByte = 0

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes
  }

  *push(chunk: Uint8Array): Generator<ReadRow> {
    let from = 0
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, from)) {
      this.#keep(chunk.subarray(from, end))
      yield* this.#finishLine(1)
      from = end + 1
    }
    // A copy: the source may use its chunk again.
    this.#keep(Uint8Array.from(chunk.subarray(from)))
  }

  *end(): Generator<ReadRow> {
    if (this.#partBytes > 0) yield* this.#finishLine(0)
  }

  #keep(part: Uint8Array): void {
    this.#partBytes += part.length
    if (this.#partBytes > this.#maxLineBytes) this.#parts = []
    else if (part.length > 0) this.#parts.push(part)
  }

  *#finishLine(lineEndBytes: number): Generator<ReadRow> {
    const line = ++this.#line
    this.#endByte += this.#partBytes + lineEndBytes
    const result = this.#read(line)
    this.#parts = []
    this.#partBytes = 0
    if (result !== null) yield { line, endByte: this.#endByte, result }
  }

  #read(line: number): Row | RowReadError | null {
    if (this.#partBytes > this.#maxLineBytes) {
      return new RowReadError(
        'TOO_LONG',
        line,
        null,
        `${this.#partBytes} bytes, at most ${this.#maxLineBytes} are read`,
      )
    }
    const bytes = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts, this.#partBytes)
    let text: string
    try {
      text = this.#decoder.decode(bytes)
    } catch {
      return new RowReadError('INVALID_UTF8', line, null, 'the line is not UTF-8')
    }
    if (line === 1 && text.startsWith(BYTE_ORDER_MARK)) text = text.slice(1)
    if (text.trim() === '') return null
    try {
      return parseJsonRow(text, line)
    } catch (error) {
      if (error instanceof RowReadError) return error
      throw error
    }
  }
}
