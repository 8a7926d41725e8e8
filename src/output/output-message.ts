import type { KafkaError, ProducerRecord } from '../index.ts'

/** Whose rows a message holds, and who hears what becomes of it. */
export interface MessageOwner {
  delivered(message: OutputMessage): void
  /** It will never be delivered: the brokers refuse it, or it is too large for them. */
  refused(message: OutputMessage, error: KafkaError): void
  /** The output was closed first; whether it is written, `maybeWritten` says. */
  abandoned(message: OutputMessage, maybeWritten: boolean): void
  /** It is given to the producer again. */
  retried(message: OutputMessage, maybeWritten: boolean): void
}

/** A Kafka record on its way, with the rows in it. Kept until it has settled, so that it can be given again. */
export interface OutputMessage {
  readonly owner: MessageOwner
  /** Those with a lower number go first. */
  readonly order: number
  record: ProducerRecord
  readonly rowCount: number
  /** Number of the last row in it, as errors count. */
  readonly row: number
  /** Rows of the write up to and with it. Dropped rows right behind it are added. */
  lastRow: number
  /** When it was made, monotonic milliseconds. */
  readonly bornMs: number
  isSettled: boolean
  /** Delivered, or dropped: nobody need give its rows again. */
  isSafe: boolean
}
