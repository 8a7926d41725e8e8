import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { buildSync } from 'esbuild'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Producer } from '../../src/index.ts'
import { type KafkaError, type ProducerOptions, type ProducerRecord } from '../../src/index.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import { turns, until } from '../support/fake-clock.ts'
import { producerHarness } from '../support/producer-harness.ts'
import { advanceUntilSettled, failureOf } from '../support/settling.ts'

let cluster: TestCluster
let clock: FakeClock
const harness = producerHarness()

beforeEach(async () => {
  cluster = await harness.startCluster({ brokers: 2, topics: { t: 2 }, autoCreateTopics: false })
  clock = harness.clock
})

const newProducer = (options: Partial<ProducerOptions> = {}): Producer => harness.newProducer(options)

const record = (value = 'x', partition = 0): ProducerRecord => ({ topic: 't', partition, value })
const values = (): string[] => cluster.records('t').map(({ value }) => String(value))
const ELSEWHERE = 'the records are of a producer in another process, or thread'
const INDEX = new URL('../../src/index.ts', import.meta.url).href

/** A program of its own; everything that it says, and how it ended. */
async function run(
  program: string,
  signalWhen?: string,
): Promise<{ code: number | null; said: string; complaint: string }> {
  const source = `import { Producer } from ${JSON.stringify(INDEX)}; const brokers = ${JSON.stringify(cluster.bootstrap)}; ${program}`
  const flags = ['--import', 'tsx', '--unhandled-rejections=strict', '--input-type=module', '-e', source]
  const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'pipe'] })
  let heard = ''
  child.stdout.on('data', (chunk: Buffer) => {
    const before = heard
    heard += String(chunk)
    if (signalWhen !== undefined && heard.includes(signalWhen) && !before.includes(signalWhen)) child.kill('SIGTERM')
  })
  const [complaint, [code]] = await Promise.all([text(child.stderr), once(child, 'close') as Promise<[number | null]>])
  return { code, said: heard, complaint }
}

describe('P3: close', () => {
  it.each<[string, (p: Producer) => Promise<unknown> | undefined]>([
    ['before anything', () => undefined],
    ['while it connects', (p) => p.connect().catch(() => undefined)],
    ['while a topic is looked up', (p) => p.send({ topic: 'nobody', value: 'x' }).catch(() => undefined)],
    ['with records that wait to be sent', (p) => p.send(record()).catch(() => undefined)],
    ['while it flushes', (p) => p.flush()],
    ['while it reads', (p) => p.sendAll([record(), record()]).catch(() => undefined)],
    ['while topics are listed', (p) => p.topics().catch(() => undefined)],
    ['while somebody waits for room', (p) => p.ready().catch(() => undefined)],
  ])('%s, twice, with a deadline and without: it ends, and so does what was going on', async (_when, begin) => {
    for (const timeoutMs of [0, 500, undefined]) {
      const producer = newProducer()
      const work = begin(producer)
      const closing = producer.close(timeoutMs === undefined ? {} : { timeoutMs })
      expect(producer.close({ timeoutMs: 0 })).toBe(closing)
      const settled = Promise.allSettled([closing, work])
      await advanceUntilSettled(clock, settled, 1000)
      expect(producer.stats()).toMatchObject({ state: 'closed', unsettled: 0, bufferUsedBytes: 0 })
      expect(await failureOf(producer.send(record()))).toMatchObject({ code: 'CLOSED' })
      await producer.flush()
    }
    expect(clock.pendingMs).toEqual([])
  })

  it.each([0, undefined])(
    'inside the callback of an offer, and in a then of a send (timeoutMs %s)',
    async (timeoutMs) => {
      const options = timeoutMs === undefined ? {} : { timeoutMs }
      const first = newProducer()
      await first.send(record('warm'))
      const closed = new Promise<void>((resolve) => {
        for (let i = 0; i < 3; i++) {
          first.offer(record(String(i)), () => void first.close(options).then(resolve, resolve))
        }
      })
      await closed
      expect(values()).toEqual(['warm', '0', '1', '2'])
      expect(first.stats()).toMatchObject({ unsettled: 0, bufferUsedBytes: 0, delivered: 4 })
      const second = newProducer()
      await second.send(record('then', 1)).then(() => second.close(options))
      expect(second.stats()).toMatchObject({ state: 'closed', unsettled: 0 })
    },
  )

  it('is not kept waiting by ready', async () => {
    const producer = newProducer({ bufferBytes: 2000 })
    await producer.send(record())
    cluster.fail({ api: 'Produce', silent: true, times: Infinity })
    while (producer.offer(record('x'.repeat(300))));
    const ready = failureOf(producer.ready())
    const closing = producer.close({ timeoutMs: 5000 }).catch(() => undefined)
    expect(await ready).toMatchObject({ code: 'CLOSED' }) // time stands still: not at the end of the deadline
    await advanceUntilSettled(clock, closing, 1000)
  })
})

describe('P3: flush', () => {
  it('racing sends waits for those before it, whatever their place', async () => {
    const producer = newProducer()
    for (let round = 0; round < 20; round++) {
      const before = Array.from({ length: 5 }, (_, i) => producer.send(record(`${round}.${i}`, i % 2)))
      let isSettled = false
      void Promise.all(before).then(() => (isSettled = true))
      const flushed = producer.flush()
      const after = producer.send(record('after'))
      await flushed
      await turns(1)
      expect(isSettled).toBe(true)
      await after
    }
  })

  it('inside a callback, with records behind it, comes to its end', async () => {
    const producer = newProducer()
    const order: string[] = []
    await new Promise<void>((resolve) => {
      producer.offer(record('a'), () => {
        void producer.send(record('b')).then(() => order.push('b'))
        void producer.flush().then(() => {
          order.push('flushed')
          resolve()
        })
      })
    })
    expect(order).toEqual(['b', 'flushed'])
  })

  it('with a deadline leaves no timer when it was in time', async () => {
    const producer = newProducer()
    await producer.send(record())
    void producer.send(record())
    await producer.flush({ timeoutMs: 77_000 })
    expect(clock.pendingMs).not.toContain(77_000)
  })
})

describe('the process', () => {
  it('P1: a SIGTERM with 100 000 records on their way: all are acknowledged, and it ends by itself', async () => {
    harness.except({ bytes: ELSEWHERE })
    const { code, said, complaint } = await run(
      `
      const producer = new Producer({ brokers, bufferBytes: 2 ** 27 })
      process.once('SIGTERM', () => void producer.close().then(() => console.log('closed', JSON.stringify(acked))))
      let acked = 0
      await producer.connect()
      for (let i = 0; i < 100_000; i++) void producer.send({ topic: 't', value: 'x' }).then(() => acked++)
      console.log('buffered')
      `,
      'buffered',
    )
    expect(complaint).toBe('')
    expect(said).toContain('closed 100000')
    expect(code).toBe(0)
    expect(cluster.recordCount('t')).toBe(100_000)
  })

  it('P2: a dead cluster: the deadline of close is kept, and every promise says the truth', async () => {
    const producer = newProducer()
    await producer.send(record('warm', 0))
    await producer.send(record('warm', 1))
    const silent = cluster.fail({ api: 'Produce', partition: 0, silent: true, isWritten: false })
    const sent = Array.from({ length: 10 }, () => failureOf(producer.send(record('sent'))))
    await until(() => silent.hits === 1, 'the request')
    await cluster.stopBroker(2)
    const never = Array.from({ length: 10 }, () => failureOf(producer.send(record('never', 1))))
    await turns(5)
    const closing = failureOf(producer.close({ timeoutMs: 2000 }))
    const startMs = clock.now()
    await advanceUntilSettled(clock, closing, 100)
    expect(clock.now() - startMs).toBeLessThanOrEqual(2100)
    expect((await Promise.all(sent)).map(({ code, maybeWritten }) => [code, maybeWritten])).toEqual(
      Array(10).fill(['CLOSED', true]),
    )
    expect((await Promise.all(never)).map(({ code, maybeWritten }) => [code, maybeWritten])).toEqual(
      Array(10).fill(['CLOSED', false]),
    )
    expect((await closing).message).toContain('20 records')
  })

  it('that is done ends by itself, without close; no rejection is left over, whatever failed', async () => {
    harness.except({ bytes: ELSEWHERE })
    const { code, said, complaint } = await run(`
      const open = new Producer({ brokers })
      await open.send({ topic: 't', value: 'x' })
      const codes = new Set()
      const note = (error) => codes.add(error.code)
      const dead = new Producer({ brokers: '127.0.0.1:1', maxBlockMs: 50, deliveryTimeoutMs: 100 })
      await dead.connect().catch(note)
      await dead.send({ topic: 't', value: 'x' }).catch(note)
      await dead.sendAll([{ topic: 't', value: 'x' }, { topic: 't' }]).catch(note)
      await dead.topics().catch(note)
      dead.offer({ topic: 't', value: 'x' }, (error) => note(error))
      const abort = new AbortController()
      const called = dead.send({ topic: 't', value: 'x' }, { signal: abort.signal }).catch(note)
      const ready = dead.ready({ signal: abort.signal }).catch(note)
      const flushed = dead.flush({ signal: abort.signal }).catch(note)
      abort.abort()
      await Promise.all([called, ready, flushed])
      await dead.close({ timeoutMs: 0 }).catch(note)
      await dead.send({ topic: 't', value: 'x' }).catch(note)
      console.log([...codes].sort().join())
    `)
    expect(complaint).toBe('')
    expect(code).toBe(0)
    expect(said.trim().split(',')).toEqual(
      expect.arrayContaining(['ABORTED', 'BATCH_FAILED', 'CLOSED', 'CONNECTION_REFUSED']),
    )
  })

  it('P7: a wall clock that jumps ten years, both ways, moves no deadline', async () => {
    let wallMs = 1_700_000_000_000
    clock.wallNow = () => wallMs
    const producer = newProducer({ deliveryTimeoutMs: 5000 })
    await producer.send(record())
    const idle = [...clock.pendingMs]
    const yearsMs = 10 * 365 * 86_400_000
    for (const jumpMs of [yearsMs, -2 * yearsMs]) {
      wallMs += jumpMs
      await turns(5)
      expect(clock.pendingMs).toEqual(idle)
      expect((await producer.send(record())).timestamp).toBe(wallMs)
    }
    expect(cluster.requests.filter(({ api }) => api === 'ApiVersions').length).toBeLessThanOrEqual(2)
  })
})

describe('P12: leaks', () => {
  const handles = (): number => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCPSocket')).length

  it('300 cycles of connect, send and close leave no socket, timer or listener', async () => {
    const warnings: Error[] = []
    const warn = (warning: Error): void => void warnings.push(warning)
    process.on('warning', warn)
    const { signal } = new AbortController()
    const before = handles()
    for (let cycle = 0; cycle < 300; cycle++) {
      const producer = newProducer()
      await producer.send(record(), { signal })
      await producer.close()
    }
    await until(() => handles() <= before, 'the sockets to be closed')
    process.off('warning', warn)
    expect(clock.pendingMs).toEqual([])
    expect(warnings).toEqual([])
    expect(cluster.recordCount('t')).toBe(300)
  })

  it('a thousand producers at once get on with one another', async () => {
    const one = await harness.startCluster({ topics: { t: 1 } })
    const many = Array.from({ length: 1000 }, () => newProducer())
    await Promise.all(many.map((producer) => producer.send(record())))
    await Promise.all(many.map((producer) => producer.close()))
    expect(one.recordCount('t')).toBe(1000)
    expect(clock.pendingMs).toEqual([])
  })
})

describe('P14: nothing is shared', () => {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-copies-'))
  const copies = ['one.mjs', 'other.mjs'].map((name) => join(folder, name))

  beforeAll(() => {
    const entryPoints = [fileURLToPath(INDEX)]
    for (const outfile of copies) {
      buildSync({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', packages: 'external' })
    }
  })

  afterAll(() => rmSync(folder, { recursive: true }))

  it('by two copies of the package in one process', async () => {
    harness.except({ bytes: ELSEWHERE })
    const { code, said, complaint } = await run(`
      const [first, second] = await Promise.all(${JSON.stringify(copies)}.map((path) => import(path)))
      const [one, other] = [new first.Producer({ brokers }), new second.Producer({ brokers })]
      await Promise.all([one.send({ topic: 't', value: 'a' }), other.send({ topic: 't', value: 'b' })])
      await other.close()
      await one.send({ topic: 't', value: 'c' })
      const isOther = one.stats().producerId !== other.stats().producerId
      console.log(first.Producer === second.Producer, one.stats().delivered, isOther)
    `)
    expect([code, said.trim(), complaint]).toEqual([0, 'false 2 true', ''])
    expect(new Set(values())).toEqual(new Set(['a', 'b', 'c']))
  })

  it('by worker threads', async () => {
    harness.except({ bytes: ELSEWHERE })
    const source = `
      const { workerData } = require('node:worker_threads')
      import(workerData.path).then(async ({ Producer }) => {
        const producer = new Producer({ brokers: workerData.brokers })
        await producer.sendAll(Array.from({ length: 100 }, () => ({ topic: 't', value: 'w' })))
        await producer.close()
      })
    `
    const workerData = { path: copies[0], brokers: cluster.bootstrap }
    const workers = [0, 1].map(() => new Worker(source, { eval: true, workerData, execArgv: [] }))
    const codes = await Promise.all(workers.map(async (worker) => ((await once(worker, 'exit')) as [number])[0]))
    expect(codes).toEqual([0, 0])
    expect(cluster.recordCount('t')).toBe(200)
  })
})

describe('P8: buffers', () => {
  /** Newer than the types that we have. */
  function growable(bytes: number, maxByteLength: number): ArrayBuffer {
    return new (ArrayBuffer as unknown as new (bytes: number, options: object) => ArrayBuffer)(bytes, { maxByteLength })
  }

  it('may be changed and used again once the record has settled, and what was sent stays what it was', async () => {
    const producer = newProducer()
    const bytes = Buffer.from('first')
    await producer.send({ ...record(), value: bytes })
    bytes.write('other')
    await producer.send({ ...record(), value: bytes })
    expect(values()).toEqual(['first', 'other'])
  })

  it('that are changed too early spoil their own record at most', async () => {
    harness.except({ bytes: 'the bytes are changed while they belong to the producer' })
    const producer = newProducer()
    const shared = new Uint8Array(growable(4, 100_000))
    const sends = [
      producer.send(record('a')),
      producer.send({ ...record(), value: shared }),
      producer.send(record('b')),
    ]
    ;(shared.buffer as unknown as { resize: (bytes: number) => void }).resize(100_000) // while its topic is looked up
    await Promise.allSettled(sends)
    expect(values()).toHaveLength(3)
    expect([values()[0], values()[2]]).toEqual(['a', 'b'])
    expect(producer.stats()).toMatchObject({ unsettled: 0, bufferUsedBytes: 0 })
  })
})

describe('P9: records at the edge', () => {
  const lone = '\ud800'
  const replaced = '\ufffd'
  it.each<[string, Partial<ProducerRecord>, unknown]>([
    ['nothing in it', { value: '' }, [null, '', []]],
    ['a tombstone', { value: null, key: 'k' }, ['k', null, []]],
    ['an empty key', { key: '' }, ['', 'x', []]],
    [
      '10 000 headers',
      { headers: Array.from({ length: 10_000 }, (_, i) => [String(i), 'v'] as const) },
      [null, 'x', 10_000],
    ],
    [
      'headers without a name, and with names that are not names',
      {
        headers: [
          ['', 'a'],
          ['__proto__', 'b'],
          ['', null],
        ],
      },
      [
        null,
        'x',
        [
          ['', 'a'],
          ['__proto__', 'b'],
          ['', null],
        ],
      ],
    ],
    [
      'an own header __proto__',
      { headers: JSON.parse('{"__proto__":"p","constructor":"c"}') as Record<string, string> },
      [
        null,
        'x',
        [
          ['__proto__', 'p'],
          ['constructor', 'c'],
        ],
      ],
    ],
    [
      'half characters, which UTF-8 does not have',
      { key: lone, value: `a${lone}b`, headers: { [lone]: lone } },
      [replaced, `a${replaced}b`, [[replaced, replaced]]],
    ],
  ])('%s', async (_what, given, expected) => {
    await newProducer().send({ ...record(), ...given })
    const [row] = cluster.records('t')
    const headers = row!.headers.map(([name, value]) => [name, value === null ? null : String(value)])
    const text = (bytes: Uint8Array | null): string | null => (bytes === null ? null : String(bytes))
    expect([text(row!.key), text(row!.value), headers.length > 100 ? headers.length : headers]).toEqual(expected)
  })

  it.each(['__proto__', 'constructor', 'toString'])('a topic that is called %s', async (topic) => {
    cluster.createTopic(topic, 1)
    const producer = newProducer()
    const report = await producer.sendAll([{ value: 'a' }, { value: 'b' }], { topic })
    expect(report.metadata(1)).toMatchObject({ topic, offset: 1n })
    expect(cluster.records(topic)).toHaveLength(2)
  })

  it('is taken up to the last byte of maxRequestBytes', async () => {
    const maxRequestBytes = 10_000
    const producer = newProducer({ maxRequestBytes })
    const outcome = (bytes: number): Promise<string> =>
      producer.send(record('x'.repeat(bytes))).then(
        () => 'sent',
        (error: unknown) => (error as KafkaError).code,
      )
    let fits = 0
    for (let bytes = 9800; bytes < maxRequestBytes; bytes++) if ((await outcome(bytes)) === 'sent') fits = bytes
    expect(fits).toBeGreaterThan(maxRequestBytes - 110) // the header of a batch, and what a record has around its bytes
    expect(await outcome(fits)).toBe('sent')
    expect(await outcome(fits + 1)).toBe('RECORD_TOO_LARGE')
  })
})

describe('P10 and P11', () => {
  it('P10: of 500 records one that cannot be sent fails alone', async () => {
    const poison = { topic: 't', value: 'x', headers: { h: 5 } } as never
    const records = Array.from({ length: 500 }, (_, i) => (i === 250 ? poison : record(String(i))))
    const report = await newProducer().sendAllSettled(records)
    expect(report.failed.map(({ index, error }) => [index, error.code])).toEqual([[250, 'INVALID_RECORD']])
    expect(values()).toEqual(Array.from({ length: 500 }, (_, i) => String(i)).filter((i) => i !== '250'))
  })

  it('P11: a codec that throws, or answers nonsense, fails its batch and gives everything back', async () => {
    let isBroken = true
    const compress = (bytes: Uint8Array): Uint8Array => {
      if (isBroken) throw new Error('boo')
      return bytes
    }
    const producer = newProducer({ compression: { codec: 'gzip', compress } })
    const failures = [
      failureOf(producer.send(record('a'.repeat(500)))),
      failureOf(producer.send(record('b'.repeat(500), 1))),
    ]
    expect((await Promise.all(failures)).map(({ code, maybeWritten }) => [code, maybeWritten])).toEqual(
      Array(2).fill(['COMPRESSION_FAILED', false]),
    )
    expect(producer.stats()).toMatchObject({ unsettled: 0, bufferUsedBytes: 0 })
    isBroken = false
    await producer.send(record('incompressible goes out as it is'))
    expect(cluster.records('t').map(({ compression }) => compression)).toEqual(['none'])
  })
})
