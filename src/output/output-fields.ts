import {
  compressionTypes,
  missingKeyRules,
  outputPartitioners,
  saslMechanisms,
  securityProtocols,
  type KafkaOutputOptions,
} from './output-options.ts'
import { avroFramings } from './serialize/avro-settings.ts'
import { fieldDelimiters } from './serialize/serialization.ts'

/** The properties of the output, as data: enough to draw a form from. Labels are those of the Azure portal, where it has one. */

export interface OutputFieldChoice {
  readonly label: string
  readonly value: string
}

/** When a form shows the field: the other one has one of these values. */
export interface OutputFieldDependency {
  readonly property: OutputProperty
  readonly values: readonly string[]
}

/** In the options; a dot leads into an object: `keyVault.vaultName`. */
export type OutputProperty =
  | Exclude<keyof KafkaOutputOptions, 'clock'>
  | `keyVault.${'vaultName' | 'vaultUrl' | 'truststoreSecret' | 'clientCertificateSecret' | 'refreshIntervalMs'}`
  | `keyVault.identity.${'type' | 'clientId'}`
  | `serialization.${'type' | 'encoding' | 'format' | 'fieldDelimiter'}`

export interface OutputField {
  readonly property: OutputProperty
  readonly label: string
  readonly type: 'string' | 'password' | 'integer' | 'boolean' | 'object' | 'list'
  readonly required: boolean
  readonly description: string
  readonly default?: string | number | boolean
  readonly choices?: readonly OutputFieldChoice[]
  readonly dependsOn?: OutputFieldDependency
}

const withLogin: OutputFieldDependency = {
  property: 'securityProtocol',
  values: ['SASL_SSL', 'SASL_PLAINTEXT', 'mTLS'],
}
const withTls: OutputFieldDependency = { property: 'securityProtocol', values: ['SASL_SSL', 'mTLS'] }
const onlyJson: OutputFieldDependency = { property: 'serialization.type', values: ['Json'] }
const onlyCsv: OutputFieldDependency = { property: 'serialization.type', values: ['Csv'] }
const onlyAvro: OutputFieldDependency = { property: 'serialization.type', values: ['Avro'] }
const DELIMITER_NAMES = ['comma', 'semicolon', 'space', 'tab', 'vertical bar'] as const

/** In the order of the form. */
export const outputFields: readonly OutputField[] = deepFreeze<readonly OutputField[]>([
  {
    ...{ property: 'outputAlias', label: 'Output Alias', type: 'string', required: true },
    description: 'Name of the output, as a query says INTO [alias]. It stands in errors, logs and metrics.',
  },
  {
    ...{ property: 'bootstrapServers', label: 'Bootstrap server addresses', type: 'string', required: true },
    description:
      'Where to begin: host:port of one broker or, with commas, of several. The other brokers are found from there.',
  },
  {
    ...{ property: 'topic', label: 'Kafka topic', type: 'string', required: true },
    description: 'The topic that all rows go to. One name, no expression.',
  },
  {
    ...{ property: 'securityProtocol', label: 'Security Protocol', type: 'string', required: true },
    choices: choices(securityProtocols),
    description:
      'mTLS: TLS, and a client certificate says who we are. SASL_SSL: TLS and a login. SASL_PLAINTEXT: a login, and everything travels readable. None: neither.',
  },
  {
    ...{ property: 'serialization.type', label: 'Event Serialization format', type: 'string', required: true },
    ...{ default: 'Json', choices: choices(['Json', 'Csv', 'Avro']) },
    description: 'What rows become. serialization takes the REST object of Stream Analytics verbatim, too.',
  },
  {
    ...{ property: 'serialization.encoding', label: 'Encoding', type: 'string', required: false, default: 'UTF8' },
    choices: choices(['UTF8']),
    description: 'UTF-8 is the only encoding.',
  },
  {
    ...{ property: 'serialization.format', label: 'Format', type: 'string', required: false, dependsOn: onlyJson },
    ...{ default: 'LineSeparated', choices: choices(['LineSeparated', 'Array']) },
    description: 'Line separated: objects with line feeds between them. Array: one array of objects.',
  },
  {
    ...{ property: 'serialization.fieldDelimiter', label: 'Delimiter', type: 'string', required: false },
    ...{ default: ',', dependsOn: onlyCsv },
    choices: fieldDelimiters.map((value, i) => ({ label: DELIMITER_NAMES[i] ?? value, value })),
    description: 'What stands between two values of a line.',
  },
  {
    ...{ property: 'partitionKey', label: 'Partition key', type: 'string', required: false },
    description:
      'The column whose value is the key of the record and chooses its partition. Blank: no key, partitions in turn.',
  },
  {
    ...{ property: 'compressionType', label: 'Kafka event compression type', type: 'string', required: false },
    ...{ default: 'None', choices: choices(compressionTypes) },
    description: 'Codec of the batches. Snappy, Lz4 and, on older versions of Node, Zstd need a package.',
  },
  {
    ...{ property: 'username', label: 'Username', type: 'string', required: false, dependsOn: withLogin },
    description: 'The user to log in as; in Confluent Cloud the API key.',
  },
  {
    ...{ property: 'password', label: 'Password', type: 'password', required: false, dependsOn: withLogin },
    description: 'The password of that user; in Confluent Cloud the API secret.',
  },
  {
    ...{ property: 'saslMechanism', label: 'SASL mechanism', type: 'string', required: false, dependsOn: withLogin },
    ...{ default: 'PLAIN', choices: choices(saslMechanisms) },
    description: 'How to log in. OAuth is not supported, as in Stream Analytics.',
  },
  {
    ...{ property: 'keyVault.vaultName', label: 'Key vault name', type: 'string', required: false, dependsOn: withTls },
    description: 'The Azure Key Vault that holds the certificates, read with the managed identity of this machine.',
  },
  {
    ...{ property: 'keyVault.vaultUrl', label: 'Key vault address', type: 'string', required: false },
    dependsOn: withTls,
    description: 'Instead of the name, for the national clouds: https://<name>.vault.azure.cn.',
  },
  {
    ...{ property: 'keyVault.truststoreSecret', label: 'Truststore certificates', type: 'string', required: false },
    dependsOn: withTls,
    description:
      'Name of the secret with the authorities to trust, PEM. Blank: those of the system, right for Confluent Cloud.',
  },
  {
    ...{ property: 'keyVault.clientCertificateSecret', label: 'Client certificate', type: 'string', required: false },
    dependsOn: withTls,
    description: 'Name of the secret with certificate, chain and private key in one PEM. mTLS needs it.',
  },
  {
    ...{ property: 'keyVault.identity.type', label: 'Managed identity', type: 'string', required: false },
    ...{ default: 'SystemAssigned', choices: choices(['SystemAssigned', 'UserAssigned']), dependsOn: withTls },
    description: 'Which identity of this machine reads the vault.',
  },
  {
    ...{ property: 'keyVault.identity.clientId', label: 'Client ID', type: 'string', required: false },
    dependsOn: { property: 'keyVault.identity.type', values: ['UserAssigned'] },
    description: 'Of a user-assigned identity.',
  },
  {
    ...{ property: 'keyVault.refreshIntervalMs', label: 'Refresh interval (ms)', type: 'integer', required: false },
    ...{ default: 0, dependsOn: withTls },
    description: 'How often at most the vault is asked for new versions of the secrets, from 1000. 0: never.',
  },
  {
    ...{ property: 'errorPolicy', label: 'Output data error handling', type: 'string', required: false },
    default: 'Retry',
    choices: choices(['Retry', 'Stop', 'Drop']),
    description:
      'What becomes of a row that cannot be converted. Retry (Stop in REST): it is tried again, and blocks those behind it. Drop: it is counted and left out.',
  },
  {
    ...{ property: 'columns', label: 'Columns', type: 'list', required: false },
    description: 'Types of columns: { name, type }. Other columns have the type of their values.',
  },
  {
    ...{ property: 'rowsPerMessage', label: 'Rows per message', type: 'integer', required: false, default: 1 },
    description: 'At most so many rows become one Kafka record. With a partition key, rows with the same key.',
  },
  {
    ...{ property: 'bytesPerMessage', label: 'Bytes per message', type: 'integer', required: false },
    description: 'A message with several rows is closed before it would grow beyond. Blank: the largest size.',
  },
  {
    ...{ property: 'header', label: 'Header row', type: 'boolean', required: false, default: true },
    dependsOn: onlyCsv,
    description: 'Every message begins with the names of its columns.',
  },
  {
    ...{ property: 'newline', label: 'Line end', type: 'string', required: false, default: '\r\n', dependsOn: onlyCsv },
    choices: [
      { label: 'CR LF', value: '\r\n' },
      { label: 'LF', value: '\n' },
    ],
    description: 'What stands between two lines.',
  },
  {
    ...{ property: 'avroFraming', label: 'Avro framing', type: 'string', required: false, default: 'container' },
    ...{ choices: choices(avroFramings), dependsOn: onlyAvro },
    description:
      'container: an object container file, schema included. raw: the bare bytes of one row. confluent: those, after a zero byte and the id of the schema.',
  },
  {
    ...{ property: 'avroSchema', label: 'Avro schema', type: 'object', required: false, dependsOn: onlyAvro },
    description: 'Schema of a record. Blank: derived from the columns, each of them nullable.',
  },
  {
    ...{ property: 'schemaId', label: 'Schema ID', type: 'integer', required: false },
    dependsOn: { property: 'avroFraming', values: ['confluent'] },
    description: 'Under which the schema registry knows the schema.',
  },
  {
    ...{ property: 'partitioner', label: 'Partitioner', type: 'string', required: false, default: 'murmur2' },
    choices: choices(outputPartitioners),
    description:
      'How a key finds its partition: murmur2, as Java clients do it, or CRC-32, as librdkafka does by default.',
  },
  {
    ...{ property: 'missingPartitionKey', label: 'Missing partition key', type: 'string', required: false },
    ...{ default: 'error', choices: choices(missingKeyRules) },
    description: 'A row without a value in the partition key: it cannot be converted, or it goes to any partition.',
  },
  {
    ...{ property: 'timestampColumn', label: 'Timestamp column', type: 'string', required: false },
    description: 'A column of type datetime, such as System.Timestamp() of the query: the time of the record.',
  },
  {
    ...{ property: 'maxMessageBytes', label: 'Maximum message size (bytes)', type: 'integer', required: false },
    default: 1_000_000,
    description: 'A row whose record, key included, is larger cannot be converted. Keep it below that of the topic.',
  },
])

function choices(values: readonly string[]): OutputFieldChoice[] {
  return values.map((value) => ({ label: value, value }))
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const member of Object.values(value)) deepFreeze(member)
  return Object.freeze(value)
}
