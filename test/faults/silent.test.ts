/** Silent failures that others shipped (faults-and-security.md 1.5), as far as other files do not have them. */
import { describe, expect, it } from 'vitest'
import { decodeRecordBatch } from '../../src/protocol/record-batch-decode.ts'
import { turns, until } from '../support/fake-clock.ts'
import type { KafkaError } from '../../src/index.ts'
import { deliveredAt, errorOf, runWithLedger, type FaultRun } from './support.ts'

const POISON = 0xdb
const topics = { t: 4, other: 4 }

/** A record batch begins so many bytes before its magic byte, which is 2, and whose producer epoch and so on follow. */
const MAGIC_OFFSET = 16
const BATCH_LENGTH_OFFSET = 8
const BATCH_OVERHEAD_BYTES = 12

/** The record batches in what was written to the sockets, in order, each as it was sent. */
function sentBatches(run: FaultRun, value: Buffer): Buffer[] {
  return run.sockets.flatMap(({ written }) => {
    const bytes = Buffer.concat(written)
    const found: Buffer[] = []
    for (let at = bytes.indexOf(value); at >= 0; at = bytes.indexOf(value, at + 1)) {
      const batch = batchAround(bytes, at)
      if (batch !== null) found.push(batch)
    }
    return found
  })
}

/** The batch that holds the byte at `at`: the one whose length fits and that can be decoded, CRC included. */
function batchAround(bytes: Buffer, at: number): Buffer | null {
  for (let start = at; start >= 0 && start > at - 200; start--) {
    if (bytes[start + MAGIC_OFFSET] !== 2) continue
    const batch = bytes.subarray(start, start + BATCH_OVERHEAD_BYTES + bytes.readInt32BE(start + BATCH_LENGTH_OFFSET))
    if (isBatch(batch)) return batch
  }
  return null
}

function isBatch(bytes: Buffer): boolean {
  try {
    return decodeRecordBatch(bytes).records.length > 0
  } catch {
    return false // it does not begin here
  }
}

describe("S1: memory that a socket still has is nobody else's", () => {
  it('a batch that expires while its bytes are on their way arrives as it was, in its own topic', async () => {
    const producer = { deliveryTimeoutMs: 1000, requestTimeoutMs: 60_000 }
    const counts = await runWithLedger({ cluster: { topics, brokers: 1 }, producer }, async (run) => {
      await run.settle(Promise.all([run.send(), run.send({ topic: 'other' })]))
      for (const taken of [0, 10, 90, 5000]) {
        run.socketTo().stallAfter(taken)
        const ends = run.sendMany(3, { sizeBytes: 20_000 })
        await turns(10)
        await run.clock.advance(1000)
        for (const end of await ends) expect(errorOf(end)).toMatchObject({ code: 'DELIVERY_TIMEOUT' })
        // The same sizes again, for the other topic: what was free would be used for them.
        const others = run.sendMany(3, { topic: 'other', sizeBytes: 20_000 })
        await turns(10)
        run.socketTo().flow()
        for (const end of await run.settle(others)) deliveredAt(end)
      }
      expect(run.records().length).toBeGreaterThan(1) // what expired is there, whole (O8)
    })
    expect(counts).toMatchObject({ misplaced: 0, wrongStatus: 0, duplicated: 0 })
  })

  it('its memory counts as used until the socket is done with it', async () => {
    const producer = { deliveryTimeoutMs: 1000, requestTimeoutMs: 60_000 }
    await runWithLedger({ cluster: { topics, brokers: 1 }, producer }, async (run) => {
      await run.settle(run.send())
      run.socketTo().stallAfter(100)
      const end = run.send({ sizeBytes: 20_000 })
      await turns(10)
      await run.clock.advance(1000)
      expect(errorOf(await end).code).toBe('DELIVERY_TIMEOUT')
      expect(run.producer.stats().bufferUsedBytes).toBeGreaterThan(20_000)
      run.socketTo().flow()
      await until(() => run.producer.stats().bufferUsedBytes === 0, 'the answer')
    })
  })

  it("a caller's own buffers may be overwritten as soon as the record has settled, or expired", async () => {
    const producer = { deliveryTimeoutMs: 1000, requestTimeoutMs: 60_000 }
    await runWithLedger({ cluster: { topics, brokers: 1 }, producer, judged: ['t'] }, async (run) => {
      await run.settle(run.send())
      const value = Buffer.from('as it was sent'.padEnd(20_000, '.'))
      const key = Buffer.from('key')
      const was = String(value)
      run.socketTo().stallAfter(100)
      const sent = run.producer.send({ topic: 'other', partition: 0, key, value }).catch((error: unknown) => error)
      await turns(10)
      await run.clock.advance(1000)
      expect(((await sent) as KafkaError).code).toBe('DELIVERY_TIMEOUT')
      value.fill(POISON)
      key.fill(POISON)
      run.socketTo().flow()
      await until(() => run.cluster.recordCount('other') === 1, 'the record')
      const [record] = run.cluster.records('other')
      expect([String(record?.key), String(record?.value)]).toEqual(['key', was])
    })
  })
})

describe('S2: sends at the same time, from many places', () => {
  it('share no sequence and no offset, with five batches out and one of them refused', async () => {
    const counts = await runWithLedger({}, async (run) => {
      await run.settle(run.send())
      for (let round = 0; round < 10; round++) {
        run.cluster.fail({ api: 'Produce', after: round % 7, error: 'NOT_ENOUGH_REPLICAS' })
        const places = Array.from({ length: 20 }, async (_, i) => {
          await turns(i % 7)
          return run.send()
        })
        const ends = (await run.settle(Promise.all(places))).map((end) => deliveredAt(end).offset)
        expect(new Set(ends).size).toBe(20)
      }
      const sequences = run.records().map(({ sequence }) => sequence)
      expect(sequences).toEqual(sequences.map((_, i) => i))
      expect(run.producer.stats().epochBumps).toBe(0)
    })
    expect(counts).toMatchObject({ delivered: 201, lost: 0, duplicated: 0, reordered: 0 })
  })
})

describe('S7: a batch is the same bytes from its first sending to its last', () => {
  it('through refusals, lost connections and timeouts', async () => {
    const producer = { requestTimeoutMs: 1000 }
    await runWithLedger({ cluster: { topics }, producer, judged: ['t'] }, async (run) => {
      await run.settle(Promise.all([run.send(), run.send({ partition: 1 })]))
      run.cluster.fail({ api: 'Produce', topic: 'other', closeAfterBytes: 0 })
      run.cluster.fail({ api: 'Produce', topic: 'other', error: 'NOT_ENOUGH_REPLICAS', times: 2 })
      run.cluster.fail({ api: 'Produce', topic: 'other', error: 'REQUEST_TIMED_OUT', isWritten: true })
      run.cluster.fail({ api: 'Produce', topic: 'other', silent: true })
      run.cluster.fail({ api: 'Produce', topic: 'other', closeBefore: true })
      const value = Buffer.from('sent again and again')
      const sent = run.producer.send({ topic: 'other', partition: 0, value })
      // Meanwhile another partition takes another epoch.
      run.cluster.fail({ api: 'Produce', topic: 't', partition: 1, error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
      const bumped = run.send({ partition: 1 })
      await run.settle(Promise.all([sent, bumped]))
      const copies = sentBatches(run, value)
      expect(copies).toHaveLength(7)
      for (const copy of copies) expect(copy.equals(copies[0] ?? Buffer.of())).toBe(true)
      expect(run.cluster.records('other')).toHaveLength(1)
    })
  })
})

describe('S10: numbers that come to their end', () => {
  it('sequences wrap in the middle of a batch, of a pipeline and of its retries', async () => {
    for (const before of [1, 2, 3, 5]) {
      const counts = await runWithLedger({ firstSequence: 2 ** 31 - before }, async (run) => {
        await run.settle(run.send())
        for (let after = 0; after < 5; after++) {
          run.cluster.fail({ api: 'Produce', after, error: 'NOT_ENOUGH_REPLICAS' })
          for (const end of await run.settle(run.sendMany(6))) deliveredAt(end)
        }
        expect(run.records().some(({ sequence }) => sequence === 0)).toBe(true)
        expect(run.producer.stats().epochBumps).toBe(0)
      })
      expect(counts).toMatchObject({ lost: 0, duplicated: 0, reordered: 0 })
    }
  })
})

describe('S6: an epoch that one partition needs', () => {
  it.each([1, 2, 3])('does not touch what %i others may have written', async (others) => {
    const counts = await runWithLedger({ producer: { requestTimeoutMs: 1000 } }, async (run) => {
      await run.settle(Promise.all([0, 1, 2, 3].map((partition) => run.send({ partition }))))
      for (let round = 0; round < 5; round++) {
        const uncertain = Array.from({ length: others }, (_, i) => i + 1).map((partition) => {
          run.cluster.fail({ api: 'Produce', partition, error: 'REQUEST_TIMED_OUT', isWritten: round % 2 === 0 })
          return run.sendMany(3, { partition })
        })
        run.cluster.fail({ api: 'Produce', partition: 0, error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
        const bumped = run.send()
        for (const ends of await run.settle(Promise.all(uncertain))) ends.forEach(deliveredAt)
        deliveredAt(await run.settle(bumped))
        expect(run.producer.stats().epochBumps).toBe(round + 1)
      }
    })
    expect(counts).toMatchObject({ lost: 0, duplicated: 0, reordered: 0 })
  })
})

describe('O7: evidence is asked for before anybody is accused', () => {
  it('a leader that went and came back over the same connection, without the end of its log', async () => {
    const counts = await runWithLedger({ ledger: { mayLose: true } }, async (run) => {
      for (const end of await run.settle(run.sendMany(6))) deliveredAt(end)
      run.cluster.truncate('t', 0, 3)
      run.cluster.moveLeader('t', 0, 2)
      run.cluster.fail({ api: 'Produce', broker: 2, error: 'NOT_LEADER_OR_FOLLOWER', times: Infinity })
      const end = run.send()
      await run.clock.advance(500)
      run.cluster.moveLeader('t', 0, 1)
      await run.settle(end)
      for (const later of await run.settle(run.sendMany(3))) deliveredAt(later)
    })
    expect(counts).toMatchObject({ duplicated: 0, wrongStatus: 0, lost: 3 })
  })

  it('a broker that forgot us and lost its end, over the same connection', async () => {
    const counts = await runWithLedger({ ledger: { mayLose: true } }, async (run) => {
      for (const end of await run.settle(run.sendMany(6))) deliveredAt(end)
      run.cluster.truncate('t', 0, 3)
      for (const end of await run.settle(run.sendMany(3))) deliveredAt(end)
    })
    expect(counts).toMatchObject({ duplicated: 0, wrongStatus: 0, lost: 3 })
  })
})
