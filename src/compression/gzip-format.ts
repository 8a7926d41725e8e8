import { constants } from 'node:buffer'
import { gunzipSync } from 'node:zlib'
import { BoundedOutput, refusal } from './bounded-output.ts'

const WHERE = 'gzip'

/** One gzip member or several, and nothing else. @throws {ProtocolError} and nothing else. */
export function decompressGzip(bytes: Uint8Array, maxOutputBytes: number): Uint8Array {
  const { buffer, engine } = gunzip(bytes, maxOutputBytes)
  const restBytes = bytes.length - engine.bytesWritten
  // zlib passes over what follows the last member.
  if (restBytes > 0) throw refusal(WHERE, 'TRAILING_BYTES', `${restBytes} bytes after the last member`)
  return buffer
}

interface GunzipInfo {
  readonly buffer: Buffer
  /** `bytesWritten`: to the engine, so what it has consumed. */
  readonly engine: { readonly bytesWritten: number }
}

function gunzip(bytes: Uint8Array, maxOutputBytes: number): GunzipInfo {
  try {
    // With `info` the result is not the Buffer that the types promise.
    const options = { maxOutputLength: Math.min(Math.max(maxOutputBytes, 1), constants.MAX_LENGTH), info: true }
    const result = gunzipSync(bytes, options) as unknown as GunzipInfo
    if (result.buffer.length <= maxOutputBytes) return result
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw refusal(WHERE, 'INVALID_VALUE', why, cause)
    }
  }
  throw new BoundedOutput(WHERE, maxOutputBytes, 0).tooLong()
}
