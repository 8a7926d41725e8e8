import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { KafkaError, ProducerOptions } from '../../src/index.ts'
import { Batch } from '../../src/producer/batch.ts'
import { BufferPool } from '../../src/producer/buffer-pool.ts'
import { RecordBatchBuilder } from '../../src/protocol/record-batch.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import { turns, until } from '../support/fake-clock.ts'
import { producerHarness } from '../support/producer-harness.ts'

const MIB = 1024 * 1024

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

describe('the pool', () => {
  it('gives again what it was given, the last one first, to whoever needs so much', () => {
    const pool = new BufferPool(MIB)
    const [one, two, small] = [pool.take(25_000), pool.take(32_768), pool.take(5000)]
    expect([one, two, small].map(({ length }) => length)).toEqual([32_768, 32_768, 6144])
    for (const buffer of [one, two, small]) pool.give(buffer)
    expect(pool.freeBytes).toBe(71_680)
    expect(pool.take(24_577)).toBe(two)
    expect(pool.take(24_576)).toHaveLength(24_576)
    expect([pool.hasFree(32_768), pool.hasFree(32_769), pool.hasFree(100)]).toEqual([true, false, false])
    expect(pool.take(32_768)).toBe(one)
    expect(pool.take(4097)).toBe(small)
    expect(pool.freeBytes).toBe(0)
  })

  it.each([4096, 4097, 6144, 6145, 8192, 1_000_000, 2 ** 20, 2 ** 20 + 1])(
    'keeps what it made for %i bytes',
    (bytes) => {
      const pool = new BufferPool(2 * MIB)
      const buffer = pool.take(bytes)
      expect(buffer.length).toBeGreaterThanOrEqual(bytes)
      expect(buffer.length).toBeLessThanOrEqual(1.5 * bytes)
      pool.give(buffer)
      expect(pool.freeBytes).toBe(buffer.length)
    },
  )

  it('keeps no more than it may, and nothing that it has not made', () => {
    const pool = new BufferPool(20_000)
    const [one, two] = [pool.take(16_384), pool.take(16_384)]
    pool.give(one)
    pool.give(two)
    for (const bytes of [100, 4095, 5000, 24_576]) pool.give(Buffer.alloc(bytes))
    expect(pool.freeBytes).toBe(16_384)
    expect(pool.take(16_384)).toBe(one)
    expect(pool.take(100)).toHaveLength(100)
  })

  it('makes room for the sizes that are used by now', () => {
    const pool = new BufferPool(64 * 1024)
    const small = Array.from({ length: 8 }, () => pool.take(8192))
    const large = [pool.take(30_000), pool.take(30_000)]
    for (const buffer of [...small, ...large]) pool.give(buffer)
    expect(pool.freeBytes).toBe(64 * 1024)
    expect([pool.take(30_000), pool.take(30_000)]).toEqual([large[1], large[0]])
    expect(pool.freeBytes).toBe(0)
  })

  it('has the same memory after a rest, if nobody has collected it', () => {
    const pool = new BufferPool(MIB)
    pool.wake()
    const [one, two] = [pool.take(16_384), pool.take(16_384)]
    pool.give(one)
    pool.rest()
    // What comes back late is kept, too.
    pool.give(two)
    pool.rest()
    expect(pool.freeBytes).toBe(32_768)
    pool.wake()
    expect([pool.take(16_384), pool.take(16_384)]).toEqual([two, one])
  })
})

const parts = { key: null, value: 'x'.repeat(9000), headers: [], timestamp: 0 }

describe('a builder', () => {
  it('gives back what it has outgrown, and the rest once, when it is let go of', () => {
    const pool = new BufferPool(MIB)
    const builder = new RecordBatchBuilder(5000, pool)
    builder.append(0, null, parts.value, [])
    expect(pool.freeBytes).toBe(6144)
    builder.build()
    builder.release()
    builder.release()
    expect(pool.freeBytes).toBe(6144 + 12_288)
  })

  it('needs only the compressed records once it has them', () => {
    const pool = new BufferPool(MIB)
    const builder = new RecordBatchBuilder(30_000, pool)
    builder.append(0, null, parts.value, [])
    builder.records()
    const batch = builder.build({ codec: 1, compressedRecords: Buffer.alloc(5000, 7) })
    expect(batch).toHaveLength(5061)
    expect(pool.freeBytes).toBe(32_768)
    builder.release()
    expect(pool.freeBytes).toBe(32_768 + 6144)
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
    expect(pool.freeBytes).toBe(12_288)
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

interface Kept {
  readonly seen: Buffer
  readonly then: Buffer
}

/** A Duplex of the user's that hands on what it gets, and keeps it by reference. */
class KeepingDuplex extends Duplex {
  readonly kept: Kept[] = []
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
    const then = Buffer.from(chunk)
    this.kept.push({ seen: chunk, then })
    this.#inner.write(then, () => done())
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

/** The same as a socket of Node's that was changed. */
class KeepingSocket extends Socket {
  readonly kept: Kept[] = []

  constructor(port: number) {
    super()
    this.connect(port, '127.0.0.1')
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.kept.push({ seen: chunk, then: Buffer.from(chunk) })
    super._write(chunk, encoding, done)
  }

  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], done: (error?: Error | null) => void): void {
    this.kept.push(...chunks.map(({ chunk }) => ({ seen: chunk, then: Buffer.from(chunk) })))
    super._writev?.(chunks, done)
  }

  async opened(): Promise<this> {
    await once(this, 'connect')
    return this
  }
}

describe('a producer', () => {
  const harness = producerHarness()
  const values = ['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => letter.repeat(20_000))

  /** A record after the other, each in a batch of its own, and each of other bytes. */
  async function sendEach(
    options: Partial<ProducerOptions>,
    Keeping: typeof KeepingDuplex | typeof KeepingSocket | null = null,
  ): Promise<TestCluster> {
    const cluster = await harness.startCluster({ brokers: 1, topics: { t: 1 } })
    const sockets: (KeepingDuplex | KeepingSocket)[] = []
    const hooks = Keeping && {
      createSocket: async (): Promise<Duplex> => {
        const socket = new Keeping(cluster.ports[0] ?? 0)
        sockets.push(socket)
        return socket.opened()
      },
    }
    const producer = harness.newProducer({ ...options, ...hooks })
    for (const value of values) await producer.send({ topic: 't', value })
    const kept = sockets.flatMap((socket) => socket.kept)
    expect(kept.length > values.length).toBe(Keeping !== null)
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

  it.each([KeepingDuplex, KeepingSocket])(
    'never writes again into memory that a socket of the user has seen: %o',
    async (one) => {
      const cluster = await sendEach({}, one)
      expect(cluster.records('t')).toHaveLength(values.length)
    },
  )

  describe('at rest', () => {
    const pools = new Set<BufferPool>()
    const freeBytes = (): number => [...pools].reduce((sum, pool) => sum + pool.freeBytes, 0)
    beforeEach(() => {
      pools.clear()
      const wake = Object.getOwnPropertyDescriptor(BufferPool.prototype, 'wake')?.value as BufferPool['wake']
      vi.spyOn(BufferPool.prototype, 'wake').mockImplementation(function (this: BufferPool) {
        pools.add(this)
        wake.call(this)
      })
    })
    afterEach(() => void vi.restoreAllMocks())

    it.each([1, 5])('leaves its memory to the garbage collector, after %i large records', async (count) => {
      await harness.startCluster({ brokers: 1, topics: { t: 1 }, maxMessageBytes: 8 * MIB })
      const producer = harness.newProducer({ batchBytes: 8 * MIB, maxRequestBytes: 8 * MIB })
      for (let i = 0; i < count; i++) await producer.send({ topic: 't', value: 'x'.repeat(4 * MIB) })
      expect(freeBytes()).toBeGreaterThan(4 * MIB)
      await until(() => (collectGarbage(), freeBytes() === 0), 'the collection')
    })

    it('is not woken by a codec that answers when its batch has expired', async () => {
      await harness.startCluster({ brokers: 1, topics: { t: 1 } })
      const late: (() => void)[] = []
      let isLate = false
      const compress = async (bytes: Uint8Array): Promise<Uint8Array> => {
        const compressed = gzipSync(bytes)
        if (isLate) await new Promise<void>((resolve) => late.push(resolve))
        return compressed
      }
      const producer = harness.newProducer({ compression: { codec: 'gzip', compress }, deliveryTimeoutMs: 1000 })
      const value = randomBytes(MIB / 4).toString('hex')
      await producer.send({ topic: 't', value })
      isLate = true
      const sent = producer.send({ topic: 't', value }).then(
        () => 'delivered',
        (error: unknown) => (error as KafkaError).code,
      )
      await until(() => late.length > 0, 'the codec')
      await harness.clock.advance(1000)
      expect(await sent).toBe('DELIVERY_TIMEOUT')
      late[0]?.()
      await turns(10)
      await until(() => (collectGarbage(), freeBytes() === 0), 'the collection')
    })
  })
})
