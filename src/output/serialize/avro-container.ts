/** Avro's object container file (Avro 1.11 specification, "Object Container Files"), codec null, one block a message. */
import { encodeLong, writeLong } from './avro-long.ts'
import type { EncodedRow } from './message-format.ts'

const MAGIC = Buffer.from([0x4f, 0x62, 0x6a, 0x01]) // Obj, version 1
export const SYNC_BYTES = 16
/** Two longs below 2^31 before the rows, the sync marker behind them. */
export const BLOCK_BYTES = 5 + 5 + SYNC_BYTES

/** What stands before the first block: the schema, and the marker that ends every block. */
export function containerHead(schema: string, syncMarker: Uint8Array): Buffer {
  return Buffer.concat([
    MAGIC,
    encodeLong(2n), // entries of the metadata map
    ...[text('avro.schema'), text(schema), text('avro.codec'), text('null')],
    encodeLong(0n), // end of the map
    syncMarker,
  ])
}

export function containerFile(head: Uint8Array, rows: readonly EncodedRow[], syncMarker: Uint8Array): Buffer {
  const rowBytes = rows.reduce((sum, row) => sum + row.bytes.length, 0)
  const file = Buffer.allocUnsafe(head.length + BLOCK_BYTES + rowBytes)
  file.set(head)
  let at = writeLong(file, head.length, BigInt(rows.length))
  at = writeLong(file, at, BigInt(rowBytes))
  for (const { bytes } of rows) {
    file.set(bytes, at)
    at += bytes.length
  }
  file.set(syncMarker, at)
  return file.subarray(0, at + SYNC_BYTES)
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([encodeLong(BigInt(bytes.length)), bytes])
}
