import { inspect } from 'node:util'
import { KafkaError } from '../../src/errors.ts'
import { runExchange, type Exchange, type ExchangePlace, type ExchangeResult } from '../../src/sasl/exchange.ts'

export const PLACE = { address: '127.0.0.1:9092', mechanism: 'TEST', user: 'alice' } as const

export interface Conversation {
  /** What the client said, in order. */
  readonly said: Buffer[]
  readonly result: ExchangeResult | null
  readonly error: unknown
}

/** A broker's next answer: bytes, or what `send` throws; it may look at what the client has just said. */
export type Answer = string | Uint8Array | Error | ((said: Buffer) => string | Uint8Array | Error)

/** Leads an exchange against these answers, one for each token; a token too many fails the test. */
export async function converse(
  exchange: Exchange,
  answers: readonly Answer[],
  place: Partial<ExchangePlace> = {},
): Promise<Conversation> {
  const said: Buffer[] = []
  const send = (token: Uint8Array): Promise<Uint8Array> => {
    const bytes = Buffer.from(token)
    const answer = answers[said.push(bytes) - 1]
    if (answer === undefined) return Promise.reject(new Error('the client says more than was expected'))
    const given = typeof answer === 'function' ? answer(bytes) : answer
    return given instanceof Error ? Promise.reject(given) : Promise.resolve(Buffer.from(given))
  }
  try {
    return { said, result: await runExchange(exchange, send, { ...PLACE, ...place }), error: null }
  } catch (error) {
    return { said, result: null, error }
  }
}

export function messageOf(error: unknown): string {
  return error instanceof KafkaError ? error.message : `not one of ours: ${inspect(error)}`
}
