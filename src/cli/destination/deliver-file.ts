import type { KafkaDestination } from '../../destination/destination.ts'
import type { ExitCode } from '../exit-code.ts'
import { openInput, type Input } from '../input.ts'
import { onInterrupt } from '../interrupt.ts'
import { startProgress } from '../progress.ts'
import { printNote } from '../terminal.ts'
import { FileDelivery } from './file-delivery.ts'
import { firstAnswer } from './no-way-in.ts'
import { reportFile } from './file-report.ts'
import { jsonLine, textLine, type ResultWriter } from './result-lines.ts'

export interface DeliverFileOptions {
  readonly file: string
  /** Results as JSON. */
  readonly isJson: boolean
  /** No line for each result. */
  readonly isQuiet: boolean
}

/** Events are not parsed as they are read: a large chunk holds up nobody, and fewer of them cost less. */
const CHUNK_BYTES = 256 * 1024

/**
 * Delivers the events of a file, or of stdin.
 *
 * @throws {UsageError} the file cannot be opened. @throws {NoWayIn} the cluster cannot be asked. Nothing was sent then.
 */
export async function deliverFile(destination: KafkaDestination, options: DeliverFileOptions): Promise<ExitCode> {
  const input = await openInput(options.file, CHUNK_BYTES)
  try {
    // A wrong address or password is known before anything is read.
    await firstAnswer(destination.topics())
    return await deliverInput(destination, input, options)
  } finally {
    input.close()
  }
}

async function deliverInput(
  destination: KafkaDestination,
  input: Input,
  { isJson, isQuiet }: DeliverFileOptions,
): Promise<ExitCode> {
  const results = new ResultOutput(isQuiet ? null : isJson ? jsonLine : textLine)
  const onResult = results.add.bind(results)
  const delivery = new FileDelivery({
    ...{ destination, onResult, onBatch: () => results.flush() },
    onStop: () => input.close(),
  })
  // Where lines are typed or shown, a moving one would be in the way.
  const hasProgress = !input.isTerminal && (isQuiet || !process.stdout.isTTY)
  const read = (): { doneBytes: number; records: number } => ({
    ...{ doneBytes: delivery.settledInputBytes, records: delivery.events },
  })
  const stopProgress = hasProgress ? startProgress(input.sizeBytes, read) : () => undefined
  const stopListening = onInterrupt((count) => {
    stopProgress()
    if (count > 1) process.exit()
    delivery.interrupt()
    process.exitCode = 1
    printNote('interrupted: delivering what was read; once more gives it up')
  })
  if (input.isTerminal) printNote('reading events from the terminal, one a line; Ctrl-D ends')
  const startedMs = performance.now()
  try {
    await delivery.run(input.chunks)
  } finally {
    stopProgress()
    stopListening()
  }
  const seconds = (performance.now() - startedMs) / 1000
  return reportFile({ delivery, seconds, inputName: input.name, isJson: isJson && isQuiet })
}

/** Lines for stdout, written together: a write for each would cost more than the event. */
class ResultOutput {
  readonly #write: ResultWriter | null
  #text = ''

  constructor(write: ResultWriter | null) {
    this.#write = write
  }

  add(line: number, result: Parameters<ResultWriter>[1]): void {
    if (this.#write !== null) this.#text += `${this.#write(line, result)}\n`
  }

  flush(): void {
    if (this.#text !== '') process.stdout.write(this.#text)
    this.#text = ''
  }
}
