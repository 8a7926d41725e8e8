import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { connect as tlsConnect, type ConnectionOptions } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCluster, type RealCluster } from '../support/kafka/cluster.ts'
import { javaSecurity } from '../support/kafka/java-security.ts'
import { accepts, hostAndPort } from '../support/kafka/probe.ts'
import { firstLine } from '../support/kafka/first-line.ts'
import { isAlive, processRef, waitGone } from '../support/kafka/process-ref.ts'
import * as readers from '../support/kafka/readers.ts'
import { describeBrokers, planBrokerTests } from '../support/kafka/require-brokers.ts'

const OWNER = fileURLToPath(new URL('../support/kafka/owned-cluster.ts', import.meta.url))
const DEATH_TIMEOUT_MS = 5_000

const RECORDS: readers.RecordToProduce[] = [
  { partition: 0, timestamp: 1_700_000_000_001, key: Buffer.from('plain'), value: Buffer.from('value') },
  { partition: 0, timestamp: 1_700_000_000_002, key: null, value: null, headers: [['empty', null]] },
  {
    partition: 1,
    timestamp: 1_700_000_000_003,
    key: Buffer.from('schlüssel\u2028鍵'),
    value: Buffer.from([0, 255, 10, 13]),
    headers: [
      ['häder\u2028', Buffer.from('📦')],
      ['twice', Buffer.from('1')],
      ['twice', Buffer.alloc(0)],
    ],
  },
]

describeBrokers('a real cluster of one node', () => {
  let cluster: RealCluster
  let at: readers.AtTopic

  beforeAll(async () => {
    cluster = await startCluster({ version: '4.3.1', nodes: 1 })
    at = { bootstrap: cluster.listeners.plaintext, topic: `t-${randomUUID()}` }
    await readers.createTopic({ ...at, partitions: 2, replicationFactor: 1 })
  })

  afterAll(async () => {
    await cluster.close()
  })

  it('gives back what Kafka’s own producer wrote, before and after the node was killed', async () => {
    const helper = await readers.sharedJavaHelper()
    const written = await helper.produce(at, RECORDS)
    expect(written).toEqual([
      { partition: 0, offset: 0n },
      { partition: 0, offset: 1n },
      { partition: 1, offset: 0n },
    ])
    const expected = RECORDS.map((record, i) => ({
      ...{ key: null, value: null, headers: [], timestampType: 'CreateTime', ...record },
      offset: written[i]?.offset,
    }))
    expect(await readers.readTopic(at)).toEqual(expected)

    const [before] = cluster.pids
    await cluster.kill(1)
    expect(await accepts(cluster.listeners.plaintext)).toBe(false)
    await cluster.start(1)
    expect(cluster.pids).not.toEqual([before])
    expect(await readers.readTopic(at)).toEqual(expected)
  })

  it('shows the stored batches with codec, sequence and checksum', async () => {
    const helper = await readers.sharedJavaHelper()
    const topic = `z-${randomUUID()}`
    await helper.createTopic({ ...at, topic, partitions: 1, replicationFactor: 1 })
    const text = Buffer.from('over and over '.repeat(50))
    await helper.produce({ ...at, topic, properties: { 'compression.type': 'zstd', 'linger.ms': '1000' } }, [
      { value: text },
      { value: text },
    ])
    const where = { logDir: cluster.logDirs[0] ?? '', topic, partition: 0 }
    const [batch, ...others] = await readers.dumpBatches(where)
    expect(others).toEqual([])
    expect(batch).toMatchObject({ baseOffset: 0n, lastOffset: 1n, count: 2, magic: 2, compression: 'zstd' })
    expect(batch).toMatchObject({ baseSequence: 0, isValid: true, producerEpoch: 0 })
    expect(await readers.dumpLog(where)).toContain('over and over')
  })

  it('reads 100 000 records in seconds', async () => {
    const helper = await readers.sharedJavaHelper()
    const topic = `many-${randomUUID()}`
    await helper.createTopic({ ...at, topic, partitions: 2, replicationFactor: 1 })
    const value = Buffer.alloc(100, 'v')
    await helper.produce(
      { ...at, topic },
      Array.from({ length: 100_000 }, (_, i) => ({ partition: i % 2, value })),
    )
    const read = await helper.readTopic({ ...at, topic, timeoutMs: 30_000 })
    expect(read).toHaveLength(100_000)
    expect(read.slice(49_999, 50_001).map(({ partition, offset }) => [partition, offset])).toEqual([
      [0, 49_999n],
      [1, 0n],
    ])
    expect(await helper.endOffsets({ ...at, topic })).toEqual([50_000n, 50_000n])
  })

  it('answers with the hashes and partitions of Java', async () => {
    const helper = await readers.sharedJavaHelper()
    // From UtilsTest.testMurmur2 of Apache Kafka.
    expect(await helper.murmur2([Buffer.from('21'), Buffer.from('foobar')], [1])).toEqual([
      { hash: -973932308, partitions: [0] },
      { hash: -790332482, partitions: [0] },
    ])
  })

  it('says what is missing when a read cannot be finished', async () => {
    await expect(readers.readTopic({ ...at, topic: `none-${randomUUID()}`, timeoutMs: 1 })).rejects.toThrow()
    await expect(readers.readTopic({ ...at, count: 1_000_000, timeoutMs: 300 })).rejects.toThrow(/1000000 records/)
  })
})

describeBrokers('starting and ending real clusters', () => {
  it('rejects with the end of the log when a node dies at its start', async () => {
    const starting = startCluster({ version: '4.3.1', nodes: 1, properties: { 'num.io.threads': 'many' } })
    await expect(starting).rejects.toThrow(/died while it started[\s\S]*num\.io\.threads/)
  })

  it('leaves no process and no folder when its owner is killed, even with a paused node', async () => {
    const owner = spawn(process.execPath, ['--import', 'tsx', OWNER], { stdio: ['ignore', 'pipe', 'inherit'] })
    const { pids, logDirs } = JSON.parse(await firstLine(owner.stdout)) as { pids: number[]; logDirs: string[] }
    const nodes = pids.map(processRef)
    expect(nodes.map(isAlive)).toEqual([true])
    owner.kill('SIGKILL')
    expect(await Promise.all(nodes.map((node) => waitGone(node, DEATH_TIMEOUT_MS)))).toEqual([true])
    await expect.poll(() => logDirs.filter((folder) => existsSync(folder)), { timeout: DEATH_TIMEOUT_MS }).toEqual([])
  })
})

describeBrokers('a real cluster of three nodes with security', () => {
  let cluster: RealCluster

  beforeAll(async () => {
    cluster = await startCluster({ version: '4.3.1', nodes: 3, security: true })
  })

  afterAll(async () => {
    await cluster.close()
  })

  it('spreads a topic over its nodes and elects others when one is killed', async () => {
    const at = { bootstrap: cluster.listeners.plaintext, topic: `spread-${randomUUID()}` }
    await readers.createTopic({ ...at, partitions: 3, replicationFactor: 3 })
    const leaders = async () => (await readers.describeTopic(at)).map(({ leader }) => leader).sort()
    expect(await leaders()).toEqual([1, 2, 3])
    await cluster.kill(2)
    await expect.poll(leaders, { timeout: 30_000 }).not.toContain(2)
    await cluster.start(2)
    const isr = async () => (await readers.describeTopic(at)).map((partition) => [...partition.isr].sort())
    await expect.poll(isr, { timeout: 30_000 }).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ])
    await (await readers.sharedJavaHelper()).electLeaders(at)
    await expect.poll(leaders, { timeout: 30_000 }).toEqual([1, 2, 3])
  })

  it('speaks TLS on ssl, mtls and saslSsl, with certificates its CA vouches for', async () => {
    const { files, listeners } = cluster
    const ca = readFileSync(files.ca ?? '')
    const client = { cert: readFileSync(files.clientCert ?? ''), key: readFileSync(files.clientKey ?? '') }
    for (const addresses of [listeners.ssl, listeners.saslSsl]) {
      for (const address of (addresses ?? '').split(',')) expect(await handshake(address, { ca })).toBe('TLSv1.3')
    }
    for (const address of (listeners.mtls ?? '').split(',')) {
      expect(await handshake(address, { ca, ...client })).toBe('TLSv1.3')
    }
    await expect(handshake(listeners.ssl?.split(',')[0] ?? '', {})).rejects.toThrow(/certificate/)
  })

  it.each([
    ['saslPlaintext', 'PLAIN'],
    ['saslSsl', 'SCRAM-SHA-256'],
    ['saslPlaintext', 'SCRAM-SHA-512'],
  ] as const)('lets alice in on %s by %s, and nobody with a wrong password', async (listener, mechanism) => {
    const helper = await readers.sharedJavaHelper()
    const at = { bootstrap: cluster.listeners[listener] ?? '', topic: `absent-${randomUUID()}` }
    const settings = (password: string) => javaSecurity(cluster, listener, mechanism, password)
    // Whoever is let in hears that the topic does not exist.
    const right = helper.describeTopic({ ...at, properties: settings(cluster.users['alice'] ?? '') })
    await expect(right).rejects.toThrow('UnknownTopicOrPartitionException')
    const wrong = helper.describeTopic({ ...at, properties: settings('wrong') })
    await expect(wrong).rejects.toThrow('SaslAuthenticationException')
  })

  it('lets an unsigned token in on saslSsl by OAUTHBEARER', async () => {
    const helper = await readers.sharedJavaHelper()
    const at = { bootstrap: cluster.listeners.saslSsl ?? '', topic: `absent-${randomUUID()}` }
    const described = helper.describeTopic({ ...at, properties: javaSecurity(cluster, 'saslSsl', 'OAUTHBEARER', '') })
    await expect(described).rejects.toThrow('UnknownTopicOrPartitionException')
  })
})

describe('planBrokerTests', () => {
  it('skips where brokers are missing, and fails where they must not be', () => {
    const missing = { ok: false, reason: 'no java' } as const
    expect(planBrokerTests({ ok: true }, true)).toBe('run')
    expect(planBrokerTests(missing, false)).toBe('skip')
    expect(planBrokerTests(missing, true)).toBe('fail')
  })
})

function handshake(address: string, options: ConnectionOptions): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({ ...hostAndPort(address), ...options }, () => {
      resolve(socket.getProtocol())
      socket.destroy()
    })
    socket.once('error', reject)
  })
}
