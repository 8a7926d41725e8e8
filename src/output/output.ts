/** `headrace/output`: the Stream-Analytics-style Kafka output, and the pure parts that it is made of. */

export { KafkaOutput } from './kafka-output.ts'
export {
  compressionTypes,
  errorPolicies,
  missingKeyRules,
  outputPartitioners,
  saslMechanisms,
  securityProtocols,
  type CompressionType,
  type ErrorPolicy,
  type KafkaOutputOptions,
  type MissingKeyRule,
  type OutputPartitioner,
  type SaslMechanism,
  type SecurityProtocol,
  type SerializationOption,
} from './output-options.ts'
export type { OutputProblem } from './problems.ts'
export { validateOutput } from './resolve-options.ts'
export {
  outputFields,
  type OutputField,
  type OutputFieldChoice,
  type OutputFieldDependency,
  type OutputProperty,
} from './output-fields.ts'
export type { OutputRow, WriteOptions, WriteProgress, WriteReport } from './write-report.ts'
export { connectionSteps, type ConnectionStep, type ConnectionStepName } from './connection-step.ts'
export { OutputError, type OutputErrorCode } from './output-error.ts'
export { dataErrorLine, type DataErrorRecord } from './data-error.ts'
export type { OutputMetrics } from './output-metrics.ts'
export type { OutputDiagnosticEvents } from './output-diagnostics.ts'
export { ConversionError, type ConversionErrorCode, type DataErrorType } from './types/conversion-error.ts'
export { columnTypes, type Column, type ColumnType } from './types/column-type.ts'
export { RowReadError, type RowReadErrorCode } from './types/row-read-error.ts'
export { readNdjson, type NdjsonOptions, type ReadRow } from './types/ndjson.ts'
export { parseJsonRow, parseJsonValue } from './types/json-reader.ts'
export { DateTime, Row, type Value } from './types/value.ts'
export { KeyVaultError, type KeyVaultErrorCode } from './key-vault/key-vault-error.ts'
export type { KeyVaultOptions } from './key-vault/settings.ts'
export type { VaultFetch } from './key-vault/ask.ts'
