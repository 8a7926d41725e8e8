import type { KafkaError } from '../index.ts'
import type { DataErrorRecord } from './data-error.ts'
import type { VaultRefresh } from './key-vault/vault-tls.ts'
import type { ConversionError } from './types/conversion-error.ts'
import type { WriteReport } from './write-report.ts'

/** What `diagnostics_channel` is told. No contents of rows, no secrets. */
export interface OutputDiagnosticEvents {
  /** The first row may go. `lacks`: what the brokers are too old for, in words. */
  'headrace:output:started': { outputAlias: string; topic: string; partitions: number | null; lacks: readonly string[] }
  /** Rows that could not be converted. */
  'headrace:output:data-error': { outputAlias: string; record: Omit<DataErrorRecord, 'ExampleEvents'> }
  /** Policy Retry: this row is in the way of all behind it, and is tried again in `delayMs`. */
  'headrace:output:blocked': {
    outputAlias: string
    row: number
    attempts: number
    delayMs: number
    error: ConversionError
  }
  /** A row that was in the way could be converted. */
  'headrace:output:unblocked': { outputAlias: string; row: number; attempts: number }
  /** `rows` were not delivered, and are given to the producer again in `delayMs`; 0 rows: nothing is sent yet. */
  'headrace:output:retry': { outputAlias: string; rows: number; delayMs: number; error: KafkaError }
  /** The oldest of `rows` that were sent is not acknowledged for `waitedMs`; it is still tried. Told once a minute. */
  'headrace:output:stalled': { outputAlias: string; rows: number; waitedMs: number }
  /** A write has ended. */
  'headrace:output:written': { outputAlias: string; report: WriteReport; error: Error | null }
  /** The secrets of the vault were looked at again, and something came of it. */
  'headrace:output:secrets': { outputAlias: string; refresh: VaultRefresh }
}
