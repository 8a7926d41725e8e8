import { beforeEach, describe, expect, it } from 'vitest'
import type { Producer } from '../../src/index.ts'
import { type KafkaError, type ProducerOptions } from '../../src/index.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import { type TestClusterOptions } from '../../src/testing/test-cluster.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import { producerHarness } from '../support/producer-harness.ts'
import { advanceUntilSettled } from '../support/settling.ts'

const NAMES = ['a', 'b', 'c', 'd']
const valueOf = (name: string): string => name.repeat(300)

const harness = producerHarness()
let cluster: TestCluster
let clock: FakeClock
let producer: Producer

beforeEach(() => {
  clock = harness.clock
})

async function start(options: Partial<ProducerOptions>, clusterOptions: Partial<TestClusterOptions>): Promise<void> {
  cluster = await harness.startCluster({ brokers: 1, topics: { t: 2 }, ...clusterOptions })
  producer = harness.newProducer(options)
  await producer.connect()
}

/** A batch of four records for each partition; the broker finds that of partition 0 too large. */
async function sendTooLarge(): Promise<(KafkaError | null)[][]> {
  const rule = cluster.fail({ api: 'Produce', topic: 't', partition: 0, error: 'MESSAGE_TOO_LARGE' })
  const outcomes: (KafkaError | null)[][] = [[], []]
  const sends = NAMES.flatMap((name) =>
    [0, 1].map((partition) =>
      producer.send({ topic: 't', partition, value: valueOf(name) }).then(
        () => outcomes[partition]?.push(null),
        (error: unknown) => outcomes[partition]?.push(error as KafkaError),
      ),
    ),
  )
  await advanceUntilSettled(clock, Promise.all(sends), 50)
  expect(rule.hits).toBe(1)
  return outcomes
}

function expectRest(): void {
  expect(producer.stats()).toMatchObject({ unsettled: 0, bufferUsedBytes: 0, batchesInFlight: 0 })
}

const values = (partition: number): string[] =>
  cluster
    .records('t')
    .filter((row) => row.partition === partition)
    .map(({ value }) => String(value))

describe('a batch that is too large', () => {
  const formats = (['none', 'gzip', 'snappy', 'lz4'] as const).flatMap((compression) =>
    [
      [0, 1],
      [0, 2],
    ].map(([min, max]) => [compression, min, max] as const),
  )

  it.each(formats)('is cut up in the old formats, too: %s, Produce %i to %i', async (compression, min = 0, max = 0) => {
    await start({ compression }, { apiVersions: { Produce: [min, max], InitProducerId: false } })
    const outcomes = await sendTooLarge()
    expect(outcomes.flat().filter((error) => error !== null)).toEqual([])
    expect(producer.stats().splits).toBe(1)
    expect(values(0)).toEqual(NAMES.map(valueOf))
    expect(values(1)).toEqual(NAMES.map(valueOf))
    expectRest()
    expect(cluster.violations).toEqual([])
  })

  it('fails when what a codec of the user made of it cannot be read again, and nothing else does', async () => {
    const compress = (bytes: Uint8Array): Uint8Array => bytes.slice(0, 40)
    harness.except({ clusterIsContent: 'the brokers cannot read it either' })
    await start({ compression: { codec: 'gzip', compress } }, {})
    const [refused = [], others = []] = await sendTooLarge()
    expect(refused.map((error) => error?.code)).toEqual(NAMES.map(() => 'COMPRESSION_FAILED'))
    expect(refused[0]).toMatchObject({ topic: 't', partition: 0, maybeWritten: false })
    expect(refused[0]?.message).toContain('MESSAGE_TOO_LARGE')
    expect(others.map((error) => error?.code)).not.toContain('COMPRESSION_FAILED')
    expectRest()
  })
})
