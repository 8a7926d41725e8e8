import { describe, expect, it } from 'vitest'
import { until } from '../support/fake-clock.ts'
import { heard, Lines, newOutput, numbered, startCluster, values } from './harness.ts'

describe('asa-Z11: brokers of Kafka 0.10', () => {
  it.each(['0.10.0', '0.10.2'] as const)(
    'get rows as message set v1, without idempotence: %s',
    async (kafkaVersion) => {
      const cluster = await startCluster({ kafkaVersion, topics: { t: 1 } })
      const lines = new Lines()
      const started = heard('headrace:output:started')
      const output = newOutput(cluster, { logger: lines.logger, partitionKey: 'n' })
      expect(await output.write(numbered(100))).toMatchObject({ delivered: 100, safeRows: 100 })
      expect(values(cluster)).toEqual(numbered(100).map((row) => JSON.stringify(row)))
      const [first] = cluster.records('t')
      expect(first?.headers).toEqual([])
      expect(Number(first?.producerId)).toBe(-1)
      expect(cluster.violations).toEqual([])
      await until(() => started.length === 1, 'the start is told')
      expect(started[0]?.lacks).toEqual([
        'headers, idempotence (a retry may write a second copy), batches of format v2 (message set v1 is used)',
      ])
      const line = lines.of('info').find((message) => message.includes('writes to topic'))
      expect(line).toMatch(/the broker is most likely Kafka 0\.10[^;]*, which lacks: headers, idempotence/)
    },
  )

  it('are said to lack Zstd, if it is wanted', async () => {
    const cluster = await startCluster({ kafkaVersion: '1.1', topics: { t: 1 } })
    const started = heard('headrace:output:started')
    const output = newOutput(cluster, { compressionType: 'Zstd' })
    const write = output.write(numbered(1)).catch((error: unknown) => error)
    await until(() => started.length === 1, 'the start is told')
    expect(started[0]?.lacks).toEqual(['Zstd'])
    // Too old for the codec: that is an answer, not a wait.
    expect(await write).toMatchObject({ code: 'WRITE_FAILED' })
  })
})
