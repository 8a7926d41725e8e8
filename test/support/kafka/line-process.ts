import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'

const NEW_LINE = 10
const KEPT_ERRORS_CHARS = 4_000

export interface Answer {
  readonly parts: readonly unknown[]
  readonly result: unknown
}

interface Line {
  readonly id: number
  readonly part?: unknown
  readonly result?: unknown
  readonly error?: string
}

interface Waiting {
  readonly parts: unknown[]
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

/**
 * A child that answers JSON requests, one a line: see `java/KafkaHelper.java` for the protocol.
 *
 * It keeps this process alive only while an answer is due, and ends when its stdin closes, which our end does too.
 */
export class LineProcess {
  readonly pid: number
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #waiting = new Map<number, Waiting>()
  readonly #ended: Promise<void>
  #lastId = 0
  #unfinishedLine: Buffer[] = []
  #errors = ''

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true })
    this.pid = this.#child.pid ?? 0
    this.#child.stdout.on('data', (chunk: Buffer) => this.#receive(chunk))
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#errors = (this.#errors + String(chunk)).slice(-KEPT_ERRORS_CHARS)
    })
    this.#child.stdin.on('error', () => undefined) // EPIPE: the end is reported by 'close'.
    this.#child.on('error', (error) => this.#failAll(error))
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        this.#failAll(new Error(`${command} ended (${String(code ?? signal)}).\n${this.#errors}`))
        resolve()
      })
    })
    this.#hold(false)
  }

  ask(op: string, request: object): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        reject(new Error(`${op}: the helper has ended.\n${this.#errors}`))
        return
      }
      const id = ++this.#lastId
      this.#waiting.set(id, { parts: [], resolve, reject })
      this.#hold(true)
      this.#child.stdin.write(`${JSON.stringify({ id, op, ...request })}\n`)
    })
  }

  /** Ends the child. Requests that wait for an answer are rejected. */
  async close(): Promise<void> {
    this.#hold(true)
    this.#child.stdin.end()
    await this.#ended
  }

  #receive(chunk: Buffer): void {
    let from = 0
    for (let at = chunk.indexOf(NEW_LINE); at >= 0; at = chunk.indexOf(NEW_LINE, from)) {
      this.#unfinishedLine.push(chunk.subarray(from, at))
      const line = Buffer.concat(this.#unfinishedLine).toString()
      this.#unfinishedLine = []
      from = at + 1
      this.#take(JSON.parse(line) as Line)
    }
    this.#unfinishedLine.push(chunk.subarray(from))
  }

  #take(line: Line): void {
    const waiting = this.#waiting.get(line.id)
    if (waiting === undefined) return
    if (line.part !== undefined) {
      waiting.parts.push(line.part)
      return
    }
    this.#waiting.delete(line.id)
    if (this.#waiting.size === 0) this.#hold(false)
    if (line.error === undefined) waiting.resolve({ parts: waiting.parts, result: line.result })
    else waiting.reject(new Error(`Kafka's client: ${line.error}`))
  }

  #failAll(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }

  #hold(isNeeded: boolean): void {
    const { stdin, stdout, stderr } = this.#child
    const pipes = [stdin, stdout, stderr].filter((stream) => stream instanceof Socket)
    for (const handle of [this.#child, ...pipes]) {
      if (isNeeded) handle.ref()
      else handle.unref()
    }
  }
}
