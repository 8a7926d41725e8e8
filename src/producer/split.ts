import type { Codec } from '../compression/codec.ts'
import { decodeMessageSet } from '../protocol/message-set-decode.ts'
import { decodeRecordBatch } from '../protocol/record-batch.ts'
import { upperBoundOfRecordBatch } from '../protocol/record.ts'
import { Batch } from './batch.ts'
import { RECORD_OVERHEAD_BYTES } from './buffer-memory.ts'
import type { RecordParts } from './record.ts'

/** What we made ourselves; a bound all the same, against a mistake of our own. */
const MAX_RECORDS_BYTES = 2 ** 31 - 1

/**
 * Cuts a batch that a broker found too large into two, of about half its bytes each. The records keep their order, times
 * and headers, their sequences if they have any, and whoever waits for them; the parts inherit age and deadline, and
 * begin with no attempts (producer-semantics.md 3.8).
 *
 * @param batch sealed, of more than one record, certainly not written.
 */
export function splitBatch(batch: Batch, codec: Codec | null): readonly [Batch, Batch] {
  const records = decodeRecords(batch, codec)
  const total = records.reduce((sum, record) => sum + bytesOf(record), 0)
  const parts = [new Batch(batch, total / 2), new Batch(batch, total / 2)] as const
  let taken = 0
  records.forEach((record, i) => {
    // The first record of a part always fits, and the second part is never empty.
    const isFirst =
      i === 0 || (taken + bytesOf(record) <= total / 2 && i < records.length - 1 && parts[1].recordCount === 0)
    taken += bytesOf(record)
    const { awaiter, token } = batch.awaiterOf(i)
    ;(isFirst ? parts[0] : parts[1]).append(record, awaiter, token, chargeOf(record))
  })
  // Together what the batch was charged, to the byte, whatever became of the user's arrays since.
  parts[1].chargedBytes = batch.chargedBytes - parts[0].chargedBytes
  for (const part of parts) {
    part.isClosed = true
    part.isUrgent = batch.isUrgent
  }
  if (batch.stamp !== null) {
    const { firstSequence } = batch.stamp
    parts[0].stampWith(batch.stamp)
    parts[1].stampWith({ ...batch.stamp, firstSequence: firstSequence + parts[0].recordCount })
  }
  return parts
}

function chargeOf({ key, value, headers }: RecordParts): number {
  return upperBoundOfRecordBatch(key, value, headers) + RECORD_OVERHEAD_BYTES
}

/** Their size uncompressed: new batches of the partition are to stay below. */
export function uncompressedBytes(parts: readonly Batch[]): number {
  return Math.max(...parts.map(({ sizeBytes }) => sizeBytes))
}

function decodeRecords(batch: Batch, codec: Codec | null): readonly RecordParts[] {
  const { payload, format } = batch
  if (payload === null || format === null) throw new Error(`split: batch is ${batch.state}`)
  const decompress = (_id: number, bytes: Uint8Array): Uint8Array => {
    if (codec === null) throw new Error('split: compressed without a codec')
    return codec.decompress(bytes, MAX_RECORDS_BYTES)
  }
  if (format.magic === 2) return decodeRecordBatch(payload, { decompress }).records
  // Magic 0 has no timestamps; what was sent is still known.
  return decodeMessageSet(payload, { decompress }).map(({ key, value, headers }, i) => {
    return { key, value, headers, timestamp: batch.timestamp(i) }
  })
}

function bytesOf({ key, value, headers }: RecordParts): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0)
  for (const [name, header] of headers) bytes += name.length + (header?.length ?? 0)
  return bytes + 1
}
