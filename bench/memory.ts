/**
 * What records cost while they have not settled, and that nothing is kept of those that have.
 *
 *     node --expose-gc --import tsx bench/memory.ts [silent] [through] [idle] [cost] [--seconds 60] [--records 10000000] [--brokers HOST:PORT]
 *
 * - `silent`: full speed against brokers that never answer, and a caller that never awaits. RSS above idle, against
 *   3 x bufferBytes + 64 MiB.
 * - `through`: so many records to a cluster (a TestCluster in a process of its own, unless `--brokers` is given), and the
 *   heap after each tenth of them.
 * - `idle`: timers that fire in an hour in which nothing is sent.
 * - `cost`: what an unsettled record of 100 bytes really takes, for each way to send it.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Producer, type ProducerOptions } from '../src/index.ts'
import { TestCluster } from '../src/testing/test-cluster.ts'
import { FakeClock } from '../test/support/fake-clock.ts'

const MIB = 1024 * 1024
const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '60' },
    records: { type: 'string', default: '10000000' },
    brokers: { type: 'string' },
    topic: { type: 'string', default: 'memory' },
    serve: { type: 'boolean', default: false },
  },
})
const isWanted = (name: string): boolean => positionals.length === 0 || positionals.includes(name)

function collect(): void {
  if (globalThis.gc === undefined) throw new Error('run it with node --expose-gc --import tsx bench/memory.ts')
  globalThis.gc()
}

/** Heap and buffers after a collection, bytes. */
async function heldBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collect()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** The cluster in a process of its own: its memory is not ours. */
async function serve(): Promise<void> {
  const cluster = await TestCluster.start({ brokers: 3, topics: { memory: 12 }, keepRecords: false })
  process.on('message', (message: { fail: 'Produce' | 'all' | null }) => {
    if (message.fail === 'Produce') cluster.fail({ api: 'Produce', silent: true, times: Infinity, isWritten: false })
    if (message.fail === 'all') for (const broker of [1, 2, 3]) cluster.blackHole(broker)
    process.send?.({ bootstrap: cluster.bootstrap })
  })
  process.on('disconnect', () => process.exit())
}

async function startCluster(fail: 'Produce' | 'all' | null): Promise<{ bootstrap: string; child: ChildProcess }> {
  const execArgv = ['--import', 'tsx']
  const child = fork(fileURLToPath(import.meta.url), ['--serve'], { execArgv })
  await once(child, 'spawn')
  child.send({ fail })
  const [{ bootstrap }] = (await once(child, 'message')) as [{ bootstrap: string }]
  return { bootstrap, child }
}

async function stopCluster(child: ChildProcess): Promise<void> {
  child.disconnect()
  await once(child, 'exit')
}

async function silent(fail: 'Produce' | 'all', valueBytes: number, seconds: number): Promise<object> {
  const { bootstrap, child } = await startCluster(fail)
  const producer = new Producer({ brokers: bootstrap })
  const { bufferBytes } = producer.stats()
  const value = Buffer.alloc(valueBytes, 'x')
  await heldBytes()
  const idleRss = process.memoryUsage.rss()
  let [peakRss, peakUsed, refused, calls] = [0, 0, 0, 0]
  const endMs = performance.now() + seconds * 1000
  while (performance.now() < endMs) {
    for (let i = 0; i < 500; i++, calls++) producer.send({ topic: 'memory', value }).catch(() => refused++)
    await turn()
    peakRss = Math.max(peakRss, process.memoryUsage.rss())
    peakUsed = Math.max(peakUsed, producer.stats().bufferUsedBytes)
  }
  const { unsettled } = producer.stats()
  await producer.close({ timeoutMs: 0 }).catch(() => undefined)
  const { bufferUsedBytes } = producer.stats()
  await stopCluster(child)
  const limit = 3 * bufferBytes + 64 * MIB
  return {
    'no answer to': fail,
    'value bytes': valueBytes,
    calls,
    refused,
    unsettled,
    'held at most, of bufferBytes': (peakUsed / bufferBytes).toFixed(2),
    'RSS above idle MiB': ((peakRss - idleRss) / MIB).toFixed(0),
    'allowed MiB': (limit / MIB).toFixed(0),
    verdict: peakRss - idleRss <= limit ? 'ok' : 'OVER',
    'held after close': bufferUsedBytes,
  }
}

async function through(records: number, brokers: string | undefined): Promise<void> {
  const started = brokers === undefined ? await startCluster(null) : null
  const producer = new Producer({ brokers: brokers ?? started?.bootstrap ?? '' })
  const value = Buffer.alloc(100, 'x')
  const rows: object[] = []
  const startMs = performance.now()
  for (let part = 1; part <= 10; part++) {
    for (let i = 0; i < records / 10; i++) {
      while (!producer.offer({ topic: args.topic, value })) await producer.ready()
      if (i % 2048 === 0) await turn()
    }
    await producer.flush()
    const { delivered, failed, bufferUsedBytes } = producer.stats()
    const heapMiB = ((await heldBytes()) / MIB).toFixed(2)
    rows.push({
      delivered,
      failed,
      'heap after gc MiB': heapMiB,
      'RSS MiB': (process.memoryUsage.rss() / MIB).toFixed(0),
      bufferUsedBytes,
    })
  }
  console.table(rows)
  console.log(`${Math.round(records / ((performance.now() - startMs) / 1000))} records/s`)
  await producer.close()
  if (started !== null) await stopCluster(started.child)
}

async function idle(): Promise<void> {
  await using cluster = await TestCluster.start({ topics: { t: 4 } })
  const clock = new FakeClock()
  let fired = 0
  const after = clock.after.bind(clock)
  clock.after = (delayMs, fn) =>
    after(delayMs, () => {
      fired++
      fn()
    })
  const producer = new Producer({ brokers: cluster.bootstrap }, clock)
  await producer.send({ topic: 't', value: 'x' })
  fired = 0
  for (let minute = 0; minute < 60; minute++) await clock.advance(60_000)
  console.log(`idle for an hour: ${fired} timers fired (allowed: 60)`)
  await producer.close()
}

/** Bytes per unsettled record beyond its value. */
async function cost(name: string, valueBytes: number, options: Partial<ProducerOptions>): Promise<object> {
  const { bootstrap, child } = await startCluster('Produce')
  const producer = new Producer({ brokers: bootstrap, bufferBytes: 2 ** 30, ...options })
  const value = Buffer.alloc(valueBytes, 'x')
  const record = { topic: 'memory', value }
  const count = Math.round((50 * MIB) / (valueBytes + 500))
  const before = await heldBytes()
  const work: Promise<unknown>[] = []
  const awaited = async (): Promise<void> => {
    await producer.send(record)
  }
  for (let i = 0; i < count; i++) {
    if (name === 'await send') awaited().catch(() => undefined)
    else if (name === 'send, kept') work.push(producer.send(record))
    else if (name === 'send') producer.send(record).catch(() => undefined)
    else if (name === 'offer') producer.offer(record)
    else if (name === 'offer, done') producer.offer(record, () => undefined)
    if (i % 1000 === 0) await turn()
  }
  for (const each of work) each.catch(() => undefined)
  if (name === 'sendAll') producer.sendAll(new Array(count).fill(record)).catch(() => undefined)
  while (producer.stats().accepted < count) await turn()
  const held = (await heldBytes()) - before
  const charged = producer.stats().bufferUsedBytes
  await producer.close({ timeoutMs: 0 }).catch(() => undefined)
  await stopCluster(child)
  const perRecord = (bytes: number): number => Math.round(bytes / count)
  return {
    how: name,
    'value bytes': valueBytes,
    records: count,
    'really held': perRecord(held),
    'beyond the value': perRecord(held) - valueBytes,
    charged: perRecord(charged),
  }
}

if (args.serve) await serve()
else {
  console.log(`Node ${process.version}, load ${loadavg()[0]?.toFixed(1) ?? '?'}`)
  if (isWanted('cost')) {
    const rows: object[] = []
    for (const valueBytes of [100, 1024]) {
      for (const name of ['send', 'await send', 'send, kept', 'sendAll', 'offer', 'offer, done'])
        rows.push(await cost(name, valueBytes, {}))
    }
    console.table(rows)
  }
  if (isWanted('idle')) await idle()
  if (isWanted('silent')) {
    const rows: object[] = []
    for (const fail of ['Produce', 'all'] as const) {
      for (const valueBytes of [100, 1024, 102_400]) rows.push(await silent(fail, valueBytes, Number(args.seconds)))
    }
    console.table(rows)
  }
  if (isWanted('through')) await through(Number(args.records), args.brokers)
}
