import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { deliveredAt, runWithLedger, type End, type FaultRun } from '../faults/support.ts'
import { turns } from '../support/fake-clock.ts'
import { brokerOf, guardTests, PASSWORD, PLAIN } from './harness.ts'
import { lastWord } from './scripted-broker.ts'

// KIP-368 through the whole producer: sessions end while records flow. Virtual time; judged by the oracles O1 to O8, and
// by the broker, which notes every message that is out of turn.

guardTests()

const ACKS = ['all', 1, 0] as const

interface Flow {
  readonly acks?: (typeof ACKS)[number]
  readonly lifetimeMs: number | bigint
  readonly seconds?: number
  /** At each twentieth of a second. */
  readonly onTick?: (run: FaultRun, tick: number) => void
}

const TICK_MS = 50

/** Records flow all the time; all are delivered. */
async function flow({ acks = 'all', lifetimeMs, seconds = 20, onTick }: Flow): Promise<FaultRun['cluster']> {
  let cluster!: FaultRun['cluster']
  await runWithLedger(
    {
      cluster: { brokers: 2, sasl: { users: { alice: PASSWORD }, sessionLifetimeMs: lifetimeMs } },
      producer: { sasl: PLAIN, allowPlaintextCredentials: true, acks, idempotent: acks === 'all' },
      ledger: { acks },
    },
    async (run) => {
      cluster = run.cluster
      const ends: Promise<End>[] = []
      for (let tick = 0; tick < (seconds * 1000) / TICK_MS; tick++) {
        onTick?.(run, tick)
        for (let i = 0; i < 3; i++) ends.push(run.send({ partition: (tick + i) % 4 }))
        await run.clock.advance(TICK_MS)
      }
      ;(await run.settle(Promise.all(ends))).map(deliveredAt)
    },
  )
  return cluster
}

describe('A6: while records flow', () => {
  it.each(ACKS)('sessions of two seconds, acks %s: no record is lost, nothing is out of turn', async (acks) => {
    const { illegal, expired, refused, reauthentications } = (await flow({ acks, lifetimeMs: 2000 })).loginStats()
    expect([illegal, expired, refused]).toEqual([0, 0, 0])
    expect(reauthentications).toBeGreaterThan(12) // two connections, 20 s
  })

  // A broker that hangs up on who is late, and takes no second login within a second: it hangs up again and again.
  it.each(ACKS)('of 600 ms, acks %s: nothing is lost', async (acks) => {
    const { illegal, refused, reauthentications } = (await flow({ acks, lifetimeMs: 600 })).loginStats()
    expect([illegal, refused]).toEqual([0, 0])
    expect(reauthentications).toBeGreaterThan(12)
  })

  it.each([0, 2n ** 63n - 1n])('of %d ms: never', async (lifetimeMs) => {
    const cluster = await flow({ lifetimeMs, seconds: 10 })
    expect(cluster.loginStats().reauthentications).toBe(0)
    expect(cluster.loginStats().logins).toBeLessThanOrEqual(3)
  })

  it('that become shorter and shorter', async () => {
    const lengths = [8000, 6000, 4000, 3000, 2500, 2000, 1500, 1200]
    const onTick = ({ cluster }: FaultRun, tick: number): void => {
      if (tick % 60 === 0) cluster.setSessionLifetime(lengths[Math.min(tick / 60, lengths.length - 1)]!)
    }
    const cluster = await flow({ lifetimeMs: 10_000, seconds: 30, onTick })
    const { illegal, refused, reauthentications } = cluster.loginStats()
    expect([illegal, refused]).toEqual([0, 0])
    expect(reauthentications).toBeGreaterThan(5)
  })
})

describe('another login that fails while records flow', () => {
  const faults: readonly [string, object][] = [
    ['is refused once', { error: 58 }],
    ['is cut off', { closeBefore: true }],
    ['is answered with noise', { answer: () => Buffer.from('9f3c'.repeat(32), 'hex') }],
    ['is cut off in its answer', { closeAfterBytes: 7 }],
    ['is answered out of order', { wrongCorrelationId: true }],
    ['is never answered', { silent: true }],
  ]

  it.each(faults)('%s: what waited is sent once, on a new connection', async (_what, fault) => {
    for (const acks of ACKS) {
      const onTick = ({ cluster }: FaultRun, tick: number): void => {
        if (tick === 60) cluster.fail({ api: 'SaslAuthenticate', ...fault })
        if (tick === 140) cluster.fail({ api: 'SaslHandshake', ...('error' in fault ? { error: 34 } : fault) })
      }
      const cluster = await flow({ acks, lifetimeMs: 2000, seconds: 12, onTick })
      const { logins, reauthentications } = cluster.loginStats()
      expect(logins).toBeGreaterThan(2)
      expect(reauthentications).toBeGreaterThan(2)
    }
  })
})

describe('the process', () => {
  it('ends by itself between two logins, whatever a session is', async () => {
    const broker = await brokerOf({ login: () => () => lastWord({ sessionLifetimeMs: 1n }) })
    const script = `
      import { Producer } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)}
      const sasl = { mechanism: 'plain', username: 'alice', password: 'right' }
      const producer = new Producer({ brokers: ${JSON.stringify(broker.address)}, sasl, idempotent: false, acks: 1 })
      for (let i = 0; i < 2; i++) await producer.send({ topic: 't', value: 'v' })
      console.log('sent')`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script])
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => (said += String(chunk)))
    child.stderr.on('data', (chunk: Buffer) => (said += String(chunk)))
    const [code] = (await once(child, 'exit')) as [number]
    expect([code, said]).toEqual([0, 'sent\n'])
    await turns(1)
  })
})
