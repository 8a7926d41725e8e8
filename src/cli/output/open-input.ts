import { open, stat } from 'node:fs/promises'
import { UsageError } from '../exit-code.ts'
import { openInput, type Input } from '../input.ts'
import { reasonOf } from '../read-file.ts'
import { CsvRows } from './csv-rows.ts'
import type { InputRow, InputStart } from './input-row.ts'
import { JsonRows } from './json-rows.ts'
import type { Checkpoint } from './checkpoint-file.ts'
import type { InputOptions } from './output-config.ts'

/** The rows of a file or of stdin. */
export interface RowInput {
  readonly name: string
  /** Null: a pipe. */
  readonly path: string | null
  readonly sizeBytes: number | null
  readonly isTerminal: boolean
  readonly rows: AsyncIterable<InputRow>
  /** What a checkpoint must know to read on. */
  describe(): Pick<Checkpoint, 'format' | 'names'>
  close(): void
}

const MAX_ROW_BYTES = 16 * 1024 * 1024
const CHUNK_BYTES = 64 * 1024

/** @param resumed where to go on. @throws {UsageError} the file cannot be opened. */
export async function openRows(
  file: string | undefined,
  options: InputOptions,
  resumed: Checkpoint | null,
): Promise<RowInput> {
  const input = resumed === null ? await openInput(file) : await openAt(String(file), resumed.safeBytes)
  const start: InputStart = { byte: resumed?.safeBytes ?? 0, line: resumed?.safeLines ?? 0 }
  const { name, sizeBytes, isTerminal } = input
  const path = file === undefined || file === '-' ? null : file
  const common = { name, path, sizeBytes, isTerminal, close: () => input.close() }
  if (options.format === 'csv') {
    const names = resumed?.names ?? options.names
    const csv = new CsvRows({ inputName: name, ...options, names, maxRowBytes: MAX_ROW_BYTES }, start)
    return { ...common, rows: readCsv(csv, input.chunks), describe: () => ({ format: 'csv', names: csv.names }) }
  }
  // Before the first row nobody knew what the file is.
  const isArray = resumed === null || resumed.safeBytes === 0 ? null : resumed.format === 'json array'
  const json = new JsonRows({ inputName: name, maxRowBytes: MAX_ROW_BYTES, isArray }, start)
  const describe = (): Pick<Checkpoint, 'format' | 'names'> => ({
    format: json.isArray === true ? 'json array' : 'json',
    names: null,
  })
  return { ...common, rows: json.read(input.chunks), describe }
}

/** Which file a checkpoint is about must be clear, and it must be possible to read it again. */
export async function checkCanResume(file: string | undefined): Promise<string> {
  if (file === undefined || file === '-') {
    throw new UsageError('--checkpoint needs --file: stdin cannot be read again after a crash')
  }
  const stats = await stat(file).catch((error: unknown) => {
    throw new UsageError(`cannot read ${file}: ${reasonOf(error)}`, { cause: error })
  })
  if (stats.isFile()) return file
  throw new UsageError(`--checkpoint: ${file} is not a file; it cannot be read again after a crash`)
}

async function* readCsv(csv: CsvRows, chunks: AsyncIterable<Buffer>): AsyncGenerator<InputRow> {
  for await (const chunk of chunks) yield* await csv.push(chunk)
  yield* await csv.end()
}

async function openAt(path: string, start: number): Promise<Input> {
  try {
    const file = await open(path)
    const { size } = await file.stat()
    const chunks = file.createReadStream({ start, highWaterMark: CHUNK_BYTES })
    return { name: path, chunks, sizeBytes: size, isTerminal: false, close: () => void chunks.destroy() }
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${reasonOf(error)}`, { cause: error })
  }
}
