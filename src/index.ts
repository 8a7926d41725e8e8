export { Producer, type SendAllOptions, type SendOptions } from './producer/producer.ts'
export { diagnose, type DiagnosisStep } from './diagnose/diagnose.ts'
export type { WritableOptions } from './producer/writable.ts'
export type { RecordForTopic } from './producer/arguments.ts'
export type { CodecName, CompressFunction, CompressionSettings } from './compression/codec.ts'
export type { Logger, PartitionerFunction, ProducerOptions } from './producer/producer-options.ts'
export type { SaslOptions } from './sasl/sasl-options.ts'
export type { AwsCredentials } from './sasl/aws-credentials.ts'
export { regionOfHost } from './sasl/aws-region.ts'
export type { OAuthToken } from './sasl/oauth-messages.ts'
export type { TlsMaterial, TlsOptions } from './tls/tls-option-types.ts'
export { partitionerNames, type PartitionerName } from './partitioner/named.ts'
export type { Bytes, HeaderValue, ProducerRecord } from './producer/record.ts'
export { RecordMetadata } from './producer/record-metadata.ts'
export { BatchDeliveryError, type DeliveryReport } from './producer/delivery-report.ts'
export type { OfferCallback } from './producer/receipt.ts'
export type { ProducerStats } from './producer/stats.ts'
export type { PartitionInfo, TopicInfo } from './producer/topic-info.ts'
export {
  AuthenticationError,
  BrokerError,
  ConnectionError,
  DeliveryError,
  KafkaError,
  OptionError,
  ProtocolError,
  type AuthenticationErrorCode,
  type ConnectionErrorCode,
  type DeliveryErrorCode,
  type ErrorDetails,
  type OptionErrorCode,
  type ProtocolErrorCode,
} from './errors.ts'
export type { DiagnosticEvents } from './diagnostics.ts'
