import { describe, expect, it } from 'vitest'
import type { Metadata } from '../../src/cluster/metadata.ts'
import type { Batch } from '../../src/producer/batch.ts'
import { PartitionQueue } from '../../src/producer/partition-queue.ts'
import { ProduceExchange, type PartitionAnswer, type ProduceResponse } from '../../src/producer/produce-exchange.ts'

const idOf = (topic: string): string => Buffer.from(topic.padEnd(16)).toString('base64url')
const metadata = { topic: (name: string) => ({ topicId: idOf(name) }) } as unknown as Metadata
const answer = (index: number, baseOffset = 0n): PartitionAnswer =>
  ({ index, errorCode: 0, baseOffset }) as PartitionAnswer

/** How often the partition of a batch was asked for. */
let looks = 0
function batchOf(topic: string, partition: number): Batch {
  const batch = {
    ...{ topic, sizeBytes: 100, format: null, state: 'sealed' },
    get partition() {
      looks++
      return partition
    },
  }
  return batch as unknown as Batch
}

function exchangeOf(topics: Readonly<Record<string, readonly number[]>>): ProduceExchange {
  const exchange = new ProduceExchange()
  for (const [topic, partitions] of Object.entries(topics)) {
    for (const partition of partitions)
      exchange.add(batchOf(topic, partition), new PartitionQueue(topic, partition), metadata)
  }
  looks = 0
  return exchange
}

function match(
  exchange: ProduceExchange,
  version: number,
  rows: readonly (readonly [string, PartitionAnswer[]])[],
): void {
  // An old broker gives no ids, a new one no names.
  const responses = rows.map(([topic, partitionResponses]) => ({
    name: version < 13 ? topic : '',
    topicId: version < 13 ? 'AAAAAAAAAAAAAAAAAAAAAA' : idOf(topic),
    partitionResponses,
  }))
  exchange.match({ responses } as unknown as ProduceResponse, version)
}

const offsetsOf = ({ sent }: ProduceExchange): (bigint | null)[] => sent.map((each) => each.answer?.baseOffset ?? null)

describe.each([12, 13])('answers of v%i find their batches', (version) => {
  it('in any order, the first one for each; what was not asked for is ignored', () => {
    const exchange = exchangeOf({ a: [3, 1], b: [0], c: [7] })
    match(exchange, version, [
      ['b', [answer(5, 99n), answer(0, 30n)]],
      ['x', [answer(3, 99n)]],
      ['a', [answer(1, 20n), answer(3, 10n), answer(1, 99n)]],
      ['a', [answer(3, 99n)]],
    ])
    expect(offsetsOf(exchange)).toEqual([10n, 20n, 30n, null])
  })

  it('of thousands of partitions with an entry each, with a look or two at each', () => {
    const count = 5000
    const exchange = exchangeOf({ a: Array.from({ length: count }, (_, i) => i) })
    const rows = Array.from({ length: count }, (_, i): [string, PartitionAnswer[]] => ['a', [answer(i, BigInt(i))]])
    match(exchange, version, rows.reverse())
    expect(offsetsOf(exchange)).toEqual(Array.from({ length: count }, (_, i) => BigInt(i)))
    expect(looks).toBeLessThan(3 * count)
  })

  it('of a topic that has none left', () => {
    const exchange = exchangeOf({ a: [0], b: [1] })
    ;(exchange.sent[0]?.batch as { state: string }).state = 'settled'
    expect(exchange.takeSettled().map(({ batch }) => batch.topic)).toEqual(['a'])
    match(exchange, version, [
      ['a', [answer(0)]],
      ['b', [answer(1, 5n)]],
    ])
    expect(offsetsOf(exchange)).toEqual([5n])
  })
})
