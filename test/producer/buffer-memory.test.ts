import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import type { KafkaError } from '../../src/index.ts'
import type { Accepted } from '../../src/producer/accepted.ts'
import { BufferMemory } from '../../src/producer/buffer-memory.ts'
import { PartitionQueue } from '../../src/producer/partition-queue.ts'
import type { CheckedRecord } from '../../src/producer/record.ts'
import { FakeClock, turns } from '../support/fake-clock.ts'

const BUFFER_BYTES = 1000

/** The memory alone, with records that are nothing but a size. */
class Bench {
  readonly clock = new FakeClock()
  readonly admitted: string[] = []
  readonly failed: [string, KafkaError][] = []
  readonly held: { queue: PartitionQueue; bytes: number }[] = []
  readonly queues = Array.from({ length: 4 }, (_, partition) => new PartitionQueue('t', partition))
  readonly memory: BufferMemory
  #names = 0

  constructor(options: { maxBlockMs?: number; deliveryTimeoutMs?: number } = {}) {
    const limits = { maxBlockMs: 60_000, deliveryTimeoutMs: 120_000, ...options }
    this.memory = new BufferMemory(
      { clock: this.clock, bufferBytes: BUFFER_BYTES, ...limits },
      {
        admit: ({ token, chargedBytes }, queue) => this.#admit(String(token), queue, chargedBytes),
        onFailed: () => undefined,
      },
    )
  }

  /** A record for a partition, led by the broker of the same number: taken at once, or made to wait. */
  send(partition: number, bytes: number, sentMs = this.clock.now()): number {
    const queue = this.queues[partition]!
    const token = this.#names++
    if (this.memory.take(queue, partition, bytes)) this.#admit(String(token), queue, bytes)
    else this.memory.wait(this.#accepted(token, bytes, sentMs), queue, partition)
    return token
  }

  offer(partition: number, bytes: number): boolean {
    const queue = this.queues[partition]!
    const isTaken = this.memory.take(queue, partition, bytes)
    if (isTaken) this.#admit(String(this.#names++), queue, bytes)
    else this.memory.refuse(bytes, queue, partition)
    return isTaken
  }

  /** Settles what was admitted, oldest first. */
  settle(at = 0): void {
    const [first] = this.held.splice(at, 1)
    if (first !== undefined) this.memory.giveBack(first.queue, first.bytes)
  }

  #admit(name: string, queue: PartitionQueue, bytes: number): void {
    this.admitted.push(name)
    this.held.push({ queue, bytes })
  }

  #accepted(token: number, chargedBytes: number, sentMs: number): Accepted {
    const receipt = {
      settleDelivered: () => undefined,
      settleFailed: (failed: number, error: KafkaError) => void this.failed.push([String(failed), error]),
    }
    return { record: { topic: 't' } as CheckedRecord, receipt, token, chargedBytes, sentMs, tickets: [] }
  }
}

let bench: Bench

beforeEach(() => {
  bench = new Bench()
})

/** Whether a promise has settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const state = { isSettled: false }
  void promise.then(() => (state.isSettled = true))
  await turns(1)
  return state.isSettled
}

describe('room in bufferBytes', () => {
  it('goes to those who wait, first in, first out', () => {
    for (let i = 0; i < 6; i++) bench.send(0, 400)
    expect(bench.admitted).toEqual(['0', '1'])
    bench.settle()
    expect(bench.admitted).toEqual(['0', '1', '2'])
    while (bench.held.length > 0) bench.settle()
    expect(bench.admitted).toEqual(['0', '1', '2', '3', '4', '5'])
    expect(bench.memory.usedBytes + bench.memory.waitingBytes).toBe(0)
    expect(bench.clock.pendingMs).toEqual([])
  })

  it('P4: is kept for a large record: small ones, of any broker, do not get in before it', () => {
    bench.send(0, 400)
    bench.send(1, 400)
    const large = bench.send(2, 900)
    const small = [bench.send(1, 10), bench.send(3, 10)]
    expect(bench.offer(3, 10)).toBe(false)
    expect(bench.admitted).toHaveLength(2)
    bench.settle()
    bench.settle()
    expect(bench.admitted.slice(2)).toEqual([large, ...small].map(String))
  })

  it('P5: one broker of several gets half, and others go past those that wait for it', () => {
    bench.send(1, 1)
    for (let i = 0; i < 10; i++) bench.send(0, 100)
    expect(bench.admitted).toHaveLength(6)
    expect(bench.memory.waiterCount).toBe(5)
    for (let i = 0; i < 4; i++) expect(bench.offer(1, 100)).toBe(true)
    expect(bench.offer(0, 100)).toBe(false)
  })

  it('P5: and of what may wait it leaves the others room for as much as they may hold', () => {
    bench.send(1, 1)
    const refused = { count: 0 }
    for (let i = 0; i < 30; i++) {
      const accepted = { record: { topic: 't' }, chargedBytes: 100 } as Accepted
      try {
        bench.memory.checkLane(accepted, bench.queues[0]!, 0)
        bench.send(0, 100)
      } catch (error) {
        expect(error).toMatchObject({ code: 'BUFFER_FULL', maybeWritten: false, retriable: true })
        refused.count++
      }
    }
    expect(refused.count).toBe(15)
    expect(bench.memory.usedBytes + bench.memory.waitingBytes).toBe(1501)
    for (let i = 0; i < 4; i++) expect(bench.offer(1, 100)).toBe(true)
  })

  it('P5: a broker keeps no share after a minute of rest: the only other one has all again', async () => {
    bench.send(1, 1)
    bench.settle()
    for (let i = 0; i < 10; i++) bench.offer(0, 100)
    expect(bench.held).toHaveLength(5)
    while (bench.held.length > 0) bench.settle()
    await bench.clock.advance(61_000)
    bench.send(0, 1)
    bench.settle() // nothing looks before something settles
    for (let i = 0; i < 10; i++) expect(bench.offer(0, 100)).toBe(true)
  })

  it('is waited for no longer than maxBlockMs from the send, whoever is in front', async () => {
    bench.send(0, 1000)
    bench.send(0, 100)
    const early = bench.send(0, 100, bench.clock.now() - 59_000) // its topic was looked up meanwhile
    await bench.clock.advance(1000)
    expect(bench.failed.map(([name]) => name)).toEqual([String(early)])
    expect(bench.failed[0]![1]).toMatchObject({
      code: 'BUFFER_FULL',
      message: expect.stringContaining('maxBlockMs (60000 ms)') as string,
    })
    await bench.clock.advance(59_000)
    expect(bench.failed).toHaveLength(2)
    expect(bench.clock.pendingMs).toEqual([])
  })

  it('is not waited for beyond deliveryTimeoutMs', async () => {
    bench = new Bench({ deliveryTimeoutMs: 5000 })
    bench.send(0, 1000)
    bench.send(0, 100)
    await bench.clock.advance(5000)
    expect(bench.failed[0]![1].message).toContain('deliveryTimeoutMs (5000 ms)')
  })
})

describe('ready', () => {
  it('comes when an offer of what was refused would be taken, and not before', async () => {
    bench.send(0, 600)
    bench.send(0, 300)
    expect(bench.offer(0, 700)).toBe(false)
    const ready = bench.memory.ready()
    bench.settle(1)
    expect(await isSettled(ready)).toBe(false)
    bench.settle()
    expect(await isSettled(ready)).toBe(true)
    expect(bench.offer(0, 700)).toBe(true)
  })

  it('P5: waits for the broker that had no room, and only for it', async () => {
    bench.send(1, 1)
    for (let i = 0; i < 5; i++) bench.send(0, 100)
    expect(bench.offer(0, 100)).toBe(false)
    const dead = bench.memory.ready()
    for (let i = 0; i < 4; i++) expect(bench.offer(1, 100)).toBe(true)
    expect(bench.offer(1, 100)).toBe(false)
    const healthy = bench.memory.ready()
    for (let i = 0; i < 4; i++)
      bench.settle(bench.held.findIndex(({ queue, bytes }) => queue.partition === 1 && bytes === 100))
    expect(await isSettled(healthy)).toBe(true)
    expect(await isSettled(dead)).toBe(false)
    expect(await isSettled(bench.memory.ready())).toBe(true) // nobody was refused since
    while (bench.held.length > 0) bench.settle()
    expect(await isSettled(dead)).toBe(true)
  })

  it('does not wait behind records that wait for another broker', async () => {
    bench.send(1, 1)
    for (let i = 0; i < 6; i++) bench.send(0, 100)
    expect(bench.memory.waiterCount).toBe(1)
    expect(await isSettled(bench.memory.ready())).toBe(true)
  })
})

describe('P4: whatever happens', () => {
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('send' as const),
        partition: fc.nat(3),
        bytes: fc.integer({ min: 1, max: BUFFER_BYTES }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('offer' as const),
        partition: fc.nat(3),
        bytes: fc.integer({ min: 1, max: BUFFER_BYTES }),
      }),
    },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('settle' as const), at: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(40_000) }) },
  )

  it('the limit holds, partitions keep their order, every offer that is refused gets its turn, and all is given back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const world = new Bench()
        const orderOf = new Map(world.queues.map((queue) => [queue, [] as number[]]))
        const waits: Promise<void>[] = []
        for (const each of steps) {
          if (each.do === 'send')
            orderOf.get(world.queues[each.partition]!)!.push(world.send(each.partition, each.bytes))
          else if (each.do === 'offer') {
            if (!world.offer(each.partition, each.bytes)) waits.push(world.memory.ready())
          } else if (each.do === 'settle') world.settle(Math.min(each.at, Math.max(world.held.length - 1, 0)))
          else await world.clock.advance(each.ms)
          expect(world.memory.usedBytes).toBeLessThanOrEqual(BUFFER_BYTES)
          expect(world.memory.usedBytes).toBe(world.held.reduce((sum, { bytes }) => sum + bytes, 0))
        }
        while (world.held.length > 0) world.settle(0)
        await Promise.all(waits) // hangs, and the test with it, if one was forgotten
        expect(world.memory.usedBytes).toBe(0)
        expect(world.memory.waitingBytes).toBe(0)
        expect(world.memory.waiterCount).toBe(0)
        expect(world.queues.map(({ laneId, heldBytes }) => [laneId, heldBytes])).toEqual(
          world.queues.map(() => [null, 0]),
        )
        expect(world.clock.pendingMs).toEqual([])
        const failed = new Set(world.failed.map(([name]) => name))
        for (const tokens of orderOf.values()) {
          const expected = tokens.map(String).filter((name) => !failed.has(name))
          expect(world.admitted.filter((name) => expected.includes(name))).toEqual(expected)
        }
      }),
      { numRuns: 300 },
    )
  })
})
