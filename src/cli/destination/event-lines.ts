import { isUtf8 } from 'node:buffer'
import { recordReader } from '../record-reader.ts'
import type { TextLine } from './text-lines.ts'

/** A line that is no event, in the words of a result. */
export interface LineFault {
  readonly line: number
  readonly status: 400 | 413
  readonly code: string
  readonly message: string
}

/** Longer ones are told, and not kept. */
export const MAX_LINE_BYTES = 8 * 1024 * 1024

const BYTE_ORDER_MARK = '\ufeff'

/** Its errors say where a line stops being JSON without quoting it. */
const explain = recordReader({
  ...{ topic: '', format: 'ndjson', keyField: null, keySeparator: null, headers: [], partition: null },
})

/** Lines that are delivered together. Each is read when its event is asked for: their events are never all in memory. */
export class LineBatch {
  /** Of each event that was read, ascending. */
  readonly lines: number[] = []
  /** Lines that are no events. */
  readonly faults: LineFault[] = []
  /** Of text or bytes, as memory goes. */
  size = 0
  /** What the input gave for them, line ends included. */
  inputBytes = 0
  readonly #firstLine: number
  readonly #lines: TextLine[] = []

  /** @param firstLine its number, counted from 1. */
  constructor(firstLine: number) {
    this.#firstLine = firstLine
  }

  get count(): number {
    return this.#lines.length
  }

  get lastLine(): number {
    return this.#firstLine + this.count - 1
  }

  add(line: TextLine): void {
    this.size += line.length
    this.#lines.push(line)
  }

  /** Once. A blank line is nothing. */
  *events(): Generator {
    let number = this.#firstLine - 1
    for (const line of this.#lines) {
      number++
      const event = this.#read(number, line)
      if (event === undefined) continue
      this.lines.push(number)
      yield event
    }
  }

  /** Undefined, which JSON does not have: it is no event, and if it should be one it is among the faults. */
  #read(number: number, line: TextLine): unknown {
    if (typeof line !== 'string' && line.bytes === null) {
      const message = `The line has ${line.length} bytes, more than ${MAX_LINE_BYTES}.`
      this.faults.push({ line: number, status: 413, code: 'EVENT_TOO_LARGE', message })
      return undefined
    }
    const given = typeof line === 'string' ? line : textOf(line.bytes)
    // A byte order mark, as editors on Windows write it, is no part of the first event.
    const text = number === 1 && given?.startsWith(BYTE_ORDER_MARK) === true ? given.slice(1) : given
    if (text === '') return undefined
    try {
      if (text !== null) return JSON.parse(text) as unknown
    } catch {
      // `explain` finds out why.
    }
    this.#addFault(number, text === null ? bytesOf(line) : Buffer.from(text))
    return undefined
  }

  #addFault(line: number, bytes: Buffer): void {
    const fault = explain(bytes)
    if (fault === null || !('message' in fault)) return
    this.faults.push({ line, status: 400, code: fault.code, message: `The line is ${fault.message}.` })
  }
}

/** Null: it is not UTF-8. */
function textOf(bytes: Buffer | null): string | null {
  return bytes !== null && isUtf8(bytes) ? bytes.toString('utf8') : null
}

function bytesOf(line: TextLine): Buffer {
  return typeof line === 'string' ? Buffer.from(line) : (line.bytes ?? Buffer.alloc(0))
}
