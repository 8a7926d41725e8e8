import { open } from 'node:fs/promises'
import { ReadStream as TerminalStream } from 'node:tty'
import type { Readable } from 'node:stream'
import { UsageError } from './exit-code.ts'
import { reasonOf } from './read-file.ts'

export interface Input {
  /** For messages: the path, or `stdin`. */
  readonly name: string
  readonly chunks: AsyncIterable<Buffer>
  /** `null`: a pipe has no size. */
  readonly sizeBytes: number | null
  readonly isTerminal: boolean
  close(): void
}

/** One turn of the event loop each: large enough to be rare, small enough for sockets to be served in between. */
const CHUNK_BYTES = 64 * 1024

/**
 * @param chunkBytes of a file, at most.
 * @throws {UsageError} the file cannot be opened.
 */
export async function openInput(path: string | undefined, chunkBytes = CHUNK_BYTES): Promise<Input> {
  if (path === undefined || path === '-') return fromStream(process.stdin, 'stdin', null)
  try {
    const file = await open(path)
    const stats = await file.stat()
    if (stats.isDirectory()) {
      await file.close()
      throw new UsageError(`cannot read ${path}: it is a directory`)
    }
    const stream = file.createReadStream({ highWaterMark: chunkBytes })
    return fromStream(stream, path, stats.isFile() ? stats.size : null)
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`cannot read ${path}: ${reasonOf(error)}`, { cause: error })
  }
}

function fromStream(stream: Readable, name: string, sizeBytes: number | null): Input {
  const isTerminal = stream instanceof TerminalStream
  return { name, chunks: stream, sizeBytes, isTerminal, close: () => void stream.destroy() }
}
