import { isUtf8 } from 'node:buffer'
import type { Line } from '../line-splitter.ts'
import { recordReader } from '../record-reader.ts'

/** A line that is no event, in the words of a result. */
export interface LineFault {
  readonly line: number
  readonly status: 400 | 413
  readonly code: string
  readonly message: string
}

/** Lines that are delivered together, and those among them that cannot be. */
export interface LineBatch {
  /** Of each event, ascending. */
  readonly lines: number[]
  readonly events: unknown[]
  readonly faults: LineFault[]
  bytes: number
}

/** Longer ones are told, and not kept. */
export const MAX_LINE_BYTES = 8 * 1024 * 1024

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** Its errors say where a line stops being JSON without quoting it. */
const explain = recordReader({
  ...{ topic: '', format: 'ndjson', keyField: null, keySeparator: null, headers: [], partition: null },
})

export function newLineBatch(): LineBatch {
  return { lines: [], events: [], faults: [], bytes: 0 }
}

/** Reads a line into a batch. A blank line is nothing. */
export function addLine(batch: LineBatch, line: number, { bytes: given, length }: Line): void {
  batch.bytes += length
  // A byte order mark, as editors on Windows write it, is no part of the first event.
  const bytes = line === 1 && given?.subarray(0, 3).equals(BYTE_ORDER_MARK) === true ? given.subarray(3) : given
  if (bytes === null) {
    const message = `The line has ${length} bytes, more than ${MAX_LINE_BYTES}.`
    batch.faults.push({ line, status: 413, code: 'EVENT_TOO_LARGE', message })
    return
  }
  if (bytes.length === 0) return
  const event = parse(bytes)
  if (event === undefined) addFault(batch, line, bytes)
  else {
    batch.lines.push(line)
    batch.events.push(event)
  }
}

/** Undefined, which JSON does not have: it is not JSON. */
function parse(bytes: Buffer): unknown {
  try {
    return isUtf8(bytes) ? (JSON.parse(bytes.toString('utf8')) as unknown) : undefined
  } catch {
    return undefined // `explain` finds out why
  }
}

function addFault(batch: LineBatch, line: number, bytes: Buffer): void {
  const fault = explain(bytes)
  if (fault === null || !('message' in fault)) return
  batch.faults.push({ line, status: 400, code: fault.code, message: `The line is ${fault.message}.` })
}
