import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Row } from '../../src/output/output.ts'
import { murmur2 } from '../../src/protocol/protocol.ts'
import { until } from '../support/fake-clock.ts'
import { counts, newOutput, numbered, outputError, startCluster } from './harness.ts'

describe('a blank partition key', () => {
  it('asa-Z7: goes to one partition after the other: counts differ by one at most, whatever a write is', async () => {
    const cluster = await startCluster({ topics: { t: 7 } })
    const output = newOutput(cluster)
    let written = 0
    for (const count of [1, 5, 7, 100, 1, 1, 1, 333]) {
      await output.write(numbered(count))
      written += count
      const found = counts(cluster, 7)
      expect(found.reduce((sum, each) => sum + each)).toBe(written)
      expect(Math.max(...found) - Math.min(...found)).toBeLessThanOrEqual(1)
    }
    expect(cluster.records('t').every(({ key }) => key === null)).toBe(true)
  })

  it('asa-Z7: and stays even when a leader moves in the middle', async () => {
    const topics = { t: { partitions: 6, replicationFactor: 3 } }
    const cluster = await startCluster({ brokers: 3, topics })
    const output = newOutput(cluster)
    async function* rows(): AsyncGenerator<object> {
      for (const row of numbered(3000)) {
        if (row.n === 1000) {
          await until(() => cluster.recordCount('t') > 500, 'some are written')
          await cluster.stopBroker(2)
        }
        yield row
      }
    }
    const report = await output.write(rows())
    expect(report).toMatchObject({ rows: 3000, delivered: 3000 })
    const found = counts(cluster, 6)
    expect(found.reduce((sum, each) => sum + each)).toBe(3000)
    // While no leader is known the others take what would have been its turn.
    expect(Math.max(...found) - Math.min(...found)).toBeLessThanOrEqual(2)
  })

  it('takes packed messages in turn, too', async () => {
    const cluster = await startCluster({ topics: { t: 4 } })
    await newOutput(cluster, { rowsPerMessage: 10 }).write(numbered(400))
    expect(counts(cluster, 4)).toEqual([10, 10, 10, 10])
  })
})

describe('a partition key', () => {
  it('asa-Z7: is the key of the record, and the same key goes to the same partition: that of Java', async () => {
    const cluster = await startCluster({ topics: { t: 5 } })
    const rows = Array.from({ length: 200 }, (_, i) => ({ n: i, deviceId: `device-${i % 17}` }))
    await newOutput(cluster, { partitionKey: 'DEVICEID' }).write(rows)
    for (const { key, partition, value } of cluster.records('t')) {
      const { deviceId } = JSON.parse(String(value)) as { deviceId: string }
      expect(String(key)).toBe(deviceId)
      expect(partition).toBe((murmur2(Buffer.from(deviceId)) & 0x7fffffff) % 5)
    }
  })

  it.each<[unknown, string]>([
    [17n, '17'],
    [2n ** 63n - 1n, '9223372036854775807'],
    [0.5, '0.5'],
    [-0, '-0.0'],
    [true, 'true'],
    ['', ''],
    ['a,"b"', 'a,"b"'],
    ['äöü€😀', 'äöü€😀'],
    [new Date(0), '1970-01-01T00:00:00.0000000Z'],
  ])('of %s is its UTF-8, as in CSV without quotes', async (value, key) => {
    const cluster = await startCluster()
    // A row of the reader: there -0 is a float.
    const row = typeof value === 'number' ? new Row(['k'], [value]) : { k: value }
    await newOutput(cluster, { partitionKey: 'k' }).write([row])
    expect(cluster.records('t').map((record) => String(record.key))).toEqual([key])
  })

  it.each<[string, object, string]>([
    ['is missing', { a: 1 }, 'REQUIRED_COLUMN_MISSING'],
    ['is null', { k: null }, 'REQUIRED_COLUMN_MISSING'],
    ['is a record', { k: { a: 1 } }, 'TYPE_CONVERSION_ERROR'],
    ['is an array', { k: [1] }, 'TYPE_CONVERSION_ERROR'],
    ['is no UTF-8', { k: '\ud800' }, 'TYPE_CONVERSION_ERROR'],
  ])('that %s is a conversion error, which names the column', async (_, row, code) => {
    const cluster = await startCluster()
    const codes: string[] = []
    const onDataError = ({ Message }: { Message: string }): void => void codes.push(Message)
    const output = newOutput(cluster, { partitionKey: 'k', errorPolicy: 'Drop', onDataError })
    expect(await output.write([row])).toMatchObject({ dropped: 1 })
    expect(codes).toEqual([expect.stringContaining(`${code}: row 1, column "k"`)])
  })

  it('that is missing may go anywhere, if that is allowed', async () => {
    const cluster = await startCluster()
    await newOutput(cluster, { partitionKey: 'k', missingPartitionKey: 'round-robin' }).write(numbered(30))
    expect(counts(cluster)).toEqual([10, 10, 10])
  })

  it('finds its partition by CRC-32, as librdkafka does, if that is chosen', async () => {
    const cluster = await startCluster({ topics: { t: 5 } })
    const rows = Array.from({ length: 50 }, (_, i) => ({ k: `key-${i}` }))
    await newOutput(cluster, { partitionKey: 'k', partitioner: 'consistent_random' }).write(rows)
    const { crc32 } = await import('node:zlib').then((zlib) => ({
      crc32: (zlib as { crc32?: Crc32 }).crc32 ?? slowCrc32,
    }))
    for (const { key, partition } of cluster.records('t')) expect(partition).toBe(crc32(String(key)) % 5)
  })

  it('is shared by the rows of a message, which keep their order for each key', async () => {
    const row = fc.record({ k: fc.constantFrom('a', 'b', 'c'), n: fc.nat(1000) })
    const cluster = await startCluster()
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 30 }), async (rows) => {
        const before = cluster.recordCount('t')
        const output = newOutput(cluster, { partitionKey: 'k', rowsPerMessage: 4 })
        await output.write(rows)
        await output.close()
        expect(cluster.recordCount('t')).toBeGreaterThan(before)
        const all = cluster.records('t').flatMap(({ key, value }) =>
          String(value)
            .split('\n')
            .map((line) => ({ key: String(key), row: JSON.parse(line) as { k: string; n: number } })),
        )
        expect(all.every((one) => one.key === one.row.k)).toBe(true)
        for (const key of ['a', 'b', 'c']) {
          const wanted = rows.filter(({ k }) => k === key)
          const found = all.filter((one) => one.key === key).map((one) => one.row)
          expect(found.slice(found.length - wanted.length)).toEqual(wanted)
        }
      }),
      { numRuns: 20 },
    )
  })
})

describe('a timestamp column', () => {
  it('gives records their time; null leaves it to the time of writing', async () => {
    const cluster = await startCluster({ topics: { t: 1 } })
    const at = new Date('2014-09-10T12:01:00.123Z')
    const text = '2014-09-10T12:01:00.1239999Z'
    await newOutput(cluster, { timestampColumn: 'At' }).write([{ at }, { at: text }, { at: null }, {}])
    const times = cluster.records('t').map(({ timestamp }) => timestamp)
    expect(times.slice(0, 2)).toEqual([at.getTime(), at.getTime()])
    expect(times.slice(2).every((ms) => Math.abs(ms - Date.now()) < 60_000)).toBe(true)
  })

  it.each([17, 'yesterday', true, { a: 1 }, new Date('1969-12-31T23:59:59Z')])(
    'that holds %j is refused',
    async (at) => {
      const cluster = await startCluster()
      const output = newOutput(cluster, { timestampColumn: 'at', errorPolicy: 'Drop' })
      expect(await output.write([{ at }])).toMatchObject({ dropped: 1, delivered: 0 })
    },
  )
})

describe('a row that the output cannot place', () => {
  it('does not go elsewhere: a topic that is missing ends the write, with names like it', async () => {
    const cluster = await startCluster({ topics: { tt: 1 }, autoCreateTopics: false })
    const error = await outputError(newOutput(cluster, { producer: { maxBlockMs: 500 } }).write(numbered(3)))
    expect(error).toMatchObject({ code: 'WRITE_FAILED', cause: { code: 'UNKNOWN_TOPIC_OR_PARTITION' } })
    expect(error.message).toContain('did you mean "tt"?')
    expect(error.report).toMatchObject({ delivered: 0, safeRows: 0 })
  })
})

type Crc32 = (text: string) => number

/** The definition, bit by bit; Node has one from 22.2 on. */
function slowCrc32(text: string): number {
  let crc = -1
  for (const byte of Buffer.from(text)) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return (crc ^ -1) >>> 0
}
