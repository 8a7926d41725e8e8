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
    super(inSettings(oneLine(reason.message.replace(/^Credentials are invalid:\s+/, ''))), { cause })
    this.isPassing = cause.retriable
  }
}

/** The library speaks of its options; the reader has a file with settings before him. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/\bleave out tls\b(?!\.)/, 'set ssl_enabled to false'],
  [/\bLeave out tls\b(?!\.)/, 'Set ssl_enabled to false'],
  [/\bset tls\b(?!\.)/, 'set ssl_enabled to true'],
  [/\bleave out sasl\b(?!\.)/, 'set "producer": { "sasl": null }'],
  ...(['ca', 'cert', 'key'] as const).map((name) => [new RegExp(`\\btls\\.${name}\\b`, 'g'), `ssl_${name}`] as const),
]

function inSettings(message: string): string {
  return WORDS.reduce((text, [option, setting]) => text.replace(option, setting), message)
}

/** The first question to a cluster. @throws {NoWayIn} */
export async function firstAnswer<T>(question: Promise<T>): Promise<T> {
  try {
    return await question
  } catch (error) {
    throw error instanceof KafkaError ? new NoWayIn(error) : error
  }
}
