import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCluster, type RealCluster } from '../support/kafka/cluster.ts'
import { javaTls } from '../support/kafka/java-security.ts'
import { firstLine } from '../support/kafka/first-line.ts'
import { isAlive, processRef, waitGone } from '../support/kafka/process-ref.ts'
import * as readers from '../support/kafka/readers.ts'
import { describeBrokers } from '../support/kafka/require-brokers.ts'
import { canLogIn, logIn, putUser } from '../support/kafka/security-admin.ts'
import { KAFKA_VERSIONS, NEWEST_VERSION, type KafkaVersion } from '../support/kafka/versions.ts'
import { kafkaVersionsUnderTest } from '../support/kafka/versions-under-test.ts'

const underTest = kafkaVersionsUnderTest()
const [firstOfZooKeeper] = underTest.filter(({ mode }) => mode === 'zookeeper')
const OWNER = fileURLToPath(new URL('../support/kafka/owned-cluster.ts', import.meta.url))
const DEATH_TIMEOUT_MS = 5_000
const FIRST_WITH_HEADERS = '0.11.0.3'

const names = KAFKA_VERSIONS.map(({ version }) => version)
const hasBatches = ({ version }: KafkaVersion) => names.indexOf(version) <= names.indexOf(FIRST_WITH_HEADERS)

for (const row of underTest) {
  describeBrokers(`Kafka ${row.version}`, () => {
    let cluster: RealCluster
    let at: readers.AtTopic

    beforeAll(async () => {
      cluster = await startCluster({ version: row.version, nodes: 1 })
      at = { ...cluster.at, topic: `t-${randomUUID()}` }
      await readers.createTopic({ ...at, partitions: 2, replicationFactor: 1 })
    })

    afterAll(async () => {
      await cluster.close()
    })

    it('makes topics, and says who leads their partitions', async () => {
      const state = { leader: 1, replicas: [1], isr: [1] }
      expect(await readers.describeTopic(at)).toEqual([0, 1].map((partition) => ({ partition, ...state })))
      await expect(readers.createTopic({ ...at, partitions: 2, replicationFactor: 1 })).rejects.toThrow(/exists/)
      const helper = await readers.sharedJavaHelper(row.version)
      const other = { ...at, topic: `other-${randomUUID()}` }
      await readers.createTopic({ ...other, partitions: 1, replicationFactor: 1, configs: { 'retention.ms': '-1' } })
      await helper.createPartitions({ ...other, partitions: 3 })
      expect(await helper.endOffsets(other)).toEqual([0n, 0n, 0n])
      await helper.electLeaders(other)
      await readers.deleteTopic(other)
      const described = () => readers.describeTopic(other).catch((error: unknown) => String(error))
      await expect.poll(described, { timeout: 10_000 }).toContain('UnknownTopicOrPartitionException')
    })

    it('gives back what Kafka’s own producer wrote, and shows the stored batches', async () => {
      const records = recordsFor(row)
      const topic = { ...at, topic: `z-${randomUUID()}` }
      await readers.createTopic({ ...topic, partitions: 1, replicationFactor: 1 })
      // All in one batch.
      const properties = { 'compression.type': 'gzip', 'linger.ms': '1000' }
      const written = await readers.produce({ ...topic, properties }, records)
      expect(written).toEqual(records.map((_, i) => ({ partition: 0, offset: BigInt(i) })))
      const offsets = written.map(({ offset }) => offset)
      const expected = records.map((record, i) => ({
        ...{ key: null, value: null, headers: [], timestampType: 'CreateTime', partition: 0, ...record },
        offset: offsets[i],
      }))
      expect(await readers.readTopic(topic)).toEqual(expected)

      const where = { logDir: cluster.logDirs[0] ?? '', topic: topic.topic, partition: 0 }
      const [batch, ...others] = await readers.dumpBatches(where)
      expect(others).toEqual([])
      expect(batch).toMatchObject({ baseOffset: 0n, lastOffset: 2n, count: 3, offsets, compression: 'gzip' })
      expect(batch).toMatchObject({ isValid: true, magic: hasBatches(row) ? 2 : 1, isWrapper: !hasBatches(row) })
      expect(batch).toMatchObject({ baseSequence: hasBatches(row) ? 0 : -1, timestamp: 1_700_000_000_003 })
      expect(await readers.dumpLog(where)).toContain('over and over')
    })

    // The newest version is killed in harness.test.ts.
    const isKilled = row === firstOfZooKeeper || (row.mode === 'kraft' && row.version !== NEWEST_VERSION)
    it.runIf(isKilled)('comes back on its data after SIGKILL', async () => {
      await readers.produce(at, [{ partition: 1, value: Buffer.from('kept') }])
      const [before = 0] = cluster.pids
      await cluster.kill(1)
      await cluster.start(1)
      expect(cluster.pids).not.toEqual([before])
      expect((await readers.readTopic(at)).map(({ value }) => String(value))).toEqual(['kept'])
      expect(await cluster.logTail(1)).toMatch(/started/)
    })

    it.runIf(row.keyStore === 'none')('refuses security with its reason', async () => {
      const starting = startCluster({ version: row.version, nodes: 1, security: true })
      await expect(starting).rejects.toThrow(`Kafka ${row.version} has neither SCRAM`)
    })
  })
}

// The newest version is in harness-security.test.ts; 0.11 differs from 0.10.2 in nothing that is not also in 1.1.
const secured = KAFKA_VERSIONS.filter((row) => row.keyStore !== 'none' && row.version !== NEWEST_VERSION)
const isAsked = (row: KafkaVersion) => row === secured.at(-1) || (underTest.includes(row) && row.refusal === 'says')

for (const row of secured.filter(isAsked).toReversed()) {
  describeBrokers(`Kafka ${row.version} with security`, () => {
    let cluster: RealCluster

    beforeAll(async () => {
      cluster = await startCluster({ version: row.version, nodes: 1, security: true })
    })

    afterAll(async () => {
      await cluster.close()
    })

    it.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])(
      'lets in whoever has the password by %s',
      async (mechanism) => {
        for (const user of ['both=,2C,=3D', 'carol']) {
          const password = cluster.users[user] ?? ''
          await logIn(cluster, { listener: 'saslPlaintext', mechanism, who: { user, password } })
          await logIn(cluster, { listener: 'saslSsl', mechanism, who: { user, password } })
        }
        const wrong = { listener: 'saslPlaintext', mechanism, who: { user: 'carol', password: 'wrong' } } as const
        // What Kafka's client takes for a hang-up takes seconds, and is the same for all.
        const isQuick = row.refusal === 'says' || mechanism === 'SCRAM-SHA-256'
        if (isQuick) expect(await canLogIn(cluster, wrong)).toBe(false)
      },
    )

    it('gives a user another password', async () => {
      await putUser(cluster, 'da,ve=', 'fïrst, =')
      await putUser(cluster, 'da,ve=', 'second')
    })

    it.runIf(row.hasMutualTls)('wants our certificate on mtls, and on no other listener', async () => {
      const at = (listener: 'ssl' | 'mtls', as: 'ssl' | 'mtls') => ({
        ...{ ...cluster.at, bootstrap: cluster.listeners[listener] ?? '' },
        properties: javaTls(cluster, as),
      })
      const helper = await readers.sharedJavaHelper(row.version)
      await helper.ask('login', at('ssl', 'ssl'))
      await helper.ask('login', at('mtls', 'mtls'))
      await expect(helper.ask('login', at('mtls', 'ssl'))).rejects.toThrow('SslAuthenticationException')
    })
  })
}

if (firstOfZooKeeper !== undefined) {
  const { version } = firstOfZooKeeper
  describeBrokers(`Kafka ${version} with ZooKeeper`, () => {
    it('starts three nodes beside another cluster, moves leaders away from a dead one, and leaves no process', async () => {
      await using other = await startCluster({ version, nodes: 1 })
      const cluster = await startCluster({ version, nodes: 3 })
      const processes = [...cluster.pids, cluster.zookeeper?.pid ?? 0].map(processRef)
      expect(processes.map(isAlive)).toEqual([true, true, true, true])
      try {
        const at = { ...cluster.at, topic: `spread-${randomUUID()}` }
        await readers.createTopic({ ...at, partitions: 3, replicationFactor: 3 })
        const leaders = async () => (await readers.describeTopic(at)).map(({ leader }) => leader).sort()
        expect(await leaders()).toEqual([1, 2, 3])
        await cluster.kill(2)
        await expect.poll(leaders, { timeout: 30_000 }).not.toContain(2)
        await cluster.start(2)
        const isr = async () => (await readers.describeTopic(at)).map((partition) => [...partition.isr].sort().join())
        await expect.poll(isr, { timeout: 30_000 }).toEqual(['1,2,3', '1,2,3', '1,2,3'])
        await (await readers.sharedJavaHelper(version)).electLeaders(at)
        await expect.poll(leaders, { timeout: 30_000 }).toEqual([1, 2, 3])
        expect(other.zookeeper?.address).not.toBe(cluster.zookeeper?.address)
      } finally {
        await cluster.close()
      }
      expect(await Promise.all(processes.map((process) => waitGone(process, DEATH_TIMEOUT_MS)))).not.toContain(false)
    })

    it('is gone with its broker when their owner is killed', async () => {
      const stdio = ['ignore', 'pipe', 'inherit'] as const
      const owner = spawn(process.execPath, ['--import', 'tsx', OWNER, version], { stdio: [...stdio] })
      const { pids, logDirs } = JSON.parse(await firstLine(owner.stdout)) as { pids: number[]; logDirs: string[] }
      const processes = pids.map(processRef)
      expect(processes.map(isAlive)).toEqual([true, true])
      owner.kill('SIGKILL')
      expect(await Promise.all(processes.map((process) => waitGone(process, DEATH_TIMEOUT_MS)))).toEqual([true, true])
      await expect.poll(() => logDirs.filter((folder) => existsSync(folder)), { timeout: DEATH_TIMEOUT_MS }).toEqual([])
    })

    it('says why a node died at its start', async () => {
      const starting = startCluster({ version, nodes: 1, properties: { 'num.io.threads': 'many' } })
      await expect(starting).rejects.toThrow(/died while it started[\s\S]*num\.io\.threads/)
    })
  })
}

describe('kafkaVersionsUnderTest', () => {
  const chosen = (asked?: string) => kafkaVersionsUnderTest(asked).map(({ version }) => version)

  it('is what was asked for, oldest first', () => {
    expect(chosen('4.3.1, 0.10.0.1')).toEqual(['0.10.0.1', '4.3.1'])
    expect(chosen('all')).toEqual(names.toReversed())
    expect(chosen('')).toEqual(['0.10.0.1', '0.11.0.3', '2.8.2', '4.3.1'])
  })

  it('does not leave out what it does not know', () => {
    expect(() => chosen('4.3.1,0.9.0.1')).toThrow(/0\.9\.0\.1.*known: 4\.3\.1/)
  })
})

function recordsFor(row: KafkaVersion): readers.RecordToProduce[] {
  const headers = hasBatches(row) ? { headers: [['häder', Buffer.from('📦')] as const, ['empty', null] as const] } : {}
  const text = Buffer.from('over and over '.repeat(50))
  return [
    { timestamp: 1_700_000_000_001, key: Buffer.from('schlüssel\u2028鍵'), value: text, ...headers },
    { timestamp: 1_700_000_000_002, key: null, value: null },
    { timestamp: 1_700_000_000_003, key: Buffer.alloc(0), value: Buffer.from([0, 255, 10, 13]) },
  ]
}
