import { once } from 'node:events'
import { connect } from 'node:net'
import { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { KafkaError, ProducerOptions } from '../../src/index.ts'
import { Batch } from '../../src/producer/batch.ts'
import { BufferPool } from '../../src/producer/buffer-pool.ts'
import { RecordBatchBuilder } from '../../src/protocol/record-batch.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import { turns, until } from '../support/fake-clock.ts'
import { producerHarness } from '../support/producer-harness.ts'

const MIB = 1024 * 1024

describe('the pool', () => {
  it('gives again what it was given, the last one first, to whoever needs so much', () => {
    const pool = new BufferPool(MIB)
    const [one, two, small] = [pool.take(20_000), pool.take(32_768), pool.take(5000)]
    expect([one, two, small].map(({ length }) => length)).toEqual([32_768, 32_768, 8192])
    for (const buffer of [one, two, small]) pool.give(buffer)
    expect(pool.freeBytes).toBe(73_728)
    expect(pool.take(16_385)).toBe(two)
    expect(pool.take(8193).length).toBe(16_384)
    expect(pool.take(32_768)).toBe(one)
    expect(pool.take(4097)).toBe(small)
    expect(pool.freeBytes).toBe(0)
  })

  it('keeps no more than it may, and nothing that it has not made', () => {
    const pool = new BufferPool(20_000)
    const [one, two] = [pool.take(16_384), pool.take(16_384)]
    pool.give(one)
    pool.give(two)
    for (const bytes of [100, 4095, 5000]) pool.give(Buffer.alloc(bytes))
    expect(pool.freeBytes).toBe(16_384)
    expect(pool.take(16_384)).toBe(one)
    expect(pool.take(100)).toHaveLength(100)
  })

  it('has the same memory after a rest, if nobody has collected it', () => {
    const pool = new BufferPool(MIB)
    const [one, two] = [pool.take(16_384), pool.take(16_384)]
    pool.give(one)
    pool.rest()
    // What comes back late is kept, too.
    pool.give(two)
    pool.rest()
    expect(pool.freeBytes).toBe(32_768)
    expect([pool.take(16_384), pool.take(16_384)]).toEqual([two, one])
  })
})

const parts = { key: null, value: 'x'.repeat(9000), headers: [], timestamp: 0 }

describe('a builder', () => {
  it('gives back what it has outgrown, and the rest once, when it is let go of', () => {
    const pool = new BufferPool(MIB)
    const builder = new RecordBatchBuilder(5000, pool)
    builder.append(0, null, parts.value, [])
    expect(pool.freeBytes).toBe(8192)
    builder.build()
    builder.release()
    builder.release()
    expect(pool.freeBytes).toBe(8192 + 16_384)
  })

  it('needs only the compressed records once it has them', () => {
    const pool = new BufferPool(MIB)
    const builder = new RecordBatchBuilder(20_000, pool)
    builder.append(0, null, parts.value, [])
    builder.records()
    const batch = builder.build({ codec: 1, compressedRecords: Buffer.alloc(5000, 7) })
    expect(batch).toHaveLength(5061)
    expect(pool.freeBytes).toBe(32_768)
    builder.release()
    expect(pool.freeBytes).toBe(32_768 + 8192)
  })
})

describe('a batch', () => {
  const sealed = (pool: BufferPool): Batch => {
    const batch = new Batch({ topic: 't', partition: 0, createdMs: 0, deadlineMs: 1 }, 9000, pool)
    batch.append(parts, () => undefined, 0, 1)
    batch.seal({ magic: 2, codec: null }, () => undefined)
    batch.send()
    return batch
  }

  it('leaves its memory to others when it has settled after one attempt', () => {
    const pool = new BufferPool(MIB)
    const batch = sealed(pool)
    batch.deliver(0n, -1)
    expect(pool.freeBytes).toBe(0)
    batch.recycle()
    batch.recycle()
    expect(pool.freeBytes).toBe(16_384)
  })

  it('does not, when an earlier attempt may still be on its way, or it is not settled', () => {
    const pool = new BufferPool(MIB)
    const batch = sealed(pool)
    batch.retryAt(0, undefined as never)
    batch.send()
    batch.deliver(0n, -1)
    batch.recycle()
    expect(pool.freeBytes).toBe(0)
    sealed(pool).recycle()
    expect(pool.freeBytes).toBe(0)
  })
})

/** A Duplex of the user's that hands on what it gets, and keeps it by reference. */
class KeepingSocket extends Duplex {
  readonly kept: { readonly seen: Buffer; readonly then: Buffer }[] = []
  readonly #inner

  constructor(port: number) {
    super()
    this.#inner = connect(port, '127.0.0.1')
    this.#inner.on('data', (chunk: Buffer) => this.push(chunk))
    this.#inner.on('close', () => this.destroy())
  }

  override _read(): void {
    // It pushes by itself.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.kept.push({ seen: chunk, then: Buffer.from(chunk) })
    this.#inner.write(this.kept.at(-1)?.then ?? chunk, () => done())
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#inner.destroy()
    done(error)
  }

  async opened(): Promise<this> {
    await once(this.#inner, 'connect')
    return this
  }
}

describe('a producer', () => {
  const harness = producerHarness()
  const values = ['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => letter.repeat(20_000))

  /** A record after the other, each in a batch of its own, and each of other bytes. */
  async function sendEach(options: Partial<ProducerOptions>, isKept = false): Promise<TestCluster> {
    const cluster = await harness.startCluster({ brokers: 1, topics: { t: 1 } })
    const sockets: KeepingSocket[] = []
    const createSocket = async (): Promise<Duplex> => {
      const socket = new KeepingSocket(cluster.ports[0] ?? 0)
      sockets.push(socket)
      return socket.opened()
    }
    const producer = harness.newProducer({ ...options, ...(isKept ? { createSocket } : {}) })
    for (const value of values) await producer.send({ topic: 't', value })
    const kept = sockets.flatMap((socket) => socket.kept)
    expect(kept.length > values.length).toBe(isKept)
    for (const { seen, then } of kept) expect(seen.equals(then)).toBe(true)
    return cluster
  }

  it.each(['none', 'gzip'] as const)(
    'writes what it should in memory that was used before: %s',
    async (compression) => {
      const cluster = await sendEach({ compression })
      expect(cluster.records('t').map(({ value }) => String(value))).toEqual(values)
    },
  )

  it('uses nothing again that a socket still has: a batch that expires arrives as it was (S1)', async () => {
    const large = { batchBytes: 4 * MIB, maxRequestBytes: 16 * MIB, bufferBytes: 128 * MIB }
    const cluster = await harness.startCluster({ brokers: 1, topics: { t: 4, other: 4 }, maxMessageBytes: 8 * MIB })
    const producer = harness.newProducer({ ...large, deliveryTimeoutMs: 1000, requestTimeoutMs: 60_000 })
    const sendFour = (topic: string, letter: string): Promise<string[]> => {
      const sends = [0, 1, 2, 3].map((partition) =>
        producer.send({ topic, partition, value: `${topic} ${partition} `.padEnd(3 * MIB, letter) }),
      )
      return Promise.all(
        sends.map((send) =>
          send.then(
            () => 'delivered',
            (error: unknown) => (error as KafkaError).code,
          ),
        ),
      )
    }
    const delivered = ['delivered', 'delivered', 'delivered', 'delivered']
    // The first ones are answered, and their memory is the next ones'.
    for (const letter of ['a', 'b', 'c']) expect(await sendFour('t', letter)).toEqual(delivered)
    cluster.blackHole(1)
    // More than the buffers of two sockets.
    const lost = sendFour('t', 'd')
    await until(() => producer.stats().batchesInFlight === 4, 'the request')
    await harness.clock.advance(1000)
    expect(await lost).toEqual(delivered.map(() => 'DELIVERY_TIMEOUT'))
    expect(producer.stats().bufferUsedBytes).toBeGreaterThan(12 * MIB)
    const others = sendFour('other', 'e')
    await turns(10)
    cluster.blackHole(1, 'none')
    expect(await others).toEqual(delivered)
    const seen = cluster.records('t').map(({ value }) => String(value))
    for (const partition of [0, 1, 2, 3]) expect(seen).toContain(`t ${partition} `.padEnd(3 * MIB, 'd'))
  })

  it('never writes again into memory that a Duplex of the user has seen', async () => {
    const cluster = await sendEach({}, true)
    expect(cluster.records('t')).toHaveLength(values.length)
  })
})
