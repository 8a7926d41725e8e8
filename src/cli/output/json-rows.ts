import { readNdjson, Row, type RowReadError } from '../../output/output.ts'
import { UsageError } from '../exit-code.ts'
import { beginningOf, BYTE_ORDER_MARK_BYTES } from './csv-cells.ts'
import type { InputFault, InputRow, InputStart } from './input-row.ts'
import { JsonArraySplitter, type Element } from './json-array.ts'

export interface JsonOptions {
  /** For messages. */
  readonly inputName: string
  readonly maxRowBytes: number
  /** What the input was when it was read for the first time; null: this is the first time. */
  readonly isArray: boolean | null
}

const OPEN_BRACKET = 0x5b
const LF = 10
const LINE_FEED = Buffer.from('\n')
/** A byte order mark, and what may stand before the first bracket. */
const BEFORE_ARRAY = /^(?:\xef\xbb\xbf)?[ \t\r\n]*/

/** Rows of a JSON file: an object a line (NDJSON), or one array of objects; which it is, its first character says. */
export class JsonRows {
  readonly #options: JsonOptions
  readonly #start: InputStart
  #isArray: boolean | null
  /** What stood before the array. */
  #skippedBytes = 0
  /** Of the input. */
  #lastByte: number = LF
  #hasEnded = false

  constructor(options: JsonOptions, start: InputStart) {
    this.#options = options
    this.#start = start
    this.#isArray = options.isArray
  }

  /** Null before the first row. */
  get isArray(): boolean | null {
    return this.#isArray
  }

  /** @throws {UsageError} the file is UTF-16. */
  async *read(chunks: AsyncIterable<Buffer>): AsyncGenerator<InputRow> {
    const iterator = this.#watched(chunks)
    const head = this.#isArray === null ? await this.#look(iterator) : []
    const whole = followedBy(head, iterator)
    yield* this.#isArray === true ? this.#readArray(whole) : this.#readLines(whole)
  }

  async *#watched(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      this.#lastByte = chunk.at(-1) ?? this.#lastByte
      yield chunk
    }
    this.#hasEnded = true
  }

  /** @returns what it has read to find out. */
  async #look(iterator: AsyncIterator<Buffer>): Promise<Buffer[]> {
    const head: Buffer[] = []
    for (;;) {
      const next = await iterator.next()
      if (next.done !== true) head.push(next.value)
      const bytes = Buffer.concat(head)
      if (beginningOf(bytes) === 'utf-16')
        throw new UsageError(`${this.#options.inputName} is UTF-16: save it as UTF-8`)
      const at = BEFORE_ARRAY.exec(bytes.toString('latin1'))?.[0].length ?? 0
      if (next.done !== true && (bytes.length < BYTE_ORDER_MARK_BYTES || at === bytes.length)) continue
      this.#isArray = bytes[at] === OPEN_BRACKET
      if (!this.#isArray) return head
      this.#skippedBytes = at
      return [bytes.subarray(at)]
    }
  }

  async *#readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<InputRow> {
    const { byte, line: linesBefore } = this.#start
    for await (const { line, endByte, result } of readNdjson(chunks, { maxLineBytes: this.#options.maxRowBytes })) {
      const at = linesBefore + line
      const isCut = this.#hasEnded && this.#lastByte !== LF
      yield {
        line: at,
        endByte: byte + endByte,
        result: result instanceof Row ? result : faultOf(result, `line ${at}`, isCut),
      }
    }
  }

  async *#readArray(chunks: AsyncIterable<Buffer>): AsyncGenerator<InputRow> {
    const { byte, line: rowsBefore } = this.#start
    const start = { byte: byte + this.#skippedBytes, isInside: byte > 0 }
    const splitter = new JsonArraySplitter(start, this.#options.maxRowBytes)
    const ends: number[] = []
    const rows = readNdjson(asLines(splitter, chunks, ends), { maxLineBytes: this.#options.maxRowBytes })
    let at = rowsBefore
    let endByte = byte
    for await (const { line, result } of rows) {
      at = rowsBefore + line
      endByte = ends.shift() ?? endByte
      const isCut = this.#hasEnded && !splitter.isClosed
      yield { line: at, endByte, result: result instanceof Row ? result : faultOf(result, `row ${at}`, isCut) }
    }
    if (splitter.isClosed) return
    const message = `row ${at + 1}: the input ends before the array is closed`
    yield { line: at + 1, endByte, result: { code: 'INVALID_JSON', message, isCut: true } }
  }
}

async function* followedBy(head: readonly Buffer[], rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield* head
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
}

/** @param ends filled with where each line ends in the input. */
async function* asLines(
  splitter: JsonArraySplitter,
  chunks: AsyncIterable<Buffer>,
  ends: number[],
): AsyncGenerator<Buffer> {
  const join = (elements: readonly Element[]): Buffer => {
    for (const { endByte } of elements) ends.push(endByte)
    return Buffer.concat(elements.flatMap(({ bytes }) => [bytes, LINE_FEED]))
  }
  for await (const chunk of chunks) yield join(splitter.push(chunk))
  yield join(splitter.end())
}

/** The reader's own words, with the place where we know it to be. */
function faultOf({ code, lineColumn, message }: RowReadError, where: string, isCut: boolean): InputFault {
  const what = message.replace(/^KafkaOutput: [A-Z_0-9]+: line \d+(?:, column \d+)?: /, '')
  return { code, message: `${where}${lineColumn === null ? '' : `, column ${lineColumn}`}: ${what}`, isCut }
}
