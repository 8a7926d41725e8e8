import { isAscii, isUtf8 } from 'node:buffer'
import { LineSplitter, type Line } from '../line-splitter.ts'

/** A line without its end; as bytes where it is no text, is too long, or has to be put together. */
export type TextLine = string | Line

const LF = 10

/**
 * Cuts chunks of bytes into lines as `LineSplitter` does, and decodes a chunk at once: the lines in it are slices of one
 * text, which costs a quarter of decoding each.
 */
export class TextLines {
  readonly #maxLineBytes: number
  readonly #splitter: LineSplitter
  /** The latest chunk did not end with a line end. */
  #isWithinLine = false

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes
    this.#splitter = new LineSplitter(maxLineBytes)
  }

  /** @returns the lines that end in this chunk. */
  push(chunk: Buffer): TextLine[] {
    const lastEnd = chunk.lastIndexOf(LF)
    if (lastEnd < 0) return this.#split(chunk)
    const from = this.#isWithinLine ? chunk.indexOf(LF) + 1 : 0
    const lines: TextLine[] = from === 0 ? [] : this.#split(chunk.subarray(0, from))
    const whole = chunk.subarray(from, lastEnd + 1)
    const text = whole.length > this.#maxLineBytes ? null : textOf(whole)
    if (text === null) append(lines, this.#split(whole))
    else addSlices(lines, text)
    this.#split(chunk.subarray(lastEnd + 1))
    this.#isWithinLine = lastEnd + 1 < chunk.length
    return lines
  }

  /** @returns the last line, if the input did not end with a line end. */
  end(): Line[] {
    return this.#splitter.end()
  }

  #split(bytes: Buffer): Line[] {
    if (bytes.length === 0) return []
    this.#isWithinLine = true
    return this.#splitter.push(bytes)
  }
}

/** Null: it is not all UTF-8. */
function textOf(bytes: Buffer): string | null {
  if (isAscii(bytes)) return bytes.toString('latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : null
}

function addSlices(lines: TextLine[], text: string): void {
  let from = 0
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
    lines.push(text.slice(from, end > from && text[end - 1] === '\r' ? end - 1 : end))
    from = end + 1
  }
}

function append(lines: TextLine[], more: readonly Line[]): void {
  for (const line of more) lines.push(line)
}
