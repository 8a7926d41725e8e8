import { DeliveryError, RecordMetadata } from '../../../src/index.ts'
import type { Books } from './load.ts'
import type { LogRow } from './log-reader.ts'

/** Faults of the harness's own making: a judge that stays green with one of them judges nothing. */
export const SABOTAGES = ['lose', 'double', 'reorder', 'lie', 'misplace', 'unsettle', 'corrupt', 'coordinates'] as const
export type Sabotage = (typeof SABOTAGES)[number]

/** Its victim is the record with this number among those that were delivered, or read: no start-up is special. */
const VICTIM = 25

/** Books that are told something untrue about one record: `lie`, `unsettle` and `coordinates`. */
export function sabotagedBooks(books: Books, sabotage: Sabotage | undefined): Books {
  let deliveries = 0
  return {
    next: (topic, partition, sizeBytes) => books.next(topic, partition, sizeBytes),
    accepted: (id) => books.accepted(id),
    failed: (id, error) => books.failed(id, error),
    delivered(id, metadata) {
      const { topic, partition, offset, timestamp } = metadata
      if (++deliveries !== VICTIM) {
        books.delivered(id, metadata)
        return
      }
      if (sabotage === 'unsettle') return
      if (sabotage === 'lie') {
        books.failed(id, new DeliveryError('DELIVERY_TIMEOUT', 'sabotage'))
        return
      }
      const at = sabotage === 'coordinates' ? offset + 1n : offset
      books.delivered(id, new RecordMetadata(topic, partition, at, timestamp))
    },
  }
}

/** The log with one row that is not so: `lose`, `double`, `reorder`, `misplace` and `corrupt`. */
export async function* sabotagedLog(
  rows: AsyncIterable<LogRow>,
  sabotage: Sabotage | undefined,
): AsyncGenerator<LogRow> {
  let read = 0
  let kept: LogRow | null = null
  let lastOffset = 0n
  for await (const row of rows) {
    read++
    if (read === VICTIM && sabotage !== undefined) {
      kept = { ...row, value: row.value === null ? null : Buffer.from(row.value) }
      lastOffset = row.offset
      const replacement = replaced(kept, sabotage)
      if (replacement !== null) yield replacement
      continue
    }
    const isNextOfVictim = kept !== null && row.topic === kept.topic && row.partition === kept.partition
    if (isNextOfVictim) lastOffset = row.offset
    if (sabotage === 'reorder' && kept !== null && isNextOfVictim) {
      yield { ...row, offset: kept.offset }
      yield { ...kept, offset: row.offset }
      kept = null
      continue
    }
    yield row
  }
  if (sabotage === 'double' && kept !== null) yield { ...kept, offset: lastOffset + 1n }
}

/** Null: nothing, for now. */
function replaced(row: LogRow, sabotage: Sabotage): LogRow | null {
  switch (sabotage) {
    case 'lose':
    case 'reorder':
      return null
    case 'misplace':
      return { ...row, partition: row.partition + 1000 }
    case 'corrupt': {
      const value = Buffer.from(row.value ?? 'x')
      value[value.length - 1] = (value.at(-1) ?? 0) ^ 1
      return { ...row, value }
    }
    default:
      return row
  }
}
