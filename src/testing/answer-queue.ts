import type { Duplex } from 'node:stream'
import type { Clock, Timer } from '../clock.ts'

/** An answer, and how it goes out. */
export interface Answer {
  readonly chunks: readonly Uint8Array[]
  /** Not before so much time; Infinity: never. */
  readonly delayMs: number
  /** Ends the connection after so many bytes; null: stays. */
  readonly closeAfterBytes: number | null
  /** In pieces of so many bytes; null: in one. */
  readonly splitBytes: number | null
  /** Only after the next one. */
  readonly isLate: boolean
}

/** How an answer goes out when nothing goes wrong. */
export const AT_ONCE = { delayMs: 0, closeAfterBytes: null, splitBytes: null, isLate: false } as const

interface Waiting {
  readonly answer: Answer
  isDue: boolean
  isLate: boolean
}

/** Answers leave in the order of their requests: one that has to wait holds up all that come after it. */
export class AnswerQueue {
  readonly #socket: Duplex
  readonly #clock: Clock
  #waiting: Waiting[] = []
  readonly #timers = new Set<Timer>()
  #isWriting = false
  #isHeld = false

  constructor(socket: Duplex, clock: Clock) {
    this.#socket = socket
    this.#clock = clock
  }

  push(answer: Answer): void {
    const entry = { answer, isDue: answer.delayMs === 0, isLate: answer.isLate }
    this.#waiting.push(entry)
    if (entry.isDue) this.#drain()
    else if (answer.delayMs !== Infinity) this.#wakeFor(entry, answer.delayMs)
  }

  /** Nothing leaves, until it is let go again. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld
    this.#drain()
  }

  /** The socket is gone. */
  clear(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    this.#waiting = []
  }

  #wakeFor(entry: Waiting, delayMs: number): void {
    const timer = this.#clock.after(delayMs, () => {
      this.#timers.delete(timer)
      entry.isDue = true
      this.#drain()
    })
    this.#timers.add(timer)
  }

  #drain(): void {
    while (!this.#isWriting && !this.#isHeld && !this.#socket.destroyed) {
      const answer = this.#takeNext()
      if (answer === undefined) return
      this.#write(answer)
    }
  }

  #takeNext(): Answer | undefined {
    const [first, second] = this.#waiting
    const next = first?.isLate === true ? second : first
    if (first === undefined || next?.isDue !== true) return undefined
    first.isLate = false
    this.#waiting.splice(next === first ? 0 : 1, 1)
    return next.answer
  }

  #write({ chunks, closeAfterBytes, splitBytes }: Answer): void {
    const bytes = closeAfterBytes === null && splitBytes === null ? null : Buffer.concat(chunks)
    const isClosing = closeAfterBytes !== null
    if (bytes === null) return this.#writeChunks(chunks)
    const sent = isClosing ? bytes.subarray(0, closeAfterBytes) : bytes
    this.#isWriting = true
    this.#writePieces(sent, splitBytes ?? Math.max(sent.length, 1), () => {
      this.#isWriting = false
      if (isClosing) this.#destroySoon()
      else this.#drain()
    })
  }

  #writeChunks(chunks: readonly Uint8Array[]): void {
    this.#socket.cork()
    for (const chunk of chunks) this.#socket.write(chunk)
    this.#socket.uncork()
  }

  /** What was written goes out first. */
  #destroySoon(): void {
    this.#socket.end(() => this.#socket.destroy())
  }

  /** One piece per turn of the event loop, so that they are packets of their own. */
  #writePieces(bytes: Buffer, pieceBytes: number, done: () => void): void {
    if (bytes.length === 0) return done()
    this.#socket.write(bytes.subarray(0, pieceBytes), (error) => {
      if (!error) this.#clock.soon(() => this.#writePieces(bytes.subarray(pieceBytes), pieceBytes, done))
    })
  }
}
