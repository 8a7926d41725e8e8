import type { Logger, ProducerOptions } from '../index.ts'
import type { Login } from './check-security.ts'
import type { DataErrorRecord } from './data-error.ts'
import type { VaultFetch } from './key-vault/ask.ts'
import type { KeyVaultSettings } from './key-vault/settings.ts'
import type { OutputClock } from './output-clock.ts'
import type {
  CompressionType,
  ErrorPolicy,
  MissingKeyRule,
  OutputPartitioner,
  SecurityProtocol,
} from './output-options.ts'
import type { ResolvedFormat } from './resolve-format.ts'

/** The options of an output, checked, with defaults. */
export interface ResolvedOutputOptions extends ResolvedFormat {
  readonly outputAlias: string
  readonly bootstrapServers: string | readonly string[]
  readonly topic: string
  readonly securityProtocol: SecurityProtocol
  readonly login: Login | null
  readonly keyVault: KeyVaultSettings | null
  readonly compressionType: CompressionType
  readonly errorPolicy: ErrorPolicy
  readonly partitionKey: string | null
  readonly partitioner: OutputPartitioner
  readonly missingPartitionKey: MissingKeyRule
  readonly timestampColumn: string | null
  readonly fetch: VaultFetch | undefined
  readonly producer: Partial<ProducerOptions>
  readonly logger: Logger | undefined
  readonly onDataError: ((record: DataErrorRecord) => void) | undefined
  readonly clock: OutputClock
}
