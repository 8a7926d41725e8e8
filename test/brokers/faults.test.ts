import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Producer } from '../../src/index.ts'
import { startCluster, type RealCluster } from '../support/kafka/cluster.ts'
import { createTopic, readTopic, type ReadRecord } from '../support/kafka/readers.ts'
import { describeBrokers } from '../support/kafka/require-brokers.ts'
import { startCli } from '../support/run-cli.ts'
import { telcoLines } from '../support/telco-lines.ts'

const INDEX = new URL('../../src/index.ts', import.meta.url).href

/** Duplicates are allowed until idempotence is there, holes and swaps are not: first copies come in the order of sends. */
function expectAllInOrder(records: readonly ReadRecord[], values: readonly string[]): void {
  const place = new Map(values.map((value, i) => [value, i]))
  const seen = new Set<string>()
  const lastPlace = new Map<number, number>()
  for (const { partition, value } of records) {
    const text = String(value)
    if (seen.has(text)) continue
    seen.add(text)
    const at = place.get(text) ?? NaN
    expect(at).toBeGreaterThan(lastPlace.get(partition) ?? -1)
    lastPlace.set(partition, at)
  }
  expect(values.filter((value) => !seen.has(value))).toEqual([])
}

describeBrokers('a broker that dies', () => {
  let single: RealCluster
  let three: RealCluster

  beforeAll(async () => {
    ;[single, three] = await Promise.all([
      startCluster({ version: '4.3.1', nodes: 1 }),
      startCluster({ version: '4.3.1', nodes: 3, properties: { 'min.insync.replicas': '2' } }),
    ])
  })

  afterAll(async () => {
    await Promise.all([single.close(), three.close()])
  })

  it("by SIGKILL during 'headrace produce' and comes back: everything arrives, in order", async () => {
    const bootstrap = single.listeners.plaintext
    const topic = `t-${randomUUID()}`
    await createTopic({ bootstrap, topic, partitions: 2, replicationFactor: 1 })
    const lines = telcoLines(20_000).filter((line) => line !== '')
    const half = Math.floor(lines.length / 2)
    const { child, ended } = startCli(['produce', '--brokers', bootstrap, '--topic', topic, '--json'])
    child.stdin.write(lines.slice(0, half).join('\n') + '\n')
    await readTopic({ bootstrap, topic, count: 1000 }) // it is in the middle of its work
    await single.kill(1)
    child.stdin.end(lines.slice(half).join('\n') + '\n')
    await single.start(1)
    const { code, stdout } = await ended
    expect(JSON.parse(stdout)).toMatchObject({ records: lines.length, delivered: lines.length, failed: 0 })
    expect(code).toBe(0)
    expectAllInOrder(await readTopic({ bootstrap, topic }), lines)
  })

  it('while others take over: awaited sends go on, in order, and are where they say', async () => {
    const bootstrap = three.listeners.plaintext
    const topic = `t-${randomUUID()}`
    await createTopic({ bootstrap, topic, partitions: 3, replicationFactor: 3 })
    await using producer = new Producer({ brokers: bootstrap })
    const [{ leader } = { leader: 1 }] = await producer.partitionsFor(topic)
    const values = Array.from({ length: 3000 }, (_, i) => `value-${i}`)
    const sends = values.slice(0, 1500).map((value, i) => producer.send({ topic, partition: i % 3, value }))
    await sends[0]
    await three.kill(leader)
    sends.push(...values.slice(1500).map((value, i) => producer.send({ topic, partition: i % 3, value })))
    const placed = await Promise.all(sends)
    const read = await readTopic({ bootstrap, topic })
    expectAllInOrder(read, values)
    const at = new Map(read.map(({ partition, offset, value }) => [`${partition} ${offset}`, String(value)]))
    expect(placed.map(({ partition, offset }) => at.get(`${partition} ${offset}`))).toEqual(values)
    await three.start(leader)
  })

  it('does not matter to a process that was frozen past its deadlines: what was answered is delivered', async () => {
    const bootstrap = three.listeners.plaintext
    const topic = `t-${randomUUID()}`
    await createTopic({ bootstrap, topic, partitions: 6, replicationFactor: 3 })
    await using producer = new Producer({ brokers: bootstrap, deliveryTimeoutMs: 2000 })
    const records = Array.from({ length: 6 }, (_, partition) => ({ topic, partition, value: 'x' }))
    await producer.sendAll(records)
    const sends = Promise.all(records.map((record) => producer.send(record)))
    await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve))) // the requests are out
    const frozenUntilMs = performance.now() + 3000
    while (performance.now() < frozenUntilMs);
    expect((await sends).map(({ offset }) => offset)).toEqual(records.map(() => 1n))
  })

  it('forgets nothing and hangs nowhere: a program that sends, and one that also closes, end by themselves', async () => {
    const brokers = single.listeners.plaintext
    for (const close of ['await producer.close()', '']) {
      const program = `
        import { Producer } from ${JSON.stringify(INDEX)}
        const producer = new Producer({ brokers: ${JSON.stringify(brokers)} })
        await producer.send({ topic: 'exit', value: 'x' })
        ${close}
        process.once('exit', () => process.stdout.write(String(performance.now() - doneAt)))
        const doneAt = performance.now()`
      const cwd = fileURLToPath(new URL('../..', import.meta.url))
      const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], { cwd })
      let stdout = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
      const [exitCode] = (await once(child, 'close')) as [number | null]
      expect(exitCode).toBe(0)
      // Far above the 12 ms of users.md section 2, far below any timer of ours: it is about ending by itself.
      expect(Number(stdout)).toBeLessThan(1000)
    }
  })
})
