import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { DiagnosticEvents } from '../../index.ts'
import type { OutputDiagnosticEvents } from '../../output/output.ts'
import { counted, grouped, seconds } from '../numbers.ts'
import { oneLine, printNote } from '../terminal.ts'

type Events = OutputDiagnosticEvents & DiagnosticEvents

/** The same trouble is told again after so long. */
const TELL_EVERY_MS = 10_000

/** What the output and the engine tell while they work, for the people at the terminal and for the summary. */
export class OutputWatch {
  /** Records that were sent again. */
  retried = 0
  /** Of those, some may have been written by the attempt before; without idempotence they are there twice then. */
  uncertain = 0
  /** Values and keys of what was delivered, as batches. */
  bytes = 0
  /** A row that cannot be converted is in the way of all behind it. */
  isBlocked = false
  readonly partitions = new Map<number, number>()
  #tellStarted: () => void = () => undefined
  /** The line about the topic and the brokers is out. They are asked on the side, which may take longer than a few rows. */
  readonly started = new Promise<void>((resolve) => (this.#tellStarted = resolve))
  readonly #topic: string
  readonly #alias: string
  readonly #stops: (() => void)[] = []
  #toldMs = -TELL_EVERY_MS

  constructor({ outputAlias, topic }: { readonly outputAlias: string; readonly topic: string }, onBlocked: () => void) {
    this.#topic = topic
    this.#alias = outputAlias
    this.#listen('headrace:output:started', (event) => this.#onStarted(event))
    this.#listen('headrace:output:blocked', (event) => {
      this.#onBlocked(event)
      onBlocked()
    })
    this.#listen('headrace:output:unblocked', ({ row }) => {
      this.isBlocked = false
      printNote(`row ${grouped(row)} could be converted`)
    })
    this.#listen('headrace:output:retry', ({ error, delayMs, rows }) => {
      const what = rows === 0 ? 'nothing can be sent yet' : `${counted(rows, 'row')} could not be delivered yet`
      this.#tell(`${what}: ${error.message}; trying again in ${seconds(delayMs / 1000)}`)
    })
    this.#listen('headrace:batch:retry', (event) => this.#onRetry(event))
    this.#listen('headrace:batch:delivered', ({ topic: of, partition, records, bytes }) => {
      if (of !== topic) return
      this.bytes += bytes
      this.partitions.set(partition, (this.partitions.get(partition) ?? 0) + records)
    })
  }

  stop(): void {
    for (const stop of this.#stops) stop()
  }

  #listen<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): void {
    const onMessage = (message: unknown): void => {
      const event = message as Events[Name]
      if (!('outputAlias' in event) || event.outputAlias === this.#alias) listener(event)
    }
    subscribe(name, onMessage)
    this.#stops.push(() => void unsubscribe(name, onMessage))
  }

  #onStarted({ topic, partitions, lacks }: Events['headrace:output:started']): void {
    const where = partitions === null ? '' : ` (${counted(partitions, 'partition')})`
    printNote(`writing to ${JSON.stringify(topic)}${where}`)
    for (const lack of lacks) printNote(`the brokers lack ${lack}`)
    this.#tellStarted()
  }

  #onBlocked({ row, attempts, delayMs, error }: Events['headrace:output:blocked']): void {
    this.isBlocked = true
    const again = `tried again in ${seconds(delayMs / 1000)} (attempt ${attempts})`
    printNote(`row ${grouped(row)} is in the way of all behind it: ${oneLine(error.message)}; ${again}`)
  }

  #onRetry({ topic, records, maybeWritten, error }: Events['headrace:batch:retry']): void {
    if (topic !== this.#topic) return
    this.retried += records
    if (maybeWritten) this.uncertain += records
    this.#tell(`sending again: ${error.message}`)
  }

  #tell(sentence: string): void {
    const nowMs = performance.now()
    if (nowMs - this.#toldMs < TELL_EVERY_MS) return
    this.#toldMs = nowMs
    printNote(oneLine(sentence))
  }
}
