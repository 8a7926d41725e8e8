import type { Socket } from 'node:net'
import type { Clock } from '../../../src/clock.ts'
import type { Random } from '../../fuzz/random.ts'

/** What happens to bytes on their way in one direction. */
export interface Weather {
  readonly delayMs: number
  readonly isDripping: boolean
  readonly isMuted: boolean
  readonly isHeld: boolean
  readonly resetAfterBytes: number
}

/** More than this waits in the sender's socket, not here. */
const MAX_QUEUED_BYTES = 1 << 20
/** Dripping: the first bytes of a chunk come as crumbs, for headers lie there; a megabyte of crumbs would be a standstill. */
const CRUMBED_BYTES = 96
const MAX_CRUMB_BYTES = 7
const MAX_PIECE_BYTES = 1400

/** Time and luck. */
export interface Chance {
  readonly clock: Clock
  readonly random: Random
}

interface Piece {
  readonly bytes: Buffer
  readonly dueMs: number
}

/** Bytes from one socket to the other, in order whatever the weather. */
export class Pipe {
  /** Bytes were lost: nothing that comes later makes sense to the receiver. */
  hasSwallowed = false
  readonly #from: Socket
  readonly #to: Socket
  readonly #chance: Chance
  readonly #reset: () => void
  #weather: Weather = { delayMs: 0, isDripping: false, isMuted: false, isHeld: false, resetAfterBytes: Infinity }
  #queue: Piece[] = []
  #queuedBytes = 0
  #passedBytes = 0
  #isEnded = false
  #isScheduled = false
  #isStopped = false

  /** @param reset ends the connection both ways. */
  constructor(from: Socket, to: Socket, chance: Chance, reset: () => void) {
    this.#from = from
    this.#to = to
    this.#chance = chance
    this.#reset = reset
    from.on('data', (chunk: Buffer) => this.#take(chunk))
    from.on('end', () => {
      this.#isEnded = true
      this.#drain()
    })
    to.on('connect', () => this.#drain())
    to.on('drain', () => this.#drain())
  }

  setWeather(weather: Weather): void {
    this.#weather = weather
    this.#passedBytes = 0
    this.#drain()
  }

  stop(): void {
    this.#isStopped = true
    this.#queue = []
  }

  #take(chunk: Buffer): void {
    if (this.#weather.isMuted) {
      this.hasSwallowed = true
      return
    }
    const dueMs = this.#chance.clock.now() + this.#weather.delayMs
    const pieces = this.#weather.isDripping ? this.#crumble(chunk) : [chunk]
    for (const bytes of pieces) this.#queue.push({ bytes, dueMs })
    this.#queuedBytes += chunk.length
    this.#drain()
  }

  #crumble(chunk: Buffer): Buffer[] {
    const pieces: Buffer[] = []
    for (let at = 0; at < chunk.length;) {
      const most = at < CRUMBED_BYTES ? MAX_CRUMB_BYTES : MAX_PIECE_BYTES
      const end = Math.min(chunk.length, at + 1 + this.#chance.random.below(most))
      pieces.push(chunk.subarray(at, end))
      at = end
    }
    return pieces
  }

  /** Writes what is due; while dripping one piece a turn, so that each becomes a segment of its own. */
  #drain(): void {
    if (this.#isStopped || this.#isScheduled) return
    if (this.#weather.isHeld) return this.#throttle()
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      const waitMs = head.dueMs - this.#chance.clock.now()
      if (waitMs > 0) {
        this.#schedule((again) => this.#chance.clock.after(waitMs, again))
        break
      }
      if (this.#to.connecting || this.#to.writableNeedDrain) break // 'connect' and 'drain' call again
      this.#queue.shift()
      this.#queuedBytes -= head.bytes.length
      if (!this.#write(head.bytes)) return
      if (this.#weather.isDripping && this.#queue.length > 0) {
        this.#schedule((again) => this.#chance.clock.soon(again))
        break
      }
    }
    this.#throttle()
    if (this.#isEnded && this.#queue.length === 0) this.#to.end()
  }

  /** @returns false when that was the last: the connection is reset in the middle of this chunk. */
  #write(bytes: Buffer): boolean {
    const left = this.#weather.resetAfterBytes - this.#passedBytes
    this.#passedBytes += bytes.length
    if (bytes.length <= left) {
      this.#to.write(bytes)
      return true
    }
    this.#isStopped = true
    // The half frame must leave first, or there was nothing in the middle of which to reset.
    this.#to.write(bytes.subarray(0, left), () => this.#reset())
    return false
  }

  #schedule(later: (again: () => void) => unknown): void {
    this.#isScheduled = true
    later(() => {
      this.#isScheduled = false
      this.#drain()
    })
  }

  #throttle(): void {
    if (this.#weather.isHeld || this.#queuedBytes > MAX_QUEUED_BYTES) this.#from.pause()
    else if (this.#from.isPaused()) this.#from.resume()
  }
}
