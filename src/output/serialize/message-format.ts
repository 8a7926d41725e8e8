import type { Row } from '../types/value.ts'

/** A row as its format writes it. Rows share a message only if their `shape` is the same object or text. */
export interface EncodedRow {
  readonly bytes: Uint8Array
  /** What the message around it must say: nothing for JSON, the header row for CSV, the schema for Avro. */
  readonly shape: unknown
}

/** How rows become the value of a Kafka message. */
export interface MessageFormat {
  /** False: a message of this format is one row, always (Avro `raw` and `confluent`). */
  readonly canPack: boolean
  /** @throws {ConversionError} the format cannot hold the row. Nothing about the format has changed then. */
  encodeRow(row: Row): EncodedRow
  /** What a message of this shape holds beside its rows, at most; and what stands between two rows. */
  overhead(shape: unknown): { readonly messageBytes: number; readonly betweenBytes: number }
  /** @param rows of one shape, at least one. */
  assemble(rows: readonly EncodedRow[]): Uint8Array
}

/** Parts with a separator between them. */
export function joinBytes(head: string, rows: readonly EncodedRow[], between: string, tail: string): Uint8Array {
  const [only] = rows
  if (rows.length === 1 && only !== undefined && head === '' && tail === '') return only.bytes
  const separator = Buffer.from(between)
  const parts: Uint8Array[] = [Buffer.from(head)]
  rows.forEach((row, index) => {
    if (index > 0) parts.push(separator)
    parts.push(row.bytes)
  })
  parts.push(Buffer.from(tail))
  return Buffer.concat(parts)
}
