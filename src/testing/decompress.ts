import { decompress as decompressAny } from '../compression/decompress.ts'
import type { CodecId } from '../protocol/record-batch-layout.ts'

/** A few kilobytes can claim to be gigabytes. */
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024

/**
 * Undoes a batch's compression, all codecs, with no package installed.
 *
 * @param magic of the batch or message set: frames of lz4 had another checksum with magic 0.
 * @throws {ProtocolError} bytes that are not what they claim.
 */
export function decompress(codec: CodecId, records: Uint8Array, magic = 2): Uint8Array {
  return codec === 0 ? records : decompressAny(codec, records, MAX_OUTPUT_BYTES, { allowKip57Checksum: magic === 0 })
}
