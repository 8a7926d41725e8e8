/** The network rows of faults-and-security.md 2.4 as far as they concern the producer. */
import { describe, expect, it } from 'vitest'
import { turns, until } from '../support/fake-clock.ts'
import { deliveredAt, errorOf, runWithLedger, type FaultRun } from './support.ts'

const PIPELINE = 5

/** Batches that follow each other; with idempotence they are out at the same time. */
const pipeline = async (run: FaultRun, batches: number): Promise<void> => {
  for (const end of await run.settle(run.sendMany(batches))) deliveredAt(end)
}

describe.each([
  { idempotent: true, batches: PIPELINE },
  { idempotent: false, batches: 2 }, // one after the other: a third would see what the second saw
])('N1: the connection ends at every byte (idempotent: $idempotent)', ({ idempotent, batches }) => {
  const scenario = { producer: { idempotent, retryBackoffMs: 1, reconnectBackoffMs: 1 } }

  it('of the requests', async () => {
    const counts = await runWithLedger(scenario, async (run) => {
      await run.settle(run.send())
      const before = run.socketTo().writtenBytes
      await pipeline(run, batches)
      const bytes = run.socketTo().writtenBytes - before
      expect(bytes).toBeGreaterThan(batches * 100)
      for (let offset = 0; offset < bytes; offset++) {
        const socket = run.socketTo()
        socket.cutAfter(offset)
        await pipeline(run, batches)
        expect(socket.destroyed).toBe(true)
      }
      expect(run.producer.stats()).toMatchObject({ epochBumps: 0, failed: 0 })
    })
    expect(counts).toMatchObject({ lost: 0, reordered: 0, failed: 0 })
    // The documented weaker promise: second copies, each of them explained by a retry (the ledger counts).
    expect(counts.duplicated > 0).toBe(!idempotent)
  })

  it('of the answers', async () => {
    const counts = await runWithLedger(scenario, async (run) => {
      await run.settle(run.send())
      const before = run.socketTo().receivedBytes
      await run.settle(run.send())
      const bytes = run.socketTo().receivedBytes - before
      expect(bytes).toBeGreaterThan(40)
      for (let nth = 0; nth < batches; nth++) {
        for (let closeAfterBytes = 0; closeAfterBytes <= bytes; closeAfterBytes++) {
          const rule = run.cluster.fail({ api: 'Produce', after: nth, closeAfterBytes })
          await pipeline(run, batches)
          expect(rule.hits).toBe(1)
        }
      }
      expect(run.producer.stats()).toMatchObject({ epochBumps: 0, failed: 0 })
    })
    expect(counts).toMatchObject({ lost: 0, reordered: 0, failed: 0 })
    expect(counts.duplicated > 0).toBe(!idempotent)
  })
})

describe('N1: the connection ends', () => {
  it('before a request: what was not handed to the socket is not written', async () => {
    await runWithLedger({ producer: { deliveryTimeoutMs: 1000 } }, async (run) => {
      await run.settle(run.send())
      await run.cluster.stopBroker(1)
      expect(errorOf(await run.settle(run.send())).maybeWritten).toBe(false)
    })
  })
})

describe('N4: requests arrive, answers do not', () => {
  // The broker knows five batches again: no more may be out, however many requests may be.
  it.each([1, 5, 100])(
    'writes nothing twice, whoever answers in the end (%i requests)',
    async (maxInFlightRequests) => {
      const producer = { requestTimeoutMs: 1000, maxInFlightRequests }
      const counts = await runWithLedger({ producer }, async (run) => {
        await run.settle(run.send())
        for (let round = 0; round < 5; round++) {
          run.cluster.blackHole(1, 'answers')
          const before = run.produceRequests()
          const ends = run.sendMany(12)
          await until(() => run.produceRequests() > before, 'a request')
          await turns(30) // and all that may follow it
          await run.clock.advance(2500) // given up, tried again, and in vain
          run.cluster.blackHole(1, 'none')
          for (const end of await run.settle(ends)) deliveredAt(end)
        }
        expect(run.producer.stats().retries).toBeGreaterThan(4)
        expect(run.producer.stats().epochBumps).toBe(0)
      })
      expect(counts).toMatchObject({ lost: 0, duplicated: 0, reordered: 0, failed: 0 })
    },
  )

  it('says of what expires meanwhile that it may be there, and it is', async () => {
    await runWithLedger({ producer: { requestTimeoutMs: 1000, deliveryTimeoutMs: 3000 } }, async (run) => {
      await run.settle(run.send())
      run.cluster.blackHole(1, 'answers')
      const ends = await run.settle(run.sendMany(5))
      expect(ends.map((end) => errorOf(end).maybeWritten)).toEqual([true, true, true, true, true])
      run.cluster.blackHole(1, 'none')
      deliveredAt(await run.settle(run.send()))
      expect(run.records().length).toBeGreaterThan(2)
    })
  })
})

describe('N5: one byte at a time, both ways', () => {
  it('changes nothing', async () => {
    await runWithLedger({}, async (run) => {
      await run.settle(run.send())
      run.socketTo().isDripping = true
      for (const end of await run.settle(run.sendMany(12, { sizeBytes: 300 }))) deliveredAt(end)
      expect(run.sockets).toHaveLength(1)
    })
  })
})

describe('N6: the socket takes a part of a frame, and then nothing', () => {
  it('S11: the connection ends with the half-written frame; the next request begins on another', async () => {
    const counts = await runWithLedger({ producer: { requestTimeoutMs: 1000 } }, async (run) => {
      await run.settle(run.send())
      for (const taken of [0, 1, 3, 4, 5, 17, 60, 100, 500, 20_000, 100_100]) {
        const socket = run.socketTo()
        socket.stallAfter(taken)
        const { writtenBytes } = socket
        const ends = run.sendMany(7, { sizeBytes: 100_000 })
        await until(() => socket.writtenBytes > writtenBytes, 'a request')
        await run.clock.advance(500)
        expect(socket.destroyed).toBe(false)
        await run.clock.advance(600)
        expect(socket.destroyed).toBe(true)
        for (const end of await run.settle(ends)) deliveredAt(end)
      }
    })
    expect(counts).toMatchObject({ lost: 0, duplicated: 0, reordered: 0 })
  })

  it('goes on where it was when there is room again in time', async () => {
    await runWithLedger({}, async (run) => {
      await run.settle(run.send())
      for (const taken of [0, 3, 60, 500, 150_000]) {
        run.socketTo().stallAfter(taken)
        const ends = run.sendMany(7, { sizeBytes: 100_000 })
        await turns(5)
        await run.clock.advance(500)
        run.socketTo().flow()
        for (const end of await run.settle(ends)) deliveredAt(end)
      }
      expect(run.sockets).toHaveLength(1)
    })
  })

  it('holds the caller back: no more is taken in than bufferBytes, and it all arrives', async () => {
    await runWithLedger({ producer: { bufferBytes: 300_000 } }, async (run) => {
      await run.settle(run.send())
      run.socketTo().stallAfter(50_000)
      const ends = [run.send({ sizeBytes: 100_000 }), run.send({ sizeBytes: 100_000 })]
      const large = { topic: 't', partition: 0, value: Buffer.alloc(150_000) }
      expect(run.producer.offer(large)).toBe(false)
      const isReady = run.producer.ready()
      ends.push(run.send({ sizeBytes: 100_000 })) // waits for room
      await turns(20)
      expect(run.producer.stats().waiting).toBe(1)
      expect(run.producer.stats().bufferUsedBytes).toBeLessThan(2 * 300_000)
      run.socketTo().flow()
      await run.settle(isReady)
      for (const end of await run.settle(Promise.all(ends))) deliveredAt(end)
    })
  })
})

describe('N7: a hundred answers in one chunk', () => {
  it('settle a hundred requests, each with its own', async () => {
    const options = {
      cluster: { brokers: 1, topics: { t: 100 } },
      producer: { maxInFlightRequests: 100 },
    }
    await runWithLedger(options, async (run) => {
      await run.settle(Promise.all(Array.from({ length: 100 }, (_, partition) => run.send({ partition }))))
      const before = run.produceRequests()
      const socket = run.socketTo()
      socket.hold()
      const ends = []
      for (let partition = 0; partition < 100; partition++) {
        ends.push(run.send({ partition, sizeBytes: 10 + partition }))
        await until(() => run.produceRequests() === before + partition + 1, 'a request of its own')
      }
      await until(() => socket.heldBytes > 100 * 50, 'the answers')
      await turns(20)
      const settled: number[] = []
      ends.forEach((end, i) => void end.then(() => settled.push(i)))
      socket.give()
      for (const end of await run.settle(Promise.all(ends))) expect(deliveredAt(end).offset).toBe(1n)
      expect(settled).toEqual(Array.from({ length: 100 }, (_, i) => i))
    })
  })
})

describe('N8: an answer that is not the next one', () => {
  it.each([
    ['out of order', { late: true }],
    ['with an unknown correlation id', { wrongCorrelationId: true }],
    ['that came already', { duplicateAnswer: true }],
  ])('%s: ends the connection, and completes no other request', async (_what, fault) => {
    const counts = await runWithLedger({}, async (run) => {
      await run.settle(run.send())
      for (let after = 0; after < PIPELINE; after++) {
        const socket = run.socketTo()
        // The last one has nobody behind it whose place it could take.
        const rule = run.cluster.fail({ api: 'Produce', after, ...fault })
        for (const end of await run.settle(run.sendMany(7))) deliveredAt(end)
        expect(rule.hits).toBe(1)
        await until(() => socket.destroyed, 'the end of the connection')
      }
    })
    expect(counts).toMatchObject({ lost: 0, duplicated: 0, reordered: 0 })
  })
})

describe('N12: 200 ms there and back', () => {
  it('keeps the pipe full: five batches of a partition per round trip, and no false timeout', async () => {
    const rounds = 20
    await runWithLedger({ producer: { requestTimeoutMs: 1000 } }, async (run) => {
      await run.settle(run.send())
      run.cluster.fail({ api: 'Produce', times: Infinity, delayMs: 200 })
      const beginMs = run.clock.now()
      for (const end of await run.settle(run.sendMany(rounds * PIPELINE), 10)) deliveredAt(end)
      const idealMs = rounds * 200
      expect(run.clock.now() - beginMs).toBeLessThanOrEqual(idealMs / 0.8)
      expect(run.producer.stats().retries).toBe(0)
    })
  })
})
