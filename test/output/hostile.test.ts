import { describe, expect, it } from 'vitest'
import { DateTime, Row } from '../../src/output/output.ts'
import { FakeClock, turns, until } from '../support/fake-clock.ts'
import { dataErrorSink, newOutput, numbered, outputError, startCluster, values } from './harness.ts'

const onePartition = { topics: { t: 1 } } as const

/** An async iterable as somebody might write it who knows nothing of generators. */
function handMade(iterator: object): AsyncIterable<object> {
  return { [Symbol.asyncIterator]: () => iterator as AsyncIterator<object> }
}

describe('a source', () => {
  it('whose iterator gives no promises is read all the same', async () => {
    const cluster = await startCluster(onePartition)
    let n = 0
    const source = handMade({ next: () => ({ done: n === 3, value: { n: n++ } }) })
    expect(await newOutput(cluster).write(source)).toMatchObject({ rows: 3, delivered: 3 })
  })

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('bad return')
      },
    ],
    ['gives no promise', () => ({})],
    ['rejects', () => Promise.reject(new Error('bad return'))],
    ['never ends', () => new Promise(() => undefined)],
  ])('whose return() %s does not hide why it was left', async (_, leave) => {
    const cluster = await startCluster(onePartition)
    const reason = new Error('enough')
    const controller = new AbortController()
    let n = 0
    const source = handMade({
      next: () => {
        if (n === 5) controller.abort(reason)
        return Promise.resolve({ done: false, value: { n: n++ } })
      },
      return: leave,
    })
    const error = await outputError(newOutput(cluster).write(source, { signal: controller.signal }))
    expect(error).toMatchObject({ code: 'ABORTED', cause: reason })
  })

  it('that has no end, of bad rows, leaves the event loop its turns under Drop', async () => {
    const cluster = await startCluster(onePartition)
    const controller = new AbortController()
    let taken = 0
    function* bad(): Generator<object> {
      for (; taken < 20_000; taken++) {
        if (taken === 10) setImmediate(() => controller.abort(new Error('enough')))
        yield { a: NaN }
      }
    }
    const output = newOutput(cluster, { errorPolicy: 'Drop' })
    expect((await outputError(output.write(bad(), { signal: controller.signal }))).code).toBe('ABORTED')
    expect(taken).toBeLessThan(2000)
  })

  it('that throws the error of another output is a source that failed', async () => {
    const cluster = await startCluster(onePartition)
    const other = newOutput({ bootstrap: '127.0.0.1:1' })
    await other.close()
    async function* rows(): AsyncGenerator<object> {
      yield { n: 1 }
      await other.write([])
    }
    const error = await outputError(newOutput(cluster).write(rows()))
    expect(error).toMatchObject({ code: 'SOURCE_FAILED', cause: { code: 'CLOSED' } })
  })
})

describe('listeners', () => {
  it('that are async and reject do not end the process', async () => {
    const cluster = await startCluster(onePartition)
    const unhandled: unknown[] = []
    const hear = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', hear)
    const reject: () => unknown = () => Promise.reject(new Error('disk full'))
    const logger = { debug: reject, info: reject, warn: reject, error: reject }
    const output = newOutput(cluster, { errorPolicy: 'Drop', onDataError: reject, logger })
    await output.write([{ a: 1 }, { a: NaN }], { onProgress: reject })
    await turns(5)
    process.off('unhandledRejection', hear)
    expect(unhandled).toEqual([])
  })
})

describe('data errors', () => {
  it('of thousands of kinds are told in about a hundred records, and none is uncounted', async () => {
    const cluster = await startCluster(onePartition)
    const { records, onDataError } = dataErrorSink()
    const output = newOutput(cluster, { errorPolicy: 'Drop', maxMessageBytes: 10, onDataError })
    // Each is told with its size.
    await output.write(Array.from({ length: 3000 }, (_, i) => ({ a: 'x'.repeat(10 + i) })))
    expect(records.length).toBeLessThan(110)
    expect(records.reduce((sum, { EventCount }) => sum + EventCount, 0)).toBe(3000)
  })

  it('of a message of several rows count as many', async () => {
    const cluster = await startCluster({ topics: { t: { partitions: 1, maxMessageBytes: 1000 } } })
    const { records, onDataError } = dataErrorSink()
    const output = newOutput(cluster, { errorPolicy: 'Drop', rowsPerMessage: 10, onDataError })
    const rows = [{ a: 1 }, ...Array.from({ length: 10 }, () => ({ a: 'x'.repeat(200) }))]
    const report = await output.write(rows.slice(1), { firstRow: 101 })
    expect(report).toMatchObject({ delivered: 0, dropped: 10, safeRows: 10 })
    expect(records[0]).toMatchObject({ EventCount: 10 })
    expect(records[0]?.Message).toContain('row 110: the last of the 10 rows of a message: larger than')
    expect(output.metrics()).toMatchObject({ 'Data Conversion Errors': 10, 'Dropped Events': 10 })
  })
})

describe('the watermark delay', () => {
  it('knows of a row that blocks', async () => {
    const cluster = await startCluster(onePartition)
    const clock = new FakeClock()
    const output = newOutput(cluster, { clock })
    const bad = { a: NaN }
    const write = output.write([{ a: 1 }, bad])
    await until(() => output.metrics()['Output Events'] === 1, 'the row before it is written')
    await clock.advance(30_000)
    expect(output.metrics()).toMatchObject({ 'Backlogged Input Events': 1, 'Watermark Delay': 30 })
    bad.a = 2
    await clock.advance(60_000)
    await write
    await turns(2)
    expect(output.metrics()).toMatchObject({ 'Backlogged Input Events': 0, 'Watermark Delay': 0 })
  })

  it('knows of rows whose message is still open', async () => {
    const cluster = await startCluster(onePartition)
    const clock = new FakeClock()
    const output = newOutput(cluster, { clock, rowsPerMessage: 10 })
    async function* rows(): AsyncGenerator<object> {
      yield* numbered(2)
      await new Promise(() => undefined)
    }
    output.write(rows()).catch(() => 'it ends with the test')
    await until(() => output.metrics()['Input Events'] === 2, 'both are taken')
    await clock.advance(900)
    expect(output.metrics()['Watermark Delay']).toBe(0.9)
    await clock.advance(100)
    await until(() => output.metrics()['Output Events'] === 2, 'the message goes')
    expect(values(cluster)).toEqual(['{"n":0}\n{"n":1}'])
    expect(output.metrics()['Watermark Delay']).toBe(0)
  })
})

describe('a row that a program made up', () => {
  it.each<[string, object]>([
    ['more values than names', new Row(['a'], [1n, 2n])],
    ['more names than values', new Row(['a', 'b'], [1n])],
    ['a name that is no text', new Row([5 as never], [1n])],
    ['the same further in', { r: new Row([5 as never], [1n]) }],
    ['no lists', new Row(null as never, undefined as never)],
    ['a moment that is none', { at: new DateTime('","admin":true,"') }],
    ['a text that becomes too long', { a: '\u0001'.repeat(100_000_000) }],
  ])('%s: is a conversion error', async (_, bad) => {
    const cluster = await startCluster(onePartition)
    const output = newOutput(cluster, { errorPolicy: 'Drop' })
    expect(await output.write([bad, { n: 1 }])).toMatchObject({ dropped: 1, delivered: 1 })
    expect(values(cluster)).toEqual(['{"n":1}'])
  })

  it('from a list of names that changes has the names that it had when it was taken', async () => {
    const cluster = await startCluster(onePartition)
    function* rows(): Generator<Row> {
      const names = ['a']
      yield new Row(names, [1n])
      names[0] = 'b'
      yield new Row(names, [2n])
    }
    await newOutput(cluster).write(rows())
    expect(values(cluster)).toEqual(['{"a":1}', '{"b":2}'])
  })
})
