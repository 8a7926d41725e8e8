/** P6: a process that was frozen, with a producer in it. */
import { describe, expect, it } from 'vitest'
import { turns, until } from '../support/fake-clock.ts'
import { deliveredAt, runWithLedger, type End, type FaultRun } from './support.ts'

const PARTITIONS = [0, 1, 2, 3]

/** Two requests at each of two brokers are answered, and nobody has read it. */
async function answersInSockets(run: FaultRun): Promise<{ ends: Promise<End[]> }> {
  await run.settle(Promise.all(PARTITIONS.map((partition) => run.send({ partition }))))
  const sockets = [run.socketTo(1), run.socketTo(2)]
  for (const socket of sockets) socket.hold()
  const ends = []
  for (let round = 1; round <= 2; round++) {
    const before = run.cluster.recordCount('t')
    ends.push(...PARTITIONS.map((partition) => run.send({ partition })))
    await turns(5)
    await run.clock.advance(10) // a busy partition lingers
    await until(() => run.cluster.recordCount('t') === before + PARTITIONS.length, 'the records')
  }
  const bytes = (): number => sockets.reduce((sum, { heldBytes }) => sum + heldBytes, 0)
  for (let last = -1; last < bytes();) {
    last = bytes()
    await turns(20)
  }
  return { ends: Promise.all(ends) }
}

describe('P6: the event loop stands still for a minute', () => {
  it.each([
    ['deliveryTimeoutMs', { deliveryTimeoutMs: 5000, requestTimeoutMs: 30_000 }],
    ['requestTimeoutMs', { deliveryTimeoutMs: 120_000, requestTimeoutMs: 1000 }],
    ['both', { deliveryTimeoutMs: 5000, requestTimeoutMs: 5000 }],
  ])(
    '%s have passed, the answers are in the sockets: nothing expires, nothing is sent again',
    async (_what, producer) => {
      await runWithLedger({ producer }, async (run) => {
        const { ends } = await answersInSockets(run)
        const requests = run.produceRequests()
        // Timers come first in a turn of the event loop, then sockets are read, then verdicts are given.
        const passed = run.clock.advance(60_000)
        for (const socket of [run.socketTo(1), run.socketTo(2)]) socket.give()
        await passed
        for (const end of await ends) deliveredAt(end)
        expect(run.produceRequests()).toBe(requests)
        expect(run.producer.stats()).toMatchObject({ failed: 0, retries: 0 })
        expect(run.sockets.filter(({ destroyed }) => destroyed)).toEqual([])
      })
    },
  )
})
