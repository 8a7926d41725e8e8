import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { KafkaError, Producer, type ProducerOptions } from '../../src/index.ts'
import { canarySecret } from '../support/canary.ts'
import { FakeClock } from '../support/fake-clock.ts'
import type { ScramUser } from '../sasl/scram-server.ts'
import { ScriptedBroker, type ScriptedOptions } from './scripted-broker.ts'

const open: (() => unknown)[] = []
const uncaught: unknown[] = []
const onUncaught = (error: unknown): void => void uncaught.push(error)

/** To be called once in a file: closes what `closeLater` was told, and fails a test that leaves an error uncaught. */
export function guardTests(): void {
  beforeAll(() => {
    process.on('unhandledRejection', onUncaught)
    process.on('uncaughtException', onUncaught)
  })
  afterAll(() => {
    process.off('unhandledRejection', onUncaught)
    process.off('uncaughtException', onUncaught)
  })
  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close()
    expect(uncaught.splice(0)).toEqual([])
  })
}

export function closeLater(close: () => unknown): void {
  open.push(close)
}

export const PASSWORD = canarySecret('password of the hostile-peer tests', (random) => `k-${random}`)
export const PLAIN = { mechanism: 'plain', username: 'alice', password: PASSWORD } as const
export const SCRAM = { mechanism: 'scram-sha-256', username: 'alice', password: PASSWORD } as const
export const SCRAM_USER: ScramUser = {
  ...{ hash: 'sha256', user: 'alice', password: PASSWORD, salt: Buffer.from('a salt of a user'), iterations: 4096 },
}

/** On a clock of its own that stands still unless the test moves it. */
export function producerOf(brokers: string, options: Partial<ProducerOptions>, clock = new FakeClock()): Producer {
  const producer = new Producer({ brokers, ...options }, clock)
  closeLater(() => producer.close({ timeoutMs: 0 }).catch(() => undefined)) // gives up what a test left unsettled
  return producer
}

export async function brokerOf(options?: ScriptedOptions): Promise<ScriptedBroker> {
  const broker = await ScriptedBroker.start(options)
  closeLater(() => broker.close())
  return broker
}

/** What it is rejected with, which holds no secret however deep one looks. */
export async function failureOf(work: Promise<unknown>): Promise<KafkaError> {
  const outcome: unknown = await work.then(
    (value) => new Error(`it did not fail: ${String(value)}`),
    (error: unknown) => error,
  )
  if (!(outcome instanceof KafkaError)) throw outcome
  expectNoPassword(outcome)
  return outcome
}

/** However deep one looks, and however it is written. */
function expectNoPassword(error: KafkaError): void {
  const seen = inspect(error, { depth: Infinity, showHidden: true, maxStringLength: null }) + String(error.stack)
  const bytes = Buffer.from(PASSWORD)
  const forms = [PASSWORD, bytes.toString('hex'), Array.from(PASSWORD).reverse().join('')]
  // Inside of something longer that was encoded as a whole the first and the last characters differ.
  for (const before of [0, 1, 2])
    forms.push(
      Buffer.concat([Buffer.alloc(before), bytes])
        .toString('base64')
        .slice(4, -4),
    )
  for (const form of forms) if (seen.includes(form)) throw new Error('the password can be seen in an error')
}
