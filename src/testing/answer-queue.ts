import type { Socket } from 'node:net'
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
}

/** Answers leave in the order of their requests: one that has to wait holds up all that come after it. */
export class AnswerQueue {
  readonly #socket: Socket
  readonly #clock: Clock
  #waiting: { readonly answer: Answer; isDue: boolean }[] = []
  readonly #timers = new Set<Timer>()
  #isWriting = false

  constructor(socket: Socket, clock: Clock) {
    this.#socket = socket
    this.#clock = clock
  }

  push(answer: Answer): void {
    const entry = { answer, isDue: answer.delayMs === 0 }
    this.#waiting.push(entry)
    if (entry.isDue) this.#drain()
    else if (answer.delayMs !== Infinity) this.#wakeFor(entry, answer.delayMs)
  }

  /** The socket is gone. */
  clear(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    this.#waiting = []
  }

  #wakeFor(entry: { isDue: boolean }, delayMs: number): void {
    const timer = this.#clock.after(delayMs, () => {
      this.#timers.delete(timer)
      entry.isDue = true
      this.#drain()
    })
    this.#timers.add(timer)
  }

  #drain(): void {
    while (!this.#isWriting && this.#waiting[0]?.isDue === true && !this.#socket.destroyed) {
      const { answer } = this.#waiting.shift() ?? {}
      if (answer !== undefined) this.#write(answer)
    }
  }

  #write({ chunks, closeAfterBytes, splitBytes }: Answer): void {
    const bytes = closeAfterBytes === null && splitBytes === null ? null : Buffer.concat(chunks)
    const isClosing = closeAfterBytes !== null
    if (bytes === null) return this.#writeChunks(chunks)
    const sent = isClosing ? bytes.subarray(0, closeAfterBytes) : bytes
    this.#isWriting = true
    this.#writePieces(sent, splitBytes ?? Math.max(sent.length, 1), () => {
      this.#isWriting = false
      if (isClosing) this.#socket.destroySoon()
      else this.#drain()
    })
  }

  #writeChunks(chunks: readonly Uint8Array[]): void {
    this.#socket.cork()
    for (const chunk of chunks) this.#socket.write(chunk)
    this.#socket.uncork()
  }

  /** One piece per turn of the event loop, so that they are packets of their own. */
  #writePieces(bytes: Buffer, pieceBytes: number, done: () => void): void {
    if (bytes.length === 0) return done()
    this.#socket.write(bytes.subarray(0, pieceBytes), (error) => {
      if (!error) this.#clock.soon(() => this.#writePieces(bytes.subarray(pieceBytes), pieceBytes, done))
    })
  }
}
