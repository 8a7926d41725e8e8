import type { BatchMemory } from '../protocol/record-batch.ts'

/** Smaller ones are cut by Node from a slab of its own, and cost nothing worth keeping. */
const MIN_KEPT_BYTES = 4096
/** 1 GiB; a batch beyond is nobody's habit. */
const MAX_EXPONENT = 30

class FreeMemory {
  /** By the exponent of their size. */
  readonly buffers: Buffer[][] = []
  bytes = 0
}

/**
 * Memory of batches that are done, for those to come. Fresh memory costs more than the bytes that are written into it: the
 * system clears each page of it at the first touch, and V8 collects all garbage early when much of it is outside of its heap.
 *
 * Sizes are powers of two; what was used last is given first, for it is still in the processor's cache. While nothing is under
 * way the free memory is held weakly: the next collection of old garbage takes it.
 */
export class BufferPool implements BatchMemory {
  readonly #maxFreeBytes: number
  /** Null: `#resting` may have it. */
  #free: FreeMemory | null = null
  #resting: WeakRef<FreeMemory> | null = null

  /** @param maxFreeBytes what is given back beyond is garbage. */
  constructor(maxFreeBytes: number) {
    this.#maxFreeBytes = maxFreeBytes
  }

  /** Bytes that nobody uses. */
  get freeBytes(): number {
    return this.#kept?.bytes ?? 0
  }

  /** A buffer of so many bytes lies here, and would cost nothing. */
  hasFree(minBytes: number): boolean {
    if (minBytes < MIN_KEPT_BYTES) return false
    const buffers = this.#kept?.buffers[exponentOf(minBytes)]
    return buffers !== undefined && buffers.length > 0
  }

  take(minBytes: number): Buffer {
    if (minBytes < MIN_KEPT_BYTES) return Buffer.allocUnsafe(minBytes)
    const exponent = exponentOf(minBytes)
    const free = this.#wake()
    const buffer = free.buffers[exponent]?.pop()
    if (buffer === undefined) return Buffer.allocUnsafeSlow(exponent > MAX_EXPONENT ? minBytes : 2 ** exponent)
    free.bytes -= buffer.length
    return buffer
  }

  give(memory: Buffer): void {
    const { length } = memory
    const exponent = exponentOf(length)
    if (length < MIN_KEPT_BYTES || length !== 2 ** exponent) return
    const free = this.#kept ?? this.#wake()
    if (free.bytes + length > this.#maxFreeBytes) return
    ;(free.buffers[exponent] ??= []).push(memory)
    free.bytes += length
  }

  /** Nothing is under way, perhaps for long. */
  rest(): void {
    if (this.#free !== null && this.#free.bytes > 0) this.#resting = new WeakRef(this.#free)
    this.#free = null
  }

  get #kept(): FreeMemory | undefined {
    return this.#free ?? this.#resting?.deref()
  }

  #wake(): FreeMemory {
    this.#free ??= this.#resting?.deref() ?? new FreeMemory()
    this.#resting = null
    return this.#free
  }
}

/** Of the smallest power of two that is not below. */
function exponentOf(bytes: number): number {
  return 32 - Math.clz32(bytes - 1)
}
