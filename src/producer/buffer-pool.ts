import type { BatchMemory } from '../protocol/record-batch.ts'

/** Smaller ones are cut by Node from a slab of its own, and cost nothing worth keeping. */
const MIN_KEPT_BYTES = 4096
/** 1 GiB; a batch beyond is nobody's habit. */
const MAX_KEPT_BYTES = 2 ** 30

class FreeMemory {
  /** By the class of their size. */
  readonly buffers: Buffer[][] = []
  bytes = 0
}

/**
 * Memory of batches that are done, for those to come. Fresh memory costs more than the bytes that are written into it: the
 * system clears each page of it at the first touch, and V8 collects all garbage early when much of it is outside of its heap.
 *
 * Sizes are powers of two and three quarters of them; what was used last is given first, for it is still in the processor's
 * cache. While nothing is under way the free memory is held weakly: the next collection of old garbage takes it.
 */
export class BufferPool implements BatchMemory {
  readonly #maxFreeBytes: number
  /** Null: it rests. */
  #free: FreeMemory | null = null
  #resting: WeakRef<FreeMemory> | null = null

  /** @param maxFreeBytes what is given back beyond takes the place of other sizes, or is garbage. */
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
    const buffers = this.#kept?.buffers[classOf(minBytes)]
    return buffers !== undefined && buffers.length > 0
  }

  take(minBytes: number): Buffer {
    if (minBytes < MIN_KEPT_BYTES) return Buffer.allocUnsafe(minBytes)
    const free = this.#kept
    const buffer = free?.buffers[classOf(minBytes)]?.pop()
    if (free === undefined || buffer === undefined) {
      return Buffer.allocUnsafeSlow(minBytes > MAX_KEPT_BYTES ? minBytes : bytesOfClass(classOf(minBytes)))
    }
    free.bytes -= buffer.length
    return buffer
  }

  give(memory: Buffer): void {
    const { length } = memory
    const sizeClass = classOf(length)
    const isOurs = length >= MIN_KEPT_BYTES && length <= MAX_KEPT_BYTES && length === bytesOfClass(sizeClass)
    if (!isOurs || length > this.#maxFreeBytes) return
    const free = this.#kept ?? this.#begin()
    while (free.bytes + length > this.#maxFreeBytes) if (!dropOther(free, sizeClass)) return
    ;(free.buffers[sizeClass] ??= []).push(memory)
    free.bytes += length
  }

  /** Something is under way. */
  wake(): void {
    this.#free ??= this.#resting?.deref() ?? new FreeMemory()
    this.#resting = null
  }

  /** Nothing is under way, perhaps for long. */
  rest(): void {
    if (this.#free !== null && this.#free.bytes > 0) this.#resting = new WeakRef(this.#free)
    this.#free = null
  }

  get #kept(): FreeMemory | undefined {
    return this.#free ?? this.#resting?.deref()
  }

  #begin(): FreeMemory {
    const free = new FreeMemory()
    this.#resting = new WeakRef(free)
    return free
  }
}

/** Of the smallest size that is not below: 2n is 2 to the n, 2n - 1 three quarters of it. */
function classOf(bytes: number): number {
  const exponent = 32 - Math.clz32(bytes - 1)
  return bytes <= 0.75 * 2 ** exponent ? 2 * exponent - 1 : 2 * exponent
}

function bytesOfClass(sizeClass: number): number {
  const exponent = Math.ceil(sizeClass / 2)
  return sizeClass % 2 === 0 ? 2 ** exponent : 0.75 * 2 ** exponent
}

/** Lets go of one buffer of the other size of which most bytes lie here: work has changed. */
function dropOther(free: FreeMemory, sizeClass: number): boolean {
  let most: Buffer[] = []
  free.buffers.forEach((buffers, other) => {
    if (other !== sizeClass && bytesIn(buffers) > bytesIn(most)) most = buffers
  })
  const dropped = most.pop()
  free.bytes -= dropped?.length ?? 0
  return dropped !== undefined
}

function bytesIn(buffers: readonly Buffer[]): number {
  return buffers.length * (buffers[0]?.length ?? 0)
}
