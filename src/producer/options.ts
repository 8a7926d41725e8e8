import type { CompressionSettings } from '../compression/codec.ts'
import { checkCompression } from '../compression/load-codec.ts'
import type { BrokerAddress } from '../connection/broker-address.ts'
import { parseBrokers } from '../connection/broker-address.ts'
import type { ClusterOptions } from '../cluster/cluster.ts'
import type { SocketHooks } from '../connection/socket-hooks.ts'
import { OptionError, type KafkaError } from '../errors.ts'
import { bool, custom, hook, int, notYet, resolve, show, text, type CrossRule, type Resolved } from '../options.ts'
import { checkPartitioner, quotedPartitionerNames } from '../partitioner/check-partitioner.ts'
import type { PartitionerName } from '../partitioner/named.ts'
import { checkSasl, type SaslSettings } from '../sasl/options.ts'
import { tlsSource, type TlsSource } from '../tls/tls-settings.ts'
import type { Idempotence } from './producer-id.ts'
import type { Logger, PartitionerFunction } from './producer-options.ts'

const MAX_INT32 = 2 ** 31 - 1
const DAY_MS = 86_400_000

/** The Producer's options: defaults are those of Java 4.x, except `lingerMs` (producer-semantics.md 1.8). */
export const producerOptionTable = Object.freeze({
  brokers: custom<ClusterOptions['brokers']>({
    type: 'string, list of strings, or async function giving either',
    kafka: 'bootstrap.servers',
    doc: 'Where to begin: `host:port`, several with commas. Any broker of the cluster will do.',
    defaultText: 'required',
    isRequired: true,
    check: checkBrokers,
  }),
  clientId: text({
    kafka: 'client.id',
    doc: 'How the brokers name us in logs, metrics and quotas.',
    default: 'headrace',
  }),
  acks: custom<-1 | 0 | 1>({
    type: "'all' (or -1), 1, 0",
    kafka: 'acks',
    doc: 'Who must have a record before it counts: all in-sync replicas, the leader, nobody. With `0` nobody tells us anything: offsets are `-1n`.',
    defaultText: "'all'",
    check(value) {
      if (value === undefined || value === 'all' || value === -1) return { value: -1 }
      return value === 0 || value === 1 ? { value } : { expected: "'all', 1 or 0" }
    },
  }),
  lingerMs: int({
    kafka: 'linger.ms',
    doc: 'How long a batch may wait for more records while its broker is busy. A record for a broker with nothing to do never waits; `0`: only what is sent in the same turn of the event loop, or while the partition is busy, shares a batch.',
    min: 0,
    max: 60_000,
    default: 0,
  }),
  batchBytes: int({
    kafka: 'batch.size',
    doc: 'A batch is closed at this size. One larger record goes alone.',
    min: 1,
    max: MAX_INT32,
    default: 16_384,
  }),
  maxRequestBytes: int({
    kafka: 'max.request.size',
    doc: 'No request, and so no record, is larger.',
    min: 1,
    max: MAX_INT32,
    default: 1_048_576,
  }),
  maxInFlightRequests: int({
    kafka: 'max.in.flight.requests.per.connection',
    doc: 'Requests out at once per broker. A partition is in at most five of them, in one without idempotence, so that retries keep its order.',
    min: 1,
    max: 1000,
    default: 5,
  }),
  maxBlockMs: int({
    kafka: 'max.block.ms',
    doc: 'How long `send` may wait to learn the partitions of a topic, and for room in `bufferBytes`.',
    min: 0,
    max: DAY_MS,
    default: 60_000,
  }),
  deliveryTimeoutMs: int({
    kafka: 'delivery.timeout.ms',
    doc: 'From `send` to its end, whatever happens: retries stop then.',
    min: 1,
    max: MAX_INT32,
    default: 120_000,
    allowInfinity: true,
  }),
  requestTimeoutMs: int({
    kafka: 'request.timeout.ms',
    doc: 'How long one request may go unanswered before its connection is given up.',
    min: 1,
    max: DAY_MS,
    default: 30_000,
  }),
  retryBackoffMs: int({
    kafka: 'retry.backoff.ms',
    doc: 'Wait before the first retry; doubles, give or take a fifth.',
    min: 0,
    max: DAY_MS,
    default: 100,
  }),
  retryBackoffMaxMs: int({
    kafka: 'retry.backoff.max.ms',
    doc: 'Longest wait between retries.',
    min: 0,
    max: DAY_MS,
    default: 1000,
  }),
  reconnectBackoffMs: int({
    kafka: 'reconnect.backoff.ms',
    doc: 'Wait before a broker is dialled again after a failure; doubles.',
    min: 0,
    max: DAY_MS,
    default: 50,
  }),
  reconnectBackoffMaxMs: int({
    kafka: 'reconnect.backoff.max.ms',
    doc: 'Longest wait before a broker is dialled again.',
    min: 0,
    max: DAY_MS,
    default: 1000,
  }),
  metadataMaxAgeMs: int({
    kafka: 'metadata.max.age.ms',
    doc: 'Metadata is asked for anew after this, even when nothing is wrong.',
    min: 1000,
    max: DAY_MS,
    default: 300_000,
  }),
  connectionsMaxIdleMs: int({
    kafka: 'connections.max.idle.ms',
    doc: 'Unused connections are closed after this; brokers do it after 10 minutes.',
    min: 1000,
    max: DAY_MS,
    default: 540_000,
  }),
  connectTimeoutMs: int({
    kafka: 'socket.connection.setup.timeout.ms',
    doc: 'How long a connection may take to come about.',
    min: 1,
    max: DAY_MS,
    default: 10_000,
  }),
  allowAutoTopicCreation: bool({
    kafka: 'allow.auto.create.topics',
    doc: 'Lets the cluster make topics that do not exist, if it is set up to do so.',
    default: true,
  }),
  partitioner: custom<PartitionerName | PartitionerFunction>({
    type: `${quotedPartitionerNames}, or \`(record, { topic, partitionCount, available }) => number\``,
    kafka: 'partitioner.class',
    doc: "`'default'`: explicit partition, else Java's murmur2 of the key, else sticky. `'round-robin'`: records without a key rotate one by one. The others are librdkafka's; docs/partitioning.md compares them.",
    defaultText: "'default'",
    check: checkPartitioner,
  }),
  compression: custom<CompressionSettings | null>({
    type: "'none', 'gzip', 'snappy', 'lz4', 'zstd', or `{ codec, level?, compress? }`",
    kafka: 'compression.type',
    doc: 'Codec of the batches. gzip needs no package; snappy: `snappy`; lz4: `lz4-napi`; zstd: Node >= 22.15, or `@mongodb-js/zstd`. `level`: gzip 1 to 9, zstd 1 to 22. A batch that compression makes larger goes out as it is.',
    defaultText: "'none'",
    check: checkCompression,
  }),
  createSocket: hook<NonNullable<SocketHooks['createSocket']>>({
    signature: '`({ nodeId, host, port, signal }) => Duplex`',
    doc: 'Makes the transport: proxies, tunnels, tests.',
  }),
  mapAddress: hook<NonNullable<SocketHooks['mapAddress']>>({
    signature: '`({ nodeId, host, port }) => { host, port }`',
    doc: 'Changes where we dial, nothing else.',
  }),
  connectGuard: hook<NonNullable<SocketHooks['connectGuard']>>({
    signature: '`({ host, port, address }) => void`',
    doc: 'Throws to refuse a resolved address.',
  }),
  logger: custom<Logger | undefined>({
    type: '`{ debug, info, warn, error }`, each `(fields, message) => void`',
    doc: "Gets what would be of interest in a log (pino's order of arguments). Without it headrace is silent.",
    defaultText: '-',
    check: checkLogger,
  }),
  idempotent: custom<boolean | null>({
    type: 'boolean',
    kafka: 'enable.idempotence',
    doc: 'Retries write no second copy. Unset: yes with `acks` all, and without where the brokers cannot or do not allow it, with one warning. `true`: fails then instead.',
    defaultText: "yes, with acks 'all'",
    check(value) {
      if (value === undefined) return { value: null }
      return typeof value === 'boolean' ? { value } : { expected: 'true or false' }
    },
  }),
  bufferBytes: int({
    kafka: 'buffer.memory',
    doc: 'Memory for records that have not settled; each is charged its bytes and 512 more. Beyond it `send` waits, `offer` says no; beyond twice as much `send` fails.',
    min: 1024,
    max: Number.MAX_SAFE_INTEGER,
    default: 33_554_432,
  }),
  onUndelivered: hook<(error: KafkaError) => void>({
    signature: '`(error) => void`',
    doc: 'Hears of records that nobody awaits: `offer` without a callback.',
  }),
  transactionalId: notYet<never>({ kafka: 'transactional.id', type: 'string', doc: 'Transactions.', neutral: [] }),
  transactionTimeoutMs: notYet<never>({
    kafka: 'transaction.timeout.ms',
    type: 'integer',
    doc: 'How long a transaction may stay open.',
    neutral: [],
  }),
  tls: custom<TlsSource | null>({
    type: '`true`, options of `tls.connect`, or a function returning either',
    kafka: 'ssl.*',
    doc: 'TLS, and with `cert` and `key` mutual TLS. PEM in any shape: text, Buffer, base64 without its header, one line. A function is asked at each connect.',
    defaultText: 'false',
    check: checkTls,
  }),
  sasl: custom<SaslSettings | undefined>({
    type: '`{ mechanism, ... }`',
    kafka: 'sasl.*',
    doc: "`'plain'`, `'scram-sha-256'`, `'scram-sha-512'` with `username` and `password`; `'oauthbearer'` with `token`; `'aws-msk-iam'` with `credentials`, `region`, `roleArn`. Secrets may be functions, asked at each login; docs/security.md.",
    defaultText: '-',
    check: checkSasl,
  }),
  allowPlaintextCredentials: bool({
    doc: 'Lets PLAIN and OAUTHBEARER send their secret without TLS to other machines, too; to a loopback address they always may.',
    default: false,
  }),
})

export type ResolvedProducerOptions = Resolved<typeof producerOptionTable>

const rules: readonly CrossRule<typeof producerOptionTable>[] = [
  [
    (o) => o.sasl?.mechanism !== 'AWS_MSK_IAM' || o.tls !== null,
    () => 'sasl: AWS_MSK_IAM is never used without TLS: set tls',
  ],
  [
    (o) => o.idempotent !== true || o.acks === -1,
    (o) =>
      `idempotent: true needs acks 'all', got ${o.acks}: without all replicas nothing can be known to be written once`,
  ],
  [
    (o) => o.deliveryTimeoutMs > o.lingerMs,
    (o) =>
      `deliveryTimeoutMs (${o.deliveryTimeoutMs}) is not longer than lingerMs (${o.lingerMs}): every record would expire`,
  ],
  [
    (o) => o.retryBackoffMaxMs >= o.retryBackoffMs,
    (o) => `retryBackoffMaxMs (${o.retryBackoffMaxMs}) is below retryBackoffMs (${o.retryBackoffMs})`,
  ],
  [
    (o) => o.reconnectBackoffMaxMs >= o.reconnectBackoffMs,
    (o) => `reconnectBackoffMaxMs (${o.reconnectBackoffMaxMs}) is below reconnectBackoffMs (${o.reconnectBackoffMs})`,
  ],
]

/** What other clients call the same thing. */
const foreignNames: Readonly<Record<string, string>> = {
  'bootstrap.servers': 'use brokers',
  'metadata.broker.list': 'use brokers',
  bootstrapBrokers: 'use brokers',
  bootstrapServers: 'use brokers',
  'client.id': 'use clientId',
  ssl: 'use tls',
  'security.protocol': 'use tls and sasl',
  retry: 'use retryBackoffMs and retryBackoffMaxMs; retries go on until deliveryTimeoutMs',
  retries: 'retries go on until deliveryTimeoutMs',
  messages: 'records are given to send() or sendAll()',
  createPartitioner: 'use partitioner',
  logLevel: 'use logger',
  logCreator: 'use logger',
  connectionTimeout: 'use connectTimeoutMs',
  requestTimeout: 'use requestTimeoutMs',
  timeout: 'use requestTimeoutMs or deliveryTimeoutMs',
  'queue.buffering.max.ms': 'use lingerMs',
  ...Object.fromEntries(
    Object.entries(producerOptionTable).flatMap(([name, { kafka }]) =>
      kafka?.includes('.') ? [[kafka, `use ${name}`]] : [],
    ),
  ),
}

/** @throws {OptionError} every problem at once. */
export function resolveProducerOptions(input: unknown): ResolvedProducerOptions {
  return resolve(input, { where: 'Producer', table: producerOptionTable, rules, foreignNames })
}

/** Asked for, taken for granted, or neither. */
export function idempotenceOf({ idempotent, acks }: ResolvedProducerOptions): Idempotence {
  if (idempotent === null) return acks === -1 ? 'preferred' : 'off'
  return idempotent ? 'required' : 'off'
}

function checkBrokers(value: unknown): ReturnType<(typeof producerOptionTable)['brokers']['check']> {
  if (typeof value === 'function') {
    const ask = value as () => Promise<unknown>
    return { value: async () => parsedBrokers(await ask()) }
  }
  if (value === undefined) return { expected: 'host:port, such as localhost:9092' }
  const parsed = parseBrokers(value)
  if ('problem' in parsed) return { problem: parsed.problem }
  return { value: Object.assign(() => Promise.resolve(parsed.addresses), { isFixed: true }) }
}

function parsedBrokers(value: unknown): readonly BrokerAddress[] {
  const parsed = parseBrokers(value)
  if ('addresses' in parsed) return parsed.addresses
  const what = `brokers: the function gave ${show(value)}: ${parsed.problem}`
  throw new OptionError('INVALID_OPTIONS', `Producer: INVALID_OPTIONS: ${what}`)
}

/** Nothing of what is given is shown: keys are in it. */
function checkTls(value: unknown): { value: TlsSource | null } | { problem: string } {
  if (value === undefined || value === false) return { value: null }
  try {
    return { value: tlsSource(value) }
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    return { problem: error.message.replace(/^tls: [A-Z_]+: /, '') }
  }
}

function checkLogger(value: unknown): { value: Logger | undefined } | { expected: string } {
  if (value === undefined) return { value: undefined }
  const levels = ['debug', 'info', 'warn', 'error'] as const
  const isLogger =
    typeof value === 'object' &&
    value !== null &&
    levels.every((level) => typeof (value as Partial<Logger>)[level] === 'function')
  return isLogger ? { value: value as Logger } : { expected: 'an object with debug, info, warn and error' }
}
