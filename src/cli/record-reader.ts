import { isUtf8 } from 'node:buffer'
import type { ProducerRecord } from '../index.ts'
import { memberText } from './json-text.ts'

export type InputFormat = 'lines' | 'ndjson'

export interface RecordReaderOptions {
  readonly topic: string
  readonly format: InputFormat
  /** `ndjson`: the member that becomes the key; dots lead into nested objects. */
  readonly keyField: string | null
  /** `lines`: what stands between key and value. */
  readonly keySeparator: Buffer | null
  readonly headers: readonly (readonly [string, string])[]
  readonly partition: number | null
}

/** A line that is no record. */
export class BadLine {
  readonly code = 'INVALID_JSON'
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

/** Turns one line into a record; `null`: there is nothing in it. */
export type RecordReader = (line: Buffer) => ProducerRecord | BadLine | null

export function recordReader(options: RecordReaderOptions): RecordReader {
  return options.format === 'ndjson' ? jsonReader(options) : lineReader(options)
}

function lineReader(options: RecordReaderOptions): RecordReader {
  const { keySeparator } = options
  const toRecord = recordMaker(options)
  if (keySeparator === null) return (line) => toRecord(null, line)
  return (line) => {
    const at = line.indexOf(keySeparator)
    return at < 0 ? toRecord(null, line) : toRecord(line.subarray(0, at), line.subarray(at + keySeparator.length))
  }
}

function jsonReader(options: RecordReaderOptions): RecordReader {
  const { keyField } = options
  const toRecord = recordMaker(options)
  return (line) => {
    if (isBlank(line)) return null
    if (!isUtf8(line)) return new BadLine('not valid JSON: the bytes are not UTF-8')
    const text = line.toString('utf8')
    try {
      const json: unknown = JSON.parse(text)
      return toRecord(keyField === null ? null : keyOf(json, text, keyField), line)
    } catch (error) {
      return new BadLine(`not valid JSON: ${reasonOf(error, text)}`)
    }
  }
}

/** Every record has the same shape: the engine's hot path stays monomorphic. */
function recordMaker({
  topic,
  headers,
  partition,
}: RecordReaderOptions): (key: Buffer | null, value: Buffer) => ProducerRecord {
  const sharedHeaders = headers.length === 0 ? undefined : headers
  return (key, value) => ({ topic, value, key, headers: sharedHeaders, partition: partition ?? undefined })
}

/** A string is the key as it is, `null` and nothing are no key, anything else is the key as it is written in the line. */
function keyOf(json: unknown, text: string, field: string): Buffer | null {
  const path = hasMember(json, field) ? [field] : field.split('.')
  let value = json
  for (const name of path) value = hasMember(value, name) ? value[name] : undefined
  if (value === undefined || value === null) return null
  return Buffer.from(typeof value === 'string' ? value : (memberText(text, path) ?? JSON.stringify(value)))
}

function hasMember(value: unknown, name: string): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, name)
}

function isBlank(line: Buffer): boolean {
  for (const byte of line) if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false
  return true
}

/** What V8 says, without the line itself: its contents do not belong into logs. */
function reasonOf(error: unknown, text: string): string {
  if (text.startsWith('\uFEFF')) return 'it begins with a byte order mark (save the file as UTF-8 without BOM)'
  const message = error instanceof Error ? error.message : String(error)
  return message.replace(/, (?:\.\.\.)?".*is not valid JSON$/s, '').replace(' in JSON at', ' at')
}
