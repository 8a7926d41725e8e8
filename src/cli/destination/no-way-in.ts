import { KafkaError } from '../../index.ts'
import { oneLine } from '../terminal.ts'

/** Kafka cannot be reached, or does not let us in; nothing was sent. */
export class NoWayIn extends Error {
  override readonly name = 'NoWayIn'
  /** Trying again may help. */
  readonly isPassing: boolean

  constructor(cause: KafkaError) {
    // A timeout says less than what was met meanwhile.
    const reason = cause.code === 'METADATA_TIMEOUT' && cause.cause instanceof KafkaError ? cause.cause : cause
    super(oneLine(reason.message.replace(/^Credentials are invalid:\s+/, '')), { cause })
    this.isPassing = cause.retriable
  }
}

/** The first question to a cluster. @throws {NoWayIn} */
export async function firstAnswer<T>(question: Promise<T>): Promise<T> {
  try {
    return await question
  } catch (error) {
    throw error instanceof KafkaError ? new NoWayIn(error) : error
  }
}
