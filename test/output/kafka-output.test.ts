import { describe, expect, it } from 'vitest'
import { readNdjson, Row, type WriteProgress } from '../../src/output/output.ts'
import { FakeClock, turns, until } from '../support/fake-clock.ts'
import { counts, heard, Lines, newOutput, numbered, outputError, rejection, startCluster, values } from './harness.ts'

/** Of one partition, so that order is everything. */
const onePartition = { topics: { t: 1 } } as const

describe('a write', () => {
  it('resolves when every row is acknowledged, and says how many', async () => {
    const cluster = await startCluster(onePartition)
    const report = await newOutput(cluster).write([{ a: 1 }, { a: 2n ** 60n }, { a: null }])
    expect(values(cluster)).toEqual(['{"a":1}', '{"a":1152921504606846976}', '{"a":null}'])
    expect(report).toEqual({
      ...{ rows: 3, delivered: 3, dropped: 0, safeRows: 3, messages: 3, retried: 0, possibleDuplicates: 0 },
    })
  })

  it('of nothing resolves, and needs a cluster all the same', async () => {
    const cluster = await startCluster()
    expect((await newOutput(cluster).write([])).rows).toBe(0)
    expect(cluster.recordCount('t')).toBe(0)
  })

  it('takes async sources, and rows of the NDJSON reader', async () => {
    const cluster = await startCluster(onePartition)
    async function* rows(): AsyncGenerator<Row> {
      for await (const { result } of readNdjson([Buffer.from('{"a":1.0}\n{"a":9007199254740993}\n')])) {
        if (result instanceof Row) yield result
      }
    }
    await newOutput(cluster).write(rows())
    expect(values(cluster)).toEqual(['{"a":1}', '{"a":9007199254740993}'])
  })

  it('keeps the order of rows within a partition, over ten thousand of them', async () => {
    const cluster = await startCluster()
    await newOutput(cluster).write(numbered(10_000))
    for (const partition of [0, 1, 2]) {
      const found = cluster.records('t').filter((record) => record.partition === partition)
      const numbers = found.map(({ value }) => (JSON.parse(String(value)) as { n: number }).n)
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
    }
    expect(cluster.recordCount('t')).toBe(10_000)
  })

  it('called while another one runs comes after it, whole', async () => {
    const cluster = await startCluster(onePartition)
    const output = newOutput(cluster)
    async function* slow(): AsyncGenerator<object> {
      for (const row of numbered(3)) {
        await turns(3)
        yield row
      }
    }
    await Promise.all([output.write(slow()), output.write(numbered(2, 10)), output.write(numbered(1, 20))])
    expect(values(cluster)).toEqual(['{"n":0}', '{"n":1}', '{"n":2}', '{"n":10}', '{"n":11}', '{"n":20}'])
  })

  it('reads no further than there is room', async () => {
    const cluster = await startCluster()
    const rule = cluster.fail({ api: 'Produce', times: 1000, silent: true })
    const output = newOutput(cluster, { producer: { bufferBytes: 100_000, batchBytes: 1000 }, maxMessageBytes: 10_000 })
    let taken = 0
    function* endless(): Generator<object> {
      for (;;) yield { n: taken++ }
    }
    const write = output.write(endless())
    write.catch(() => 'it ends with close, below')
    await until(() => rule.hits > 0, 'a request is out')
    await turns(50)
    const before = taken
    await turns(50)
    expect(taken).toBe(before)
    expect(taken).toBeLessThan(300)
    expect(output.metrics()['Backlogged Input Events']).toBe(taken)
    await expect(output.close({ timeoutMs: 0 })).rejects.toMatchObject({ code: 'CLOSED', maybeWritten: true })
  })

  it('tells its progress, and what of it is safe', async () => {
    const cluster = await startCluster(onePartition)
    const told: WriteProgress[] = []
    const output = newOutput(cluster, { errorPolicy: 'Drop' })
    const bad = { a: NaN }
    await output.write([{ a: 1 }, bad, { a: 2 }, bad], { onProgress: (progress) => told.push(progress) })
    expect(told.at(-1)).toMatchObject({ rows: 4, delivered: 2, dropped: 2, safeRows: 4 })
    expect(told.map(({ safeRows }) => safeRows)).toEqual(
      [...told.map(({ safeRows }) => safeRows)].sort((a, b) => a - b),
    )
  })

  it('counts nothing as safe behind a row that is not acknowledged', async () => {
    const cluster = await startCluster({ topics: { t: 2 }, brokers: 2 })
    const output = newOutput(cluster)
    const rule = cluster.fail({ api: 'Produce', times: 1, partition: 0, topic: 't', silent: true })
    const told: WriteProgress[] = []
    // Of two rows one goes to each partition; that of partition 0 gets no answer.
    const controller = new AbortController()
    const write = output.write(numbered(6), { onProgress: (one) => told.push(one), signal: controller.signal })
    write.catch(() => 'it is called off, below')
    await until(() => rule.hits === 1 && (told.at(-1)?.delivered ?? 0) > 0, 'partition 1 has answered')
    expect(told.at(-1)?.delivered).toBe(3)
    expect(told.at(-1)?.safeRows).toBeLessThanOrEqual(1)
    controller.abort(new Error('enough'))
    expect((await outputError(write)).code).toBe('ABORTED')
  })

  it('that is called off rejects at once, and says what it knows', async () => {
    const cluster = await startCluster()
    cluster.fail({ api: 'Produce', times: 1000, silent: true })
    const controller = new AbortController()
    const output = newOutput(cluster)
    const write = output.write(numbered(4), { signal: controller.signal })
    await until(() => output.metrics()['Input Events'] === 4, 'all rows are taken')
    const reason = new Error('the user pressed a button')
    controller.abort(reason)
    const error = await outputError(write)
    expect(error).toMatchObject({ code: 'ABORTED', unsettledRows: 4, maybeWritten: true, cause: reason })
    expect(error.report).toMatchObject({ rows: 4, delivered: 0, safeRows: 0 })
  })

  it('whose source throws settles what was read, and rejects with its error', async () => {
    const cluster = await startCluster(onePartition)
    function* broken(): Generator<object> {
      yield { a: 1 }
      throw new RangeError('disk on fire')
    }
    const error = await outputError(newOutput(cluster).write(broken()))
    expect(error).toMatchObject({ code: 'SOURCE_FAILED', unsettledRows: 0, cause: new RangeError('disk on fire') })
    expect(error.report).toMatchObject({ delivered: 1, safeRows: 1 })
    expect(values(cluster)).toEqual(['{"a":1}'])
  })

  it.each([
    ['rows', 'text', {}],
    ['rows', 7, {}],
    ['signal', [], { signal: 1 }],
    ['firstRow', [], { firstRow: 1.5 }],
    ['onProgress', [], { onProgress: true }],
  ])('refuses wrong %s', async (name, rows, options) => {
    const output = newOutput({ bootstrap: '127.0.0.1:1' })
    const error = await outputError(output.write(rows as never, options as never))
    expect(error).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(`: ${name}: got`) as string,
    })
  })

  it('packs rows, and sends what is open when a source is slow', async () => {
    const cluster = await startCluster(onePartition)
    const clock = new FakeClock()
    const output = newOutput(cluster, { rowsPerMessage: 3, clock })
    let release = (): void => undefined
    const gate = new Promise<void>((resolve) => (release = resolve))
    async function* rows(): AsyncGenerator<object> {
      yield* numbered(4)
      await gate
      yield { n: 4 }
    }
    const write = output.write(rows())
    await until(() => cluster.recordCount('t') === 1, 'the first message is full')
    await clock.advance(1000)
    await until(() => cluster.recordCount('t') === 2, 'the open message goes')
    release()
    expect(await write).toMatchObject({ rows: 5, messages: 3, safeRows: 5 })
    expect(values(cluster)).toEqual(['{"n":0}\n{"n":1}\n{"n":2}', '{"n":3}', '{"n":4}'])
  })
})

describe('close', () => {
  it('waits for what is on its way', async () => {
    const cluster = await startCluster()
    cluster.fail({ api: 'Produce', times: 1, delayMs: 30 })
    const output = newOutput(cluster)
    const write = output.write(numbered(3))
    await until(() => output.metrics()['Input Events'] === 3, 'all rows are taken')
    await output.close()
    expect((await write).delivered).toBe(3)
    expect(cluster.recordCount('t')).toBe(3)
  })

  it('says how many rows nobody knows of', async () => {
    const cluster = await startCluster()
    const rule = cluster.fail({ api: 'Produce', times: 1000, silent: true })
    const clock = new FakeClock()
    const output = newOutput(cluster, { clock })
    const write = outputError(output.write(numbered(3)))
    await until(() => rule.hits > 0, 'a request is out')
    const closed = outputError(output.close({ timeoutMs: 500 }))
    await until(() => clock.pendingMs.includes(500), 'it waits')
    await clock.advance(500)
    expect(await closed).toMatchObject({ code: 'CLOSED', unsettledRows: 3, maybeWritten: true })
    expect(await write).toMatchObject({ code: 'CLOSED', unsettledRows: 3, maybeWritten: true })
  })

  it('ends a reading, and later writes', async () => {
    const cluster = await startCluster()
    const output = newOutput(cluster)
    let returned = false
    async function* endless(): AsyncGenerator<object> {
      try {
        yield { n: 1 }
        await new Promise(() => undefined)
      } finally {
        returned = true
      }
    }
    const write = outputError(output.write(endless()))
    await until(() => output.metrics()['Output Events'] === 1, 'a row is written')
    await output.close()
    expect(await write).toMatchObject({ code: 'CLOSED', unsettledRows: 0 })
    expect(returned).toBe(false) // it hangs in its own `await`; nobody waits for it
    expect(await rejection(output.write([]))).toMatchObject({ code: 'CLOSED' })
    expect(output.close()).toBe(output.close())
  })

  it('refuses a wrong deadline, and closes nothing then', async () => {
    const cluster = await startCluster()
    const output = newOutput(cluster)
    expect(await rejection(output.close({ timeoutMs: -1 }))).toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect((await output.write([{ a: 1 }])).delivered).toBe(1)
  })
})

describe('an output', () => {
  it('says in one line of the log where it writes', async () => {
    const cluster = await startCluster()
    const { logger, ...lines } = linesOf()
    const started = heard('headrace:output:started')
    await newOutput(cluster, { logger }).write([{ a: 1 }])
    await until(() => started.length === 1, 'it has found out how old the broker is')
    expect(started).toEqual([{ outputAlias: 'telemetry', topic: 't', partitions: 3, lacks: [] }])
    expect(lines.all().filter((line) => line.includes('writes to topic'))).toHaveLength(1)
  })

  it('counts under the names of Stream Analytics', async () => {
    const cluster = await startCluster()
    const output = newOutput(cluster, { errorPolicy: 'Drop' })
    await output.write([{ a: 1 }, { a: NaN }])
    await turns(2)
    expect(output.metrics()).toEqual({
      ...{ 'Input Events': 2, 'Output Events': 1, 'Dropped Events': 1, 'Data Conversion Errors': 1 },
      ...{ 'Runtime Errors': 0, 'Backlogged Input Events': 0, 'Watermark Delay': 0 },
    })
    expect(counts(cluster).reduce((sum, count) => sum + count)).toBe(1)
  })
})

function linesOf(): { logger: Lines['logger']; all: () => string[] } {
  const lines = new Lines()
  return { logger: lines.logger, all: () => lines.of('info') }
}
