import { describe, expect, it } from 'vitest'
import { parseRows, type LogRow } from '../support/chaos/log-reader.ts'

const TOPICS = ['first', 'second']

/** Written down by hand from the comment of LogReader.java: topic, partition, offset, timestamp, length, value. */
const ROW = '01' + '00000003' + '0000000000000102' + '0000018bcfe56800' + '00000002' + '6869'
const NULL_ROW = '00' + '00000000' + '0000000000000000' + '0000000000000005' + 'ffffffff'
const END = 'ff' + '0000000000000002'

async function* pieces(hex: string, sizeBytes: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(hex, 'hex')
  for (let at = 0; at < bytes.length; at += sizeBytes) {
    await Promise.resolve()
    yield bytes.subarray(at, at + sizeBytes)
  }
}

async function parsed(hex: string, sizeBytes: number): Promise<LogRow[]> {
  const rows: LogRow[] = []
  for await (const row of parseRows(pieces(hex, sizeBytes), TOPICS)) {
    rows.push({ ...row, value: row.value === null ? null : Buffer.from(row.value) })
  }
  return rows
}

describe('the log as Kafka reads it', () => {
  it('is the same however its stream is cut', async () => {
    const whole = ROW + NULL_ROW + END
    for (let sizeBytes = 1; sizeBytes <= whole.length / 2; sizeBytes++) {
      expect(await parsed(whole, sizeBytes)).toEqual([
        { topic: 'second', partition: 3, offset: 258n, timestamp: 1_700_000_000_000, value: Buffer.from('hi') },
        { topic: 'first', partition: 0, offset: 0n, timestamp: 5, value: null },
      ])
    }
  })

  it('is refused when its end is missing, wherever that is', async () => {
    const whole = ROW + NULL_ROW + END
    for (let bytes = 0; bytes < whole.length / 2; bytes++) {
      await expect(parsed(whole.slice(0, bytes * 2), 1000)).rejects.toThrow('before its end')
    }
  })

  it('is refused when a row is missing', async () => {
    await expect(parsed(ROW + END, 1000)).rejects.toThrow('1 rows arrived, 2 were sent')
  })
})
