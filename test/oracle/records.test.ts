import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  decodeRecordBatch,
  encodeRecordBatch,
  murmur2,
  type Bytes,
  type RecordBatch,
} from '../../src/protocol/protocol.ts'
import { startOracle, type BatchToWrite, type Oracle, type SeenBatch } from '../support/kafka/java-oracle.ts'
import { describeBrokers } from '../support/kafka/require-brokers.ts'
import { SEED, Tally, VALUES } from './comparison.ts'

const BATCHES = VALUES * 4
const KEYS = VALUES * 20
const BATCHES_PER_REQUEST = 50
const KEYS_PER_REQUEST = 2000
/** Kafka's ControlRecordType: what the key of a control record says after its version. */
const [ABORT, COMMIT] = [0, 1]

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  // Both sides of the lengths at which a length takes another byte: 63 for zig-zag.
  fc.integer({ min: 62, max: 66 }).map((n) => 'y'.repeat(n)),
)
const bytes: fc.Arbitrary<Bytes> = fc.oneof(
  { weight: 10, arbitrary: text },
  { weight: 10, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  { weight: 1, arbitrary: fc.constantFrom(8190, 8191, 8192, 8193).map((n) => new Uint8Array(n).fill(n)) },
)
const field = fc.option(bytes, { freq: 4 })
const timestamp = fc.oneof(
  fc.integer({ min: 0, max: 100_000 }).map((ms) => 1_700_000_000_000 + ms),
  fc.integer({ min: 0, max: 2 ** 42 }),
  fc.constantFrom(0, 2 ** 31 - 1, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER),
)
const record = fc.record({
  ...{ timestamp, key: field, value: field },
  headers: fc.oneof(fc.constant([]), fc.array(fc.tuple(text, field), { maxLength: 4 })),
})
/** Kafka refuses ids without epoch and sequence, and transactions without an id. */
const producer = fc.oneof(
  fc.constant({ producerId: -1n, producerEpoch: -1, baseSequence: -1, isTransactional: false }),
  fc.record({
    producerId: fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), fc.constantFrom(0n, 2n ** 63n - 1n)),
    producerEpoch: fc.constantFrom(0, 1, 12_345, 32_767),
    baseSequence: fc.oneof(fc.nat(), fc.constantFrom(0, 2 ** 31 - 1)),
    isTransactional: fc.boolean(),
  }),
)
const place = fc.record({
  baseOffset: fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 2n ** 62n })),
  partitionLeaderEpoch: fc.oneof(fc.constant(-1), fc.nat()),
  logAppendTimeMs: fc.option(fc.integer({ min: 0, max: 2 ** 42 }), { nil: undefined, freq: 3 }),
})
const plainBatch = fc
  .tuple(producer, place, fc.array(record, { minLength: 1, maxLength: 20 }))
  .map(([who, where, records]): BatchToWrite => ({ ...who, ...where, records, isControl: false }))

/** The end of a transaction, as a coordinator writes it: one record whose key says what kind it is. */
const controlBatch = fc
  .record({
    ...{ timestamp, place, type: fc.constantFrom(ABORT, COMMIT), value: fc.uint8Array({ minLength: 6, maxLength: 6 }) },
    producerId: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  })
  .map(({ timestamp, place, type, value, producerId }): BatchToWrite => {
    const key = Buffer.from([0, 0, 0, type])
    const who = { producerId, producerEpoch: 3, baseSequence: -1, isTransactional: true }
    return { ...who, ...place, records: [{ timestamp, key, value, headers: [] }], isControl: true }
  })

describeBrokers("records by Kafka's own classes", () => {
  let oracle: Oracle
  const batches = new Tally()
  let recordCount = 0

  beforeAll(async () => {
    oracle = await startOracle()
  })

  afterAll(async () => {
    batches.print(`record batches of ${recordCount} records`)
    await oracle.close()
  })

  async function compare(arbitrary: fc.Arbitrary<BatchToWrite>, count: number): Promise<void> {
    for (let done = 0; done < count; done += BATCHES_PER_REQUEST) {
      const given = fc.sample(arbitrary, { numRuns: Math.min(BATCHES_PER_REQUEST, count - done), seed: SEED + done })
      const ours = given.map(encode)
      const [written, seen] = await Promise.all([oracle.writeBatches(given), oracle.readBatches(ours)])
      for (const [i, batch] of given.entries()) {
        const where = `seed ${SEED + done}, batch ${i}`
        expect(ours[i]?.toString('hex'), where).toBe(written[i]?.toString('hex'))
        // Both readings beside what was put in, not beside each other.
        expect(seen[i], where).toEqual(asKafkaSees(batch))
        expect(asWeSee(decodeRecordBatch(written[i] ?? Buffer.alloc(0))), where).toEqual(asKafkaSees(batch))
        recordCount += batch.records.length
        batches.bytes += written[i]?.length ?? 0
      }
      batches.values += given.length
    }
  }

  it('batches: the same bytes, valid to Kafka, the same records both ways', () => compare(plainBatch, BATCHES))

  it('control batches: the same bytes, valid to Kafka, the same records both ways', () =>
    compare(controlBatch, Math.ceil(BATCHES / 10)))

  it('a batch with a broken CRC is what Kafka refuses, so that its word on the others counts', async () => {
    const [batch] = fc.sample(plainBatch, { numRuns: 1, seed: SEED })
    const broken = encode(batch as BatchToWrite)
    broken.writeInt8(~broken.readInt8(broken.length - 1), broken.length - 1)
    await expect(oracle.readBatches([broken])).rejects.toThrow('CorruptRecordException')
  })

  it('murmur2 of keys', async () => {
    const tally = new Tally()
    const key = fc.oneof(fc.uint8Array({ maxLength: 12 }), fc.uint8Array({ maxLength: 300 }))
    for (let done = 0; done < KEYS; done += KEYS_PER_REQUEST) {
      const keys = fc.sample(key, { numRuns: Math.min(KEYS_PER_REQUEST, KEYS - done), seed: SEED + done })
      expect(keys.map((bytes) => murmur2(bytes))).toEqual(await oracle.murmur2(keys))
      tally.values += keys.length
      tally.bytes += keys.reduce((sum, { length }) => sum + length, 0)
    }
    tally.print('murmur2 hashes of keys')
  })
})

function encode({ records, logAppendTimeMs, ...options }: BatchToWrite): Buffer {
  const asked = logAppendTimeMs === undefined ? options : { ...options, logAppendTimeMs }
  return Buffer.from(encodeRecordBatch(records, asked))
}

function base64(bytes: Bytes | null): string | null {
  return bytes === null ? null : Buffer.from(bytes as Uint8Array).toString('base64')
}

function asKafkaSees(batch: BatchToWrite): SeenBatch {
  const { records, baseOffset, producerId, logAppendTimeMs, ...rest } = batch
  const latest = Math.max(...records.map(({ timestamp }) => timestamp))
  return {
    ...rest,
    ...{ isValid: true, magic: 2, compression: 'none', producerId: String(producerId) },
    ...{ baseOffset: String(baseOffset), lastOffset: String(baseOffset + BigInt(records.length - 1)) },
    timestampType: logAppendTimeMs === undefined ? 'CreateTime' : 'LogAppendTime',
    maxTimestamp: String(logAppendTimeMs ?? latest),
    records: records.map(({ timestamp, key, value, headers = [] }, i) => ({
      ...{ offset: String(baseOffset + BigInt(i)), timestamp: logAppendTimeMs ?? timestamp },
      ...{ key: base64(key), value: base64(value) },
      headers: headers.map(([name, bytes]) => [name, base64(bytes)] as const),
    })),
  }
}

function asWeSee(batch: RecordBatch): SeenBatch {
  const { baseOffset, lastOffsetDelta, maxTimestamp, producerId, records } = batch
  const { partitionLeaderEpoch, timestampType, producerEpoch, baseSequence, isTransactional, isControl } = batch
  return {
    ...{ partitionLeaderEpoch, timestampType, producerEpoch, baseSequence, isTransactional, isControl },
    ...{ isValid: true, magic: batch.magic, compression: batch.compression, producerId: String(producerId) },
    ...{ baseOffset: String(baseOffset), lastOffset: String(baseOffset + BigInt(lastOffsetDelta)) },
    maxTimestamp: String(maxTimestamp),
    records: records.map(({ offset, timestamp, key, value, headers }) => ({
      ...{ offset: String(offset), timestamp, key: base64(key), value: base64(value) },
      headers: headers.map(([name, bytes]) => [name, base64(bytes)] as const),
    })),
  }
}
