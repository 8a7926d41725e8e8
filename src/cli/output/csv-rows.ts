import { Row, type Column, type Value } from '../../output/output.ts'
import { UsageError } from '../exit-code.ts'
import { beginningOf, BYTE_ORDER_MARK_BYTES, decodeCell, headerFault } from './csv-cells.ts'
import { CsvParser, type RawRecord } from './csv-parser.ts'
import type { InputFault, InputRow, InputStart } from './input-row.ts'

export interface CsvOptions {
  /** For messages. */
  readonly inputName: string
  readonly delimiter: string
  /** `null`: the first row has them. */
  readonly names: readonly string[] | null
  /** An empty cell of a column that is declared, and not as text, is null. */
  readonly columns: readonly Column[]
  readonly maxRowBytes: number
}

const LF = 10
const CR = 13

/**
 * Rows of a CSV file (RFC 4180) in chunks that may be cut anywhere.
 *
 * A row that cannot be read ends nothing. If its quotes are wrong, nobody knows where it ends: its first line is the
 * fault, and reading begins anew at the next one, so that a lone quote does not swallow the rest of the file.
 */
export class CsvRows {
  readonly #options: CsvOptions
  #parser: CsvParser
  /** Where the parser began. */
  #originByte: number
  /** What was read behind the last row that is done with, and where that is. */
  #tail: Buffer = Buffer.alloc(0)
  #tailStart: InputStart
  /** Of the line that is passed over. It is told when the end of that line is there. */
  #fault: InputFault | null = null
  #isFirst: boolean
  #names: readonly string[] | null = null
  #nullIfEmpty: readonly boolean[] = []

  constructor(options: CsvOptions, start: InputStart) {
    this.#options = options
    this.#tailStart = start
    this.#originByte = start.byte
    this.#isFirst = start.byte === 0
    this.#parser = this.#newParser()
    if (options.names !== null) this.#useNames(options.names)
  }

  /** Column names; null before the first row. */
  get names(): readonly string[] | null {
    return this.#names
  }

  /** @throws {UsageError} the header row is not one, or the file is UTF-16. */
  async push(chunk: Buffer): Promise<InputRow[]> {
    this.#tail = this.#tail.length === 0 ? chunk : Buffer.concat([this.#tail, chunk])
    if (!this.#isFirst) return await this.#parse(chunk)
    return this.#tail.length < BYTE_ORDER_MARK_BYTES ? [] : await this.#begin()
  }

  async end(): Promise<InputRow[]> {
    const rows = this.#isFirst ? await this.#begin() : []
    const isCut = ![undefined, LF, CR].includes(this.#tail.at(-1))
    for (;;) {
      if (this.#fault !== null) rows.push(this.#passedOver(this.#tail.length))
      const { records, broken } = await this.#parser.end()
      this.#take(records, rows)
      if (broken === null) return isCut ? withCutEnd(rows) : rows
      this.#break(broken)
      rows.push(...(await this.#parse(Buffer.alloc(0))))
    }
  }

  async #begin(): Promise<InputRow[]> {
    this.#isFirst = false
    const beginning = beginningOf(this.#tail)
    if (beginning === 'utf-16') {
      throw new UsageError(`${this.#options.inputName} is UTF-16: save it as UTF-8`)
    }
    const skipped = beginning === 'plain' ? 0 : BYTE_ORDER_MARK_BYTES
    this.#originByte = skipped
    this.#tailStart = { byte: skipped, line: 0 }
    this.#tail = this.#tail.subarray(skipped)
    return await this.#parse(this.#tail)
  }

  /** @param bytes the end of the tail, which the parser does not know yet. */
  async #parse(bytes: Buffer): Promise<InputRow[]> {
    const rows: InputRow[] = []
    let unknown = bytes
    for (;;) {
      if (this.#fault !== null) {
        const lineEnd = this.#tail.indexOf(LF)
        if (lineEnd < 0) return rows
        rows.push(this.#passedOver(lineEnd + 1))
        unknown = this.#tail
      }
      const { records, broken } = await this.#parser.push(unknown)
      this.#take(records, rows)
      if (broken === null) return rows
      this.#break(broken)
    }
  }

  /** The parser is stuck in the row at the beginning of the tail. */
  #break(reason: string): void {
    const blank = /^[\r\n]*/.exec(this.#tail.toString('latin1', 0, 1024))?.[0] ?? ''
    const { byte, line } = this.#tailStart
    this.#tail = this.#tail.subarray(blank.length)
    this.#tailStart = { byte: byte + blank.length, line: line + blank.split('\n').length - 1 }
    const message = `line ${this.#tailStart.line + 1}: ${reason}`
    if (this.#names === null) throw new UsageError(`${this.#options.inputName} has no header row: ${message}`)
    this.#fault = { code: 'INVALID_CSV', message }
  }

  /** Ends the line that is passed over, `length` bytes of the tail, and begins anew behind it. */
  #passedOver(length: number): InputRow {
    const result = this.#fault ?? { code: 'INVALID_CSV', message: 'a line was passed over' }
    this.#fault = null
    this.#tailStart = { byte: this.#tailStart.byte + length, line: this.#tailStart.line + 1 }
    this.#originByte = this.#tailStart.byte
    this.#tail = this.#tail.subarray(length)
    this.#parser = this.#newParser()
    return { line: this.#tailStart.line, endByte: this.#tailStart.byte, result }
  }

  #newParser(): CsvParser {
    return new CsvParser(this.#options.delimiter, this.#options.maxRowBytes)
  }

  #take(records: readonly RawRecord[], rows: InputRow[]): void {
    let { byte, line } = this.#tailStart
    let from = 0
    for (const { cells, endByte: fromOrigin } of records) {
      const endByte = this.#originByte + fromOrigin
      const to = from + endByte - byte
      line += lineEnds(this.#tail, from, to)
      // The last row of a file may have no line end.
      const lastLine = this.#tail[to - 1] === LF ? line : line + 1
      if (this.#names === null) this.#readHeader(cells)
      else rows.push({ line: lastLine, endByte, result: this.#read(cells, this.#names, lastLine) })
      byte = endByte
      from = to
    }
    this.#tail = this.#tail.subarray(from)
    this.#tailStart = { byte, line }
  }

  #readHeader(cells: readonly string[]): void {
    const names = cells.map(decodeCell)
    const fault = headerFault(names)
    if (fault !== null) throw new UsageError(`${this.#options.inputName}: the header row is not one: ${fault}`)
    this.#useNames(names.map(String))
  }

  #useNames(names: readonly string[]): void {
    this.#names = names
    const types = new Map(this.#options.columns.map(({ name, type }) => [name.toLowerCase(), type.toLowerCase()]))
    this.#nullIfEmpty = names.map((name) => (types.get(name.toLowerCase()) ?? 'nvarchar(max)') !== 'nvarchar(max)')
  }

  #read(cells: readonly string[], names: readonly string[], line: number): Row | InputFault {
    if (cells.length !== names.length) {
      const message = `line ${line}: ${cells.length} cells, but ${names.length} columns`
      return { code: 'CELL_COUNT', message }
    }
    const values: Value[] = []
    for (let i = 0; i < cells.length; i++) {
      const text = decodeCell(cells[i] ?? '')
      if (text === null) return { code: 'INVALID_UTF8', message: `line ${line}: cell ${i + 1} is not UTF-8` }
      values.push(text === '' && this.#nullIfEmpty[i] === true ? null : text)
    }
    return new Row(names, values)
  }
}

/** The last line of the input has no end. If it cannot be read, perhaps it is not whole yet. */
function withCutEnd(rows: readonly InputRow[]): InputRow[] {
  return rows.map((row, index) => {
    if (index < rows.length - 1 || row.result instanceof Row) return row
    return { ...row, result: { ...row.result, isCut: true } }
  })
}

function lineEnds(bytes: Buffer, from: number, to: number): number {
  let count = 0
  for (let at = bytes.indexOf(LF, from); at >= 0 && at < to; at = bytes.indexOf(LF, at + 1)) count++
  return count
}
