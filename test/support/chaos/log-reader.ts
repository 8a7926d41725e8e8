import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { javaCommand } from './chaos-java.ts'

/** One record of the log, as Kafka's consumer gives it; `value` is valid until the next row only. */
export interface LogRow {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number
  readonly value: Buffer | null
}

const HEADER_BYTES = 1 + 4 + 8 + 8 + 4
const LAST_ROW = 0xff
const LAST_ROW_BYTES = 1 + 8
const KEPT_ERRORS_CHARS = 4_000

export interface ReadLogOptions {
  readonly bootstrap: string
  readonly version: string
  readonly topics: readonly string[]
  readonly timeoutSeconds: number
}

/**
 * Everything in the topics up to the end of now, by Kafka's own consumer, per partition in the order of offsets. Rows
 * stream: memory does not grow with the log.
 *
 * @throws when the consumer fails, or its output ends before it said that it was done.
 */
export async function* readLog(options: ReadLogOptions): AsyncGenerator<LogRow> {
  const { bootstrap, version, topics, timeoutSeconds } = options
  const { java, args } = await javaCommand('LogReader', version)
  const child = spawn(java, [...args, bootstrap, String(timeoutSeconds), ...topics], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const closed = once(child, 'close')
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors = (errors + String(chunk)).slice(-KEPT_ERRORS_CHARS)))
  try {
    yield* parseRows(child.stdout, topics)
    await closed
  } catch (error) {
    child.kill('SIGKILL')
    await closed
    throw new Error(`Reading back: ${String(error)}\n${errors}`, { cause: error })
  } finally {
    // A reader that is left early must not leave its JVM behind.
    if (child.exitCode === null) child.kill('SIGKILL')
  }
}

/** The rows of `LogReader.java`. @throws when the stream ends without its last row, or the count in it is another. */
export async function* parseRows(chunks: AsyncIterable<Buffer>, topics: readonly string[]): AsyncGenerator<LogRow> {
  let rest: Buffer = Buffer.alloc(0)
  let rows = 0
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    for (;;) {
      const row = rowAt(bytes, at, topics)
      if (row === null) break
      if ('count' in row) {
        if (row.count !== rows) throw new Error(`${rows} rows arrived, ${row.count} were sent`)
        return
      }
      yield row.row
      rows++
      at += row.size
    }
    rest = bytes.subarray(at)
  }
  throw new Error(`the stream ended after ${rows} rows, before its end`)
}

type Parsed = { readonly row: LogRow; readonly size: number } | { readonly count: number } | null

/** Null: not all of it is there yet. */
function rowAt(bytes: Buffer, at: number, topics: readonly string[]): Parsed {
  const left = bytes.length - at
  if (left >= LAST_ROW_BYTES && bytes[at] === LAST_ROW) return { count: Number(bytes.readBigInt64BE(at + 1)) }
  if (left < HEADER_BYTES || bytes[at] === LAST_ROW) return null
  const length = bytes.readInt32BE(at + 21)
  const size = HEADER_BYTES + Math.max(0, length)
  if (left < size) return null
  const row = {
    topic: topics[bytes.readUInt8(at)] ?? '?',
    partition: bytes.readInt32BE(at + 1),
    offset: bytes.readBigInt64BE(at + 5),
    timestamp: Number(bytes.readBigInt64BE(at + 13)),
    value: length < 0 ? null : bytes.subarray(at + HEADER_BYTES, at + size),
  }
  return { row, size }
}
