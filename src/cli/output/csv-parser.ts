import { CsvError, parse, type Parser } from 'csv-parse'

/** One record as csv-parse found it. Its cells are bytes, one a character: what is not UTF-8 must not become U+FFFD. */
export interface RawRecord {
  readonly cells: readonly string[]
  /** Behind its line end, from where the parser began. */
  readonly endByte: number
}

/** Rows end as on Windows, Unix or the Macs of old; a file may mix them. */
const ROW_ENDS = ['\r\n', '\n', '\r']

/** What csv-parse says, without the contents that it quotes. */
const REASONS: Readonly<Record<string, string>> = {
  CSV_INVALID_CLOSING_QUOTE: 'something follows a closing quote; a quote inside of quotes is written twice',
  INVALID_OPENING_QUOTE: 'a quote stands in the middle of a cell that does not begin with one',
  CSV_QUOTE_NOT_CLOSED: 'a quote is opened and never closed',
  CSV_MAX_RECORD_SIZE: 'the row is too long, or a quote is opened and never closed',
}

/** csv-parse, which is a stream, asked chunk by chunk: the records that end in a chunk, up to the first that is broken. */
export class CsvParser {
  readonly #parser: Parser
  #records: RawRecord[] = []
  #failed: Error | null = null

  constructor(delimiter: string, maxRowBytes: number) {
    this.#parser = parse({
      ...{ delimiter, encoding: 'latin1', record_delimiter: ROW_ENDS, skip_empty_lines: true },
      ...{ relax_column_count: true, max_record_size: maxRowBytes },
      // Nothing is ever handed on to the readable side: no queue, no turn of the event loop for each row.
      on_record: (cells: string[], { bytes }) => {
        this.#records.push({ cells, endByte: bytes })
        return null
      },
    })
    this.#parser.on('error', (error) => (this.#failed = error))
    this.#parser.resume()
  }

  /** @returns the records, and why the parser cannot go on behind them. */
  async push(chunk: Buffer): Promise<{ records: RawRecord[]; broken: string | null }> {
    return await this.#until((done) => this.#parser.write(chunk, done))
  }

  async end(): Promise<{ records: RawRecord[]; broken: string | null }> {
    return await this.#until((done) => {
      this.#parser.once('error', done)
      this.#parser.end(done)
    })
  }

  async #until(
    act: (done: (error?: Error | null) => void) => void,
  ): Promise<{ records: RawRecord[]; broken: string | null }> {
    const error = await new Promise<Error | null>((resolve) => act((fault) => resolve(fault ?? null)))
    const records = this.#records
    this.#records = []
    return { records, broken: reasonOf(error ?? this.#failed) }
  }
}

/** @throws what is not about the input. */
function reasonOf(error: Error | null): string | null {
  if (error === null) return null
  if (error instanceof CsvError) return REASONS[error.code] ?? error.code
  throw error
}
