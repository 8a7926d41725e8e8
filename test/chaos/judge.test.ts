import { describe, expect, it } from 'vitest'
import { RecordMetadata } from '../../src/index.ts'
import type { LogRow } from '../support/chaos/log-reader.ts'
import { SABOTAGES, sabotagedBooks, sabotagedLog, type Sabotage } from '../support/chaos/sabotage.ts'
import { Ledger, type Verdict } from '../support/oracles.ts'

const RECORDS = 200
const PARTITIONS = 2

/** A faultless cluster: all of the values are where they belong. The harness alone falsifies. */
async function verdictOf(sabotage: Sabotage | undefined, idempotent: boolean): Promise<Verdict> {
  const ledger = new Ledger({ idempotent, acks: 'all', seed: 1, countsRetries: true })
  const books = sabotagedBooks(ledger, sabotage)
  const rows: LogRow[] = []
  for (let i = 0; i < RECORDS; i++) {
    const partition = i % PARTITIONS
    const { id, value } = books.next('t', partition, 100)
    const row = { topic: 't', partition, offset: BigInt(Math.floor(i / PARTITIONS)), timestamp: 1000 + i, value }
    books.accepted(id)
    books.delivered(id, new RecordMetadata('t', partition, row.offset, row.timestamp))
    rows.push(row)
  }
  for await (const row of sabotagedLog(replay(rows), sabotage)) ledger.read(row)
  return ledger.finish()
}

async function* replay(rows: readonly LogRow[]): AsyncGenerator<LogRow> {
  for (const row of rows) {
    await Promise.resolve()
    yield row
  }
}

const ORACLES: Readonly<Record<Sabotage, string>> = {
  ...{ lose: 'O2', double: 'O3', reorder: 'O4', lie: 'O5', misplace: 'O8', unsettle: 'O1', corrupt: 'O8' },
  coordinates: 'O6',
}

describe.each([true, false])('the judge of chaos, idempotent %s', (idempotent) => {
  it('finds nothing where nothing is wrong', async () => {
    const { counts, violations } = await verdictOf(undefined, idempotent)
    expect(violations).toEqual([])
    expect(counts).toMatchObject({ accepted: RECORDS, delivered: RECORDS, read: RECORDS, lost: 0, duplicated: 0 })
  })

  it.each(SABOTAGES)('sees one record in 200 that was sabotaged: %s', async (sabotage) => {
    const { violations } = await verdictOf(sabotage, idempotent)
    expect(violations.some((violation) => violation.startsWith(ORACLES[sabotage]))).toBe(true)
  })
})
