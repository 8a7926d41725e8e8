import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { foreignBrokerAvailable, startForeignBroker, type ForeignBroker } from '../support/kafka/foreign-broker.ts'
import { accepts } from '../support/kafka/probe.ts'
import { firstLine } from '../support/kafka/first-line.ts'
import { isAlive, processRef, waitGone } from '../support/kafka/process-ref.ts'
import type { RecordToProduce } from '../support/kafka/readers.ts'
import { describeBrokers, describeWhere } from '../support/kafka/require-brokers.ts'

const OWNER = fileURLToPath(new URL('../support/kafka/owned-foreign-brokers.ts', import.meta.url))
const DEATH_TIMEOUT_MS = 5_000

const RECORDS: RecordToProduce[] = [
  { partition: 0, timestamp: 1_700_000_000_001, key: Buffer.from('schlüssel'), value: Buffer.from([0, 255, 10, 13]) },
  { partition: 0, timestamp: 1_700_000_000_002, key: null, value: null, headers: [['empty', null]] },
  { partition: 2, timestamp: 1_700_000_000_003, value: Buffer.alloc(0), headers: [['häder', Buffer.from('📦')]] },
]

const kinds = ['kfake', 'librdkafka-mock'] as const
const available = await Promise.all(kinds.map(foreignBrokerAvailable))

for (const [index, kind] of kinds.entries()) {
  describeWhere(available[index]!, kind, () => {
    let broker: ForeignBroker

    beforeAll(async () => {
      broker = await startForeignBroker(kind, { nodes: 3 })
      await broker.createTopic('t', 3)
    })

    afterAll(async () => {
      await broker.close()
    })

    it('gives back what a producer that is not ours wrote', async () => {
      expect(broker.bootstrap.split(',')).toHaveLength(3)
      const written = await broker.produce('t', RECORDS)
      expect(written.map(({ partition, offset }) => [partition, offset])).toEqual([
        [0, 0n],
        [0, 1n],
        [2, 0n],
      ])
      const expected = RECORDS.map((record, i) => ({
        ...{ key: null, value: null, headers: [], timestampType: 'CreateTime', ...record },
        offset: written[i]?.offset,
      }))
      expect(await broker.readTopic({ topic: 't' })).toEqual(expected)
      expect(await broker.readTopic({ topic: 't', count: 2 })).toHaveLength(2)
    })

    it('says what is missing', async () => {
      await expect(broker.createTopic('t', 3)).rejects.toThrow(/exists/)
      await expect(broker.readTopic({ topic: 'absent' })).rejects.toThrow(/absent/)
      await expect(broker.readTopic({ topic: 't', count: 9, timeoutMs: 300 })).rejects.toThrow(/Timeout/)
    })

    it('is gone after close', async () => {
      const other = await startForeignBroker(kind)
      expect(await accepts(other.bootstrap)).toBe(true)
      await other.close()
      expect(await accepts(other.bootstrap)).toBe(false)
      await other.close()
    })
  })
}

describeBrokers('foreign brokers', () => {
  it.skipIf(available.some(({ ok }) => !ok))('end with their owner', async () => {
    const owner = spawn(process.execPath, ['--import', 'tsx', OWNER], { stdio: ['ignore', 'pipe', 'inherit'] })
    const processes = (JSON.parse(await firstLine(owner.stdout)) as number[]).map(processRef)
    expect(processes.map(isAlive)).toEqual([true, true])
    owner.kill('SIGKILL')
    expect(await Promise.all(processes.map((process) => waitGone(process, DEATH_TIMEOUT_MS)))).toEqual([true, true])
  })
})
