import { closeSync, openSync, writeSync } from 'node:fs'
import { dataErrorLine, type DataErrorRecord } from '../../output/output.ts'
import { UsageError } from '../exit-code.ts'
import { reasonOf } from '../read-file.ts'
import { printNote } from '../terminal.ts'
import type { InputFault } from './input-row.ts'

/** Faults of one kind that have not been told yet. */
interface Untold {
  readonly first: InputFault
  readonly fromMs: number
  count: number
}

const TELL_EVERY_MS = 1000

/**
 * Data errors as lines of JSON, on stderr or at the end of a file: rows that could not be converted, which the output
 * tells, and rows that could not be read, in the same shape, with the names that Stream Analytics has for those.
 *
 * The first of a kind is told at once, more of it together, once a second: a file of another format is not a flood.
 */
export class ErrorLog {
  /** Null: stderr. */
  readonly #path: string | null
  readonly #descriptor: number
  #isBroken = false
  readonly #inputName: string
  readonly #untold = new Map<string, Untold | null>()
  #timer: NodeJS.Timeout | null = null

  /** @param path null: stderr. @throws {UsageError} it cannot be written. */
  constructor(path: string | null, inputName: string) {
    this.#inputName = inputName
    this.#path = path
    try {
      this.#descriptor = path === null ? process.stderr.fd : openSync(path, 'a', 0o600)
    } catch (error) {
      throw new UsageError(`--errors: cannot write ${String(path)}: ${reasonOf(error)}`, { cause: error })
    }
  }

  add(record: DataErrorRecord): void {
    this.#write(dataErrorLine(record))
  }

  /** A row of the input that could not be read. */
  addFault(fault: InputFault): void {
    const untold = this.#untold.get(fault.code)
    if (untold === undefined) {
      this.#untold.set(fault.code, null)
      return this.#tell({ first: fault, fromMs: Date.now(), count: 1 })
    }
    if (untold === null) this.#untold.set(fault.code, { first: fault, fromMs: Date.now(), count: 1 })
    else untold.count++
    this.#timer ??= setTimeout(() => this.flush(), TELL_EVERY_MS).unref()
  }

  /** Tells what has not been told. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    for (const [code, untold] of this.#untold) {
      if (untold === null) continue
      this.#untold.set(code, null)
      this.#tell(untold)
    }
  }

  close(): void {
    this.flush()
    if (this.#path !== null) closeSync(this.#descriptor)
  }

  #tell({ first, fromMs, count }: Untold): void {
    const more = count === 1 ? '' : `, and ${count - 1} more like it`
    const record = {
      ...{ Source: this.#inputName, Type: 'DataError', DataErrorType: 'InputDeserializerError.InvalidData' },
      ...{ BriefMessage: `A row could not be read: ${first.code}`, Message: `${first.message}${more}` },
      ...{ ExampleEvents: '[]', FromTimestamp: new Date(fromMs).toISOString(), ToTimestamp: new Date().toISOString() },
      EventCount: count,
    }
    this.#write(`${JSON.stringify(record)}\n`)
  }

  /** Synchronous: what is told of a crash must not be lost in it. A reader of stderr may have left. */
  #write(line: string): void {
    if (this.#path === null || this.#isBroken) return void process.stderr.write(line)
    try {
      writeSync(this.#descriptor, line)
    } catch (error) {
      this.#isBroken = true
      const isFull = (error as NodeJS.ErrnoException).code === 'ENOSPC'
      const reason = isFull ? 'no space left on device' : reasonOf(error)
      printNote(`headrace: --errors: cannot write ${this.#path}: ${reason}; stderr has the rest`)
      this.#write(line)
    }
  }
}
