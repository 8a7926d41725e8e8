/**
 * The errors that headrace gives. One class per layer that can fail, one `code` per case (DESIGN.md, "Errors").
 *
 * Messages read `Where: CODE (number): what, with the offending value and its limit`. They never hold a secret or the
 * contents of a record.
 */

/** What a caller wants to know after a failure, next to the message. */
export interface ErrorDetails {
  /** Sending again may succeed. Together with `maybeWritten` it may also write a second copy. */
  readonly retriable?: boolean
  /** The record may be in the log although this error was given. `false` is a promise: it is not. */
  readonly maybeWritten?: boolean
  readonly topic?: string | undefined
  readonly partition?: number | undefined
  /** The producer can do nothing more and must be made anew. */
  readonly fatal?: boolean
  /** How often the batch was handed to a broker. */
  readonly attempts?: number | undefined
  /** For how long the broker wants to be left alone, milliseconds: a quota. */
  readonly throttleMs?: number | undefined
  readonly cause?: unknown
}

/** Base of every error of headrace; `code` is stable and meant for programs, `message` for people. */
export abstract class KafkaError extends Error {
  abstract readonly code: string
  readonly retriable: boolean
  readonly maybeWritten: boolean
  /** The open transaction must be aborted. Always false until transactions are there. */
  readonly abortable: boolean = false
  /** The producer can do nothing more and must be made anew. */
  readonly fatal: boolean
  declare readonly topic?: string
  declare readonly partition?: number
  declare readonly attempts?: number
  /** For how long the broker that this is about does not read from us, milliseconds (a quota); absent: it does. */
  declare readonly throttleMs?: number

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.retriable = details.retriable ?? false
    this.maybeWritten = details.maybeWritten ?? false
    this.fatal = details.fatal ?? false
    if (details.topic !== undefined) this.topic = details.topic
    if (details.partition !== undefined) this.partition = details.partition
    if (details.attempts !== undefined) this.attempts = details.attempts
    if (details.throttleMs !== undefined) this.throttleMs = details.throttleMs
  }
}

export type OptionErrorCode =
  | 'INVALID_OPTIONS' // one or more options are unknown, missing or out of range; the message lists all of them
  | 'INVALID_RECORD' // a record that cannot be sent as it is: no topic, no value, a header that is not bytes
  | 'INVALID_ARGUMENT' // an argument of a call is of the wrong kind
  | 'CODEC_UNAVAILABLE' // a codec needs a package that is not installed; the message has the command that installs it
  | 'NOT_AVAILABLE_YET' // the option belongs to the contract, this version of headrace does not have it

/** The program asked for something impossible. Nothing was sent, trying again is useless. */
export class OptionError extends KafkaError {
  override readonly name = 'OptionError'
  readonly code: OptionErrorCode
  constructor(code: OptionErrorCode, message: string, details?: ErrorDetails) {
    super(message, details)
    this.code = code
  }
}

export type ConnectionErrorCode =
  | 'HOST_NOT_FOUND' // the host name does not resolve
  | 'CONNECTION_REFUSED' // nothing listens on the port
  | 'CONNECT_TIMEOUT' // no connection within connectTimeoutMs
  | 'CONNECTION_FAILED' // any other failure to connect; `cause` has the system's error
  | 'CONNECTION_CLOSED' // the peer closed or reset the connection
  | 'CLOSED_BY_CLIENT' // we closed it: idle, or the producer was closed
  | 'REQUEST_TIMEOUT' // no answer within requestTimeoutMs
  | 'PEER_SPEAKS_HTTP' // the port answers HTTP, not Kafka
  | 'PEER_SPEAKS_TLS' // the port speaks TLS, we speak plaintext
  | 'PEER_NOT_TLS' // we speak TLS, the port does not
  | 'TLS_VERSION_REFUSED' // no version of TLS that both sides allow
  | 'TLS_FAILED' // any other failure of TLS; `cause` has OpenSSL's error
  | 'TLS_OPTIONS_FAILED' // the function given as `tls` failed, or returned what does not fit
  | 'CLUSTER_MISMATCH' // the address leads to another cluster than the first one; nothing is sent to it
  | 'BOOTSTRAP_FAILED' // none of several bootstrap addresses could be used; the message says why for each

/** The network, or what is at its other end. */
export class ConnectionError extends KafkaError {
  override readonly name = 'ConnectionError'
  readonly code: ConnectionErrorCode
  constructor(code: ConnectionErrorCode, message: string, details?: ErrorDetails) {
    super(message, details)
    this.code = code
  }
}

export type AuthenticationErrorCode =
  | 'SASL_AUTHENTICATION_FAILED' // the broker refuses these credentials, or could not prove that it knows them
  | 'UNSUPPORTED_SASL_MECHANISM' // the broker does not have this mechanism; the message lists those that it has
  | 'ILLEGAL_SASL_STATE' // the listener wants no SASL
  | 'CREDENTIALS_UNAVAILABLE' // a function that gives a password, token or keys failed, or took too long
  | 'PLAINTEXT_CREDENTIALS_REFUSED' // by us: the secret would travel readable by all; see allowPlaintextCredentials
  | 'CERTIFICATE_EXPIRED'
  | 'CERTIFICATE_NOT_YET_VALID'
  | 'CERTIFICATE_HOST_MISMATCH' // it is for another host, or has no host name but in its common name
  | 'CERTIFICATE_REFUSED' // by the user's own checkServerIdentity
  | 'CERTIFICATE_UNTRUSTED' // signed by an authority that is not in `tls.ca`
  | 'CERTIFICATE_SELF_SIGNED'
  | 'CERTIFICATE_CHAIN_INCOMPLETE' // who signed it is neither known nor sent
  | 'CERTIFICATE_PURPOSE' // not for servers
  | 'CERTIFICATE_TOO_WEAK' // a key too short, or a digest too old, for OpenSSL
  | 'CERTIFICATE_REVOKED'
  | 'CERTIFICATE_INVALID' // anything else that OpenSSL says about it
  | 'CLIENT_CERTIFICATE_REQUIRED'
  | 'CLIENT_CERTIFICATE_REFUSED'

/** The broker does not let us in, or could not prove who it is. */
export class AuthenticationError extends KafkaError {
  override readonly name = 'AuthenticationError'
  readonly code: AuthenticationErrorCode
  constructor(code: AuthenticationErrorCode, message: string, details?: ErrorDetails) {
    super(message, details)
    this.code = code
  }
}

export type ProtocolErrorCode =
  | 'INVALID_FRAME' // a frame length that cannot be, or is over the cap
  | 'CORRELATION_MISMATCH' // an answer to a question that was not asked
  | 'TRUNCATED' // the bytes end before the message does
  | 'TRAILING_BYTES' // the message ends before the bytes do
  | 'INVALID_VALUE' // a length, count, varint, tag or CRC that cannot be
  | 'UNSUPPORTED_VERSION' // no version of an API that both sides know
  | 'NOT_REPRESENTABLE' // a value that the chosen version of a message cannot carry

/** Bytes that are not the Kafka protocol, or not as we know it. */
export class ProtocolError extends KafkaError {
  override readonly name = 'ProtocolError'
  readonly code: ProtocolErrorCode
  constructor(code: ProtocolErrorCode, message: string, details?: ErrorDetails) {
    super(message, details)
    this.code = code
  }
}

/** The broker answered with an error. `code` is Kafka's name for it, `errorCode` its number. */
export class BrokerError extends KafkaError {
  override readonly name = 'BrokerError'
  readonly code: string
  readonly errorCode: number
  constructor(code: string, errorCode: number, message: string, details?: ErrorDetails) {
    super(message, details)
    this.code = code
    this.errorCode = errorCode
  }
}

export type DeliveryErrorCode =
  | 'RECORD_TOO_LARGE' // over maxRequestBytes or bufferBytes; nothing was sent
  | 'BUFFER_FULL' // bufferBytes had no room within maxBlockMs, or twice as much is waiting already; nothing was sent
  | 'UNKNOWN_PARTITION' // the record names a partition that the topic does not have; nothing was sent
  | 'PARTITIONER_FAILED' // a custom partitioner threw or gave no valid partition; nothing was sent
  | 'COMPRESSION_FAILED' // the codec threw; nothing was sent
  | 'METADATA_TIMEOUT' // the topic's partitions were not known within maxBlockMs; nothing was sent
  | 'DELIVERY_TIMEOUT' // not acknowledged within deliveryTimeoutMs
  | 'DELIVERY_UNCERTAIN' // may be written; nothing told, and it cannot be sent again without the danger of a second copy
  | 'BATCH_REJECTED' // the broker refused other records of the same batch; this one may be sent again
  | 'SEQUENCE_DESYNC' // a broker acknowledged new records as if they were old ones; fatal
  | 'FLUSH_TIMEOUT' // flush gave up waiting; the records go on
  | 'ABORTED' // an AbortSignal; see maybeWritten
  | 'CLOSED' // the producer was closed first

/** headrace gave up on a record (or on waiting for records). */
export class DeliveryError extends KafkaError {
  override readonly name = 'DeliveryError'
  readonly code: DeliveryErrorCode
  constructor(code: DeliveryErrorCode, message: string, details?: ErrorDetails) {
    super(message, details)
    this.code = code
  }
}
