import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { newAnalytics, segmentClientAvailable, type Analytics } from '../clients/segment-node/segment-client.ts'
import { canarySecret, expectNoSecret } from '../support/canary.ts'
import { startCluster, type RealCluster } from '../support/kafka/cluster.ts'
import { createTopic, readTopic } from '../support/kafka/readers.ts'
import { describeWhere } from '../support/kafka/require-brokers.ts'
import { startCli, type RunningCli } from '../support/run-cli.ts'
import { listeningAt } from '../support/listening-at.ts'

const EVENTS = 10_000
const BEFORE = 2000

/** Sends events and remembers the ids that the client gave them. */
function sendTracks(analytics: Analytics, from: number, to: number, ids: Set<string>): void {
  for (let i = from; i < to; i++) {
    analytics.track({ userId: `u-${i % 50}`, event: 'Order Completed', properties: { i } }, (_error, context) => {
      ids.add(context.event.messageId)
    })
  }
}

describeWhere(await segmentClientAvailable(), "Segment's own client and the event service", () => {
  const writeKey = canarySecret('write key of the event service', (random) => random)
  const topic = `t-${randomUUID()}`
  let cluster: RealCluster
  let folder: string
  let service: RunningCli

  beforeAll(async () => {
    cluster = await startCluster({ version: '4.3.1', nodes: 1 })
    await createTopic({ ...cluster.at, topic, partitions: 3, replicationFactor: 1 })
    folder = await mkdtemp(path.join(tmpdir(), 'headrace-events-'))
    const config = path.join(folder, 'config.json')
    const fields = { topic, key: { '@path': '$.userId' }, payload: { '@path': '$.' } }
    const login = { ssl_enabled: false }
    const document = {
      settings: { clientId: 'event-service', brokers: cluster.listeners.plaintext, ...login },
      producer: { sasl: null },
      mappings: [{ name: 'all', fields }],
      dedupe: true,
      // So short that clients send what is still on its way a second time.
      listen: { writeKeys: [{ env: 'WRITE_KEY' }], maxEventsInFlight: 4000, answerTimeoutMs: 1000 },
    }
    await writeFile(config, JSON.stringify(document), { mode: 0o600 })
    const args = ['destination', '--config', config, '--listen', '0']
    service = startCli(args, { env: { WRITE_KEY: writeKey } })
  })

  afterAll(async () => {
    service.child.kill('SIGKILL')
    await Promise.all([cluster.close(), rm(folder, { recursive: true, force: true })])
  })

  it('seg-S22: 10 000 events arrive exactly once, while the broker is killed and restarted', async () => {
    const host = await listeningAt(service)
    const analytics = newAnalytics({ writeKey, host, flushAt: 100, flushInterval: 500 })
    const given = new Set<string>()
    const errors: unknown[] = []
    let retries = 0
    analytics.on('error', (error) => errors.push(error))
    analytics.on('http_request', ({ headers }) => (retries += 'X-Retry-Count' in headers ? 1 : 0))
    sendTracks(analytics, 0, BEFORE, given)
    await readTopic({ ...cluster.at, topic, count: 100 }) // it is in the middle of its work
    sendTracks(analytics, BEFORE, EVENTS / 2, given)
    await cluster.kill(1)
    sendTracks(analytics, EVENTS / 2, EVENTS, given)
    const flushed = analytics.closeAndFlush()
    await cluster.start(1)
    await flushed
    expect(errors).toEqual([])
    expect(given.size).toBe(EVENTS)
    const records = await readTopic({ ...cluster.at, topic })
    const ids = records.map(({ value }) => (JSON.parse(String(value)) as { messageId: string }).messageId)
    expect(ids).toHaveLength(EVENTS)
    expect(new Set(ids)).toEqual(given)
    // Else nothing of the above was tried.
    expect(retries).toBeGreaterThan(0)
    const events = records.map(({ value }) => JSON.parse(String(value)) as Record<string, unknown>)
    expect(events.every(({ receivedAt, sentAt, type }) => Boolean(receivedAt && sentAt) && type === 'track')).toBe(true)
  })

  it('seg-S22: SIGTERM ends it, and nothing of the write key was said', async () => {
    service.child.kill('SIGTERM')
    const { code, stdout, stderr } = await service.ended
    expect(code).toBe(0)
    expect(stdout).toBe('')
    expectNoSecret(stderr, [writeKey])
  })
})
