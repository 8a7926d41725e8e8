import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Producer, type ProducerOptions } from '../../src/index.ts'
import { FakeClock, until } from '../support/fake-clock.ts'
import { answerHostile, hostileAnswers } from '../support/hostile-peer.ts'
import { Authority, type Issued } from '../support/tls/authority.ts'
import { brokerOf, failureOf, guardTests, PLAIN } from './harness.ts'
import { finally_, firstly, saslOf, SERVER_FINAL, SERVER_FIRST } from './hostile-logins.ts'
import type { Login, ScriptedBroker } from './scripted-broker.ts'

// What hostile peers leave behind in this process: nothing (faults-and-security.md section 6).

guardTests()

const LIMIT_BYTES = 1_048_576
const ROUNDS = 5
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

let authority: Authority
let own: Issued
beforeAll(async () => {
  authority = await Authority.root('the root')
  own = await authority.issue()
})
afterAll(() => authority.remove())

async function retainedBytes(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    await new Promise((resolve) => setImmediate(resolve))
    collect()
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** A producer that meets the broker once. */
async function meet(broker: ScriptedBroker, options: Partial<ProducerOptions>): Promise<void> {
  const producer = new Producer({ brokers: broker.address, ...options }, new FakeClock())
  await failureOf(producer.connect())
  await producer.close()
  await until(() => broker.openSockets === 0, 'the client hangs up')
  broker.seen.length = 0
}

async function expectNoGrowth(round: () => Promise<void>): Promise<void> {
  for (let i = 0; i < 2; i++) await round()
  const before = await retainedBytes()
  for (let i = 0; i < ROUNDS; i++) await round()
  expect((await retainedBytes()) - before).toBeLessThan(LIMIT_BYTES)
}

describe(`memory grows by less than 1 MB in ${ROUNDS} rounds`, () => {
  it('of every hostile SCRAM server', async () => {
    const logins: (() => Login)[] = [
      ...SERVER_FIRST.map(
        ([, first]) =>
          () =>
            firstly(first),
      ),
      ...SERVER_FINAL.map(
        ([, final]) =>
          () =>
            finally_('sha256', final),
      ),
      () => () => ({ authBytes: Buffer.alloc(1_000_000) }),
      () => () => ({ errorCode: 58, errorMessage: 'x'.repeat(30_000) }),
    ]
    const broker = await brokerOf()
    await expectNoGrowth(async () => {
      for (const login of logins) {
        broker.login = login
        await meet(broker, { sasl: saslOf('sha256') })
      }
    })
  })

  it.each(['ApiVersions', 'SaslHandshake', 'SaslAuthenticate'])(
    'of every hostile answer to %s, over TLS',
    async (api) => {
      const broker = await brokerOf({ tls: own })
      const options = { tls: { ca: authority.cert }, sasl: PLAIN }
      await expectNoGrowth(async () => {
        for (const row of hostileAnswers) {
          broker.script = (seen, { socket }) => (seen.api === api ? answerHostile(row, seen, socket) : null)
          await meet(broker, options)
        }
      })
    },
  )
})
