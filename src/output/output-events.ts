import { channel } from 'node:diagnostics_channel'
import type { KafkaError, Logger } from '../index.ts'
import { callUnheeded } from './call-unheeded.ts'
import type { DataErrorRecord } from './data-error.ts'
import type { VaultRefresh } from './key-vault/vault-tls.ts'
import type { OutputDiagnosticEvents } from './output-diagnostics.ts'
import type { ConversionError } from './types/conversion-error.ts'
import type { WriteReport } from './write-report.ts'

interface Listeners {
  readonly outputAlias: string
  readonly topic: string
  readonly logger: Logger | undefined
  readonly onDataError: ((record: DataErrorRecord) => void) | undefined
}

type Own<Name extends keyof OutputDiagnosticEvents> = Omit<OutputDiagnosticEvents[Name], 'outputAlias'>

/** Tells logger, `diagnostics_channel` and sink what happens, each in its words. What they throw is their own affair. */
export class OutputEvents {
  readonly #listeners: Listeners
  /** Failures that were tried again, or that ended a write. */
  runtimeErrors = 0

  constructor(listeners: Listeners) {
    this.#listeners = listeners
  }

  get hasListeners(): boolean {
    return this.#listeners.logger !== undefined || channel('headrace:output:started').hasSubscribers
  }

  started(partitions: number | null, kafka: string | null, lacks: readonly string[]): void {
    const { topic } = this.#listeners
    this.#publish('headrace:output:started', { topic, partitions, lacks })
    const shape = partitions === null ? '' : `, ${partitions} partition${partitions === 1 ? '' : 's'}`
    const broker = kafka === null ? '' : `; the broker is most likely Kafka ${kafka}`
    const lack = lacks.length === 0 ? '' : `, which lacks: ${lacks.join('; ')}`
    this.#log('info', { topic, partitions, kafka, lacks }, `writes to topic ${topic}${shape}${broker}${lack}`)
  }

  warnOf(message: string, fields: object = {}): void {
    this.#log('warn', fields, message)
  }

  dataError(record: DataErrorRecord): void {
    const { ExampleEvents, ...contentless } = record
    this.#publish('headrace:output:data-error', { record: contentless })
    callUnheeded(() => this.#listeners.onDataError?.({ ...contentless, ExampleEvents }))
    const { EventCount, Message } = record
    const count = EventCount === 1 ? '' : `${EventCount} events, the first: `
    this.#log('warn', { dataError: contentless }, `data error: ${count}${Message}`)
  }

  blocked(row: number, attempts: number, delayMs: number, error: ConversionError): void {
    this.#publish('headrace:output:blocked', { row, attempts, delayMs, error })
    const what = `row ${row} blocks all behind it: tried ${attempts} times, again in ${delayMs} ms: ${error.message}`
    this.#log('warn', { row, attempts, delayMs, err: error }, what)
  }

  unblocked(row: number, attempts: number): void {
    this.#publish('headrace:output:unblocked', { row, attempts })
    this.#log('info', { row, attempts }, `row ${row} could be converted, after ${attempts} attempts that failed`)
  }

  retry(rows: number, delayMs: number, error: KafkaError): void {
    this.runtimeErrors++
    this.#publish('headrace:output:retry', { rows, delayMs, error })
    const what = rows === 0 ? 'not ready yet' : `${rows} rows were not delivered`
    this.#log('warn', { rows, delayMs, err: error }, `${what}, tried again in ${delayMs} ms: ${error.message}`)
  }

  stalled(rows: number, waitedMs: number): void {
    this.#publish('headrace:output:stalled', { rows, waitedMs })
    const { topic } = this.#listeners
    const what = `${rows} rows are sent and not acknowledged, the oldest for ${Math.floor(waitedMs / 1000)} s; still trying`
    this.#log('warn', { topic, rows, waitedMs }, `${what}: is topic ${topic} there, and have its partitions leaders?`)
  }

  written(report: WriteReport, error: Error | null): void {
    if (error !== null) this.runtimeErrors++
    this.#publish('headrace:output:written', { report, error })
    if (error !== null) this.#log('error', { report, err: error }, error.message)
  }

  secrets(refresh: VaultRefresh): void {
    this.#publish('headrace:output:secrets', { refresh })
    if (refresh.kind === 'renewed') {
      const { versions, previous } = refresh
      this.#log('info', { versions, previous }, 'secrets have new versions; new connections use them')
      return
    }
    const { error } = refresh
    const why = error instanceof Error ? error.message : String(error)
    this.#log('warn', { err: error }, `secrets could not be looked at again, the old ones are used further: ${why}`)
  }

  #publish<Name extends keyof OutputDiagnosticEvents>(name: Name, event: Own<Name>): void {
    const { outputAlias } = this.#listeners
    const target = channel(name)
    if (target.hasSubscribers) target.publish({ outputAlias, ...event })
  }

  #log(level: keyof Logger, fields: object, message: string): void {
    const { outputAlias, logger } = this.#listeners
    callUnheeded(() => logger?.[level]({ outputAlias, ...fields }, `output ${outputAlias}: ${message}`))
  }
}
