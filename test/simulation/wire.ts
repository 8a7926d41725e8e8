import type { Random } from '../fuzz/random.ts'
import type { World } from './world.ts'

/** How bytes travel in one direction. */
export interface WireSettings {
  readonly latencyMs: number
  /** What arrives later than that at most, piece by piece; order is kept. */
  readonly jitterMs: number
  /** No more than so much is on the way or unread: then the kernel of the sender takes no more. */
  readonly capacityBytes: number
  /** Longest piece that arrives at once. */
  readonly maxPieceBytes: number
}

/** An end of a wire, as the wire sees it. */
export interface WireEnd {
  onBytes(bytes: Buffer): void
  onEnd(): void
  onReset(): void
  /** The kernel takes bytes again. */
  onRoom(): void
}

type Segment = { readonly atMs: number } & ({ readonly bytes: Buffer } | { readonly what: 'end' | 'reset' })

/** One direction of a connection: what one kernel took over and the other has not been asked for yet. */
export class Wire {
  readonly name: string
  readonly #world: World
  readonly #random: Random
  readonly #settings: WireSettings
  #from: WireEnd | null = null
  #to: WireEnd | null = null
  readonly #segments: Segment[] = []
  /** Taken over, and not read. */
  #heldBytes = 0
  #sentBytes = 0
  #lastAtMs = 0
  #cutAtByte = Infinity
  #stalledUntilMs = -Infinity
  #isOver = false

  constructor(name: string, world: World, settings: WireSettings) {
    this.name = name
    this.#world = world
    this.#random = world.random
    this.#settings = settings
  }

  attach(from: WireEnd, to: WireEnd): void {
    this.#from = from
    this.#to = to
  }

  /** The kernel takes what fits. @returns how many bytes that is. */
  take(bytes: Uint8Array): number {
    const room = this.#settings.capacityBytes - this.#heldBytes
    const taken = Math.min(room, bytes.length)
    if (taken <= 0) return 0
    const sent = Math.min(taken, this.#cutAtByte - this.#sentBytes)
    this.#sentBytes += taken
    if (this.#isOver) return taken
    this.#heldBytes += taken
    // A kernel copies what it takes: what happens to the memory afterwards is none of its business.
    this.#post(Buffer.from(bytes.subarray(0, Math.max(sent, 0))))
    if (sent < taken) this.#cut()
    return taken
  }

  /** No more will come: the receiver learns it after all bytes. */
  end(): void {
    this.#add({ atMs: this.#arrivalMs(), what: 'end' })
  }

  /** The connection is broken off from this side; what is on the way is lost, or arrives before. */
  reset(): void {
    if (this.#isOver) return
    if (this.#random.oneIn(2)) this.#segments.length = 0
    this.#add({ atMs: this.#arrivalMs(), what: 'reset' })
    this.#isOver = true
  }

  /** Breaks the connection off when so many bytes went this way, wherever that is in a message. */
  cutAfter(bytes: number): void {
    this.#cutAtByte = this.#sentBytes + bytes
  }

  /** Nothing arrives for so long; Infinity: never again. */
  stall(ms: number): void {
    this.#stalledUntilMs = Math.max(this.#stalledUntilMs, this.#world.nowMs + ms)
    if (ms !== Infinity) this.#world.at(this.#stalledUntilMs, () => this.#arrive())
  }

  /** What was held up goes on, as TCP does: it was only late. */
  heal(): void {
    this.#stalledUntilMs = -Infinity
    this.#world.after(0, () => this.#arrive())
  }

  /** The receiver has read so much. */
  read(bytes: number): void {
    this.#heldBytes -= bytes
    this.#world.after(this.#settings.latencyMs, () => this.#from?.onRoom())
  }

  get #isStalled(): boolean {
    return this.#stalledUntilMs > this.#world.nowMs
  }

  #post(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      const { maxPieceBytes } = this.#settings
      const length = Math.min(1 + this.#random.below(maxPieceBytes), bytes.length - at)
      this.#add({ atMs: this.#arrivalMs(), bytes: bytes.subarray(at, at + length) })
      at += length
    }
  }

  /** Both ends learn of it: the receiver after what came before, the sender some time later. */
  #cut(): void {
    this.#world.log('cut', this.name, this.#sentBytes)
    this.#add({ atMs: this.#arrivalMs(), what: 'reset' })
    this.#isOver = true
    this.#world.after(this.#settings.latencyMs, () => this.#from?.onReset())
  }

  #arrivalMs(): number {
    const { latencyMs, jitterMs } = this.#settings
    const atMs = this.#world.nowMs + latencyMs + (jitterMs * this.#random.below(100)) / 100
    const gapMs = this.#random.oneIn(3) ? this.#random.below(100) / 330 : 0
    return (this.#lastAtMs = Math.max(this.#lastAtMs + gapMs, atMs))
  }

  #add(segment: Segment): void {
    if (this.#isOver) return
    this.#segments.push(segment)
    this.#world.at(segment.atMs, () => this.#arrive())
  }

  #arrive(): void {
    if (this.#isStalled) return
    const { nowMs } = this.#world
    for (let first = this.#segments[0]; first !== undefined && first.atMs <= nowMs; first = this.#segments[0]) {
      this.#segments.shift()
      this.#world.log(this.name, 'bytes' in first ? first.bytes.length : first.what)
      if ('bytes' in first) this.#to?.onBytes(first.bytes)
      else if (first.what === 'end') this.#to?.onEnd()
      else this.#to?.onReset()
    }
  }
}
