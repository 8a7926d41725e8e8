import { gunzipSync } from 'node:zlib'
import type { CodecId } from '../protocol/record-batch.ts'

const GZIP = 1
/** A few kilobytes can claim to be gigabytes. */
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024

/** Which codecs a test can read back; the others are kept and answered for, but not looked into. */
export function canDecompress(codec: number): boolean {
  return codec === GZIP
}

/** Undoes a batch's compression. @throws for a codec that is not there yet, or bytes that are not what they claim. */
export function decompress(codec: CodecId, records: Uint8Array): Uint8Array {
  if (codec === GZIP) return gunzipSync(records, { maxOutputLength: MAX_OUTPUT_BYTES })
  throw new Error(`TestCluster cannot decompress codec ${codec} yet`)
}
