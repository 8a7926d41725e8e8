import { OptionError, Producer, type ProducerOptions } from '../../index.ts'

const PREFIX = /^Producer: [A-Z_]+: /

/**
 * What headrace has against options, in its words, beginning with the option; null: nothing. A producer that is never used
 * connects to nothing.
 */
export function refusal(options: Omit<ProducerOptions, 'brokers'>): string | null {
  try {
    void new Producer({ brokers: 'localhost:9092', ...options }).close({ timeoutMs: 0 })
    return null
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    return error.message.replace(PREFIX, '')
  }
}
