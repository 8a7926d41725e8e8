import { describe, expect, it } from 'vitest'
import { dataErrorLine, type Row } from '../../src/output/output.ts'
import { parseJsonRow } from '../../src/output/types/json-reader.ts'
import { FakeClock, turns, until } from '../support/fake-clock.ts'
import { dataErrorSink, heard, Lines, newOutput, numbered, outputError, startCluster, values } from './harness.ts'

const onePartition = { topics: { t: 1 } } as const

describe('the policy Drop', () => {
  it('asa-Z9: counts a bad row, and the next ones flow', async () => {
    const cluster = await startCluster(onePartition)
    const output = newOutput(cluster, { errorPolicy: 'Drop' })
    const report = await output.write([{ a: 1 }, { a: NaN }, { A: 1, a: 2 }, 'no row' as never, { a: 2 }])
    expect(report).toMatchObject({ rows: 5, delivered: 2, dropped: 3, safeRows: 5 })
    expect(values(cluster)).toEqual(['{"a":1}', '{"a":2}'])
    expect(output.metrics()['Data Conversion Errors']).toBe(3)
  })

  it('leaves the rows of an open message alone', async () => {
    const cluster = await startCluster(onePartition)
    const output = newOutput(cluster, { errorPolicy: 'Drop', rowsPerMessage: 3 })
    const report = await output.write([{ a: 1 }, { a: NaN }, { a: 2 }, { a: 3 }, { a: NaN }])
    expect(values(cluster)).toEqual(['{"a":1}\n{"a":2}\n{"a":3}'])
    expect(report).toMatchObject({ delivered: 3, dropped: 2, safeRows: 5, messages: 1 })
  })

  it('drops a row over maxMessageBytes before anything of it is sent', async () => {
    const cluster = await startCluster(onePartition)
    const { records, onDataError } = dataErrorSink()
    const output = newOutput(cluster, { errorPolicy: 'Drop', maxMessageBytes: 100, onDataError })
    await output.write([{ a: 'x'.repeat(92) }, { a: 'x'.repeat(93) }])
    expect(cluster.recordCount('t')).toBe(1)
    expect(records[0]).toMatchObject({ DataErrorType: 'OutputDataConversionError.RecordExceededSizeLimit' })
    expect(records[0]?.Message).toContain('maximum message size limit allowed (100 bytes): 101 bytes')
  })

  it('counts the key to the size', async () => {
    const cluster = await startCluster(onePartition)
    const output = newOutput(cluster, { errorPolicy: 'Drop', maxMessageBytes: 20, partitionKey: 'a' })
    // {"a":"xxxxxx"} has 14 bytes, and the key six more.
    expect(await output.write([{ a: 'x'.repeat(6) }, { a: 'x'.repeat(7) }])).toMatchObject({ delivered: 1, dropped: 1 })
  })

  it('drops what the topic finds too large, and says so', async () => {
    const cluster = await startCluster({ topics: { t: { partitions: 1, maxMessageBytes: 1000 } } })
    const { records, onDataError } = dataErrorSink()
    const output = newOutput(cluster, { errorPolicy: 'Drop', onDataError })
    const report = await output.write([{ a: 1 }, { a: 'x'.repeat(2000) }, { a: 2 }])
    expect(report).toMatchObject({ delivered: 2, dropped: 1, safeRows: 3 })
    expect(records).toHaveLength(1)
    expect(records[0]).toMatchObject({
      DataErrorType: 'OutputDataConversionError.RecordExceededSizeLimit',
      EventCount: 1,
    })
  })
})

describe('the policy Retry', () => {
  it('asa-Z9: a bad row blocks those behind it, is tried at growing intervals, and goes when it is mended', async () => {
    const cluster = await startCluster(onePartition)
    const clock = new FakeClock()
    const blocked = heard('headrace:output:blocked')
    const lines = new Lines()
    const output = newOutput(cluster, { errorPolicy: 'Retry', clock, logger: lines.logger })
    const bad = { a: NaN }
    const write = output.write([{ a: 1 }, bad, { a: 3 }])
    await until(() => blocked.length === 1, 'the row is in the way')
    for (const delayMs of [1000, 2000, 4000, 8000]) {
      expect(blocked.at(-1)).toMatchObject({ row: 2, delayMs })
      await clock.advance(delayMs - 1)
      expect(blocked.at(-1)).toMatchObject({ delayMs })
      await clock.advance(1)
    }
    expect(blocked.map(({ attempts }) => attempts)).toEqual([1, 2, 3, 4, 5])
    expect(values(cluster)).toEqual(['{"a":1}'])
    expect(lines.of('warn')).toContainEqual(expect.stringContaining('row 2 blocks all behind it: tried 5 times'))
    bad.a = 2
    await clock.advance(16_000)
    expect(await write).toMatchObject({ rows: 3, delivered: 3, dropped: 0, safeRows: 3 })
    expect(values(cluster)).toEqual(['{"a":1}', '{"a":2}', '{"a":3}'])
    expect(output.metrics()['Data Conversion Errors']).toBe(5)
  })

  it('never waits for longer than a minute', async () => {
    const cluster = await startCluster(onePartition)
    const clock = new FakeClock()
    const blocked = heard('headrace:output:blocked')
    const output = newOutput(cluster, { clock })
    output.write([{ a: NaN }]).catch(() => 'it ends with the test')
    await until(() => blocked.length === 1, 'the row is in the way')
    await clock.advance(600_000)
    expect(Math.max(...blocked.map(({ delayMs }) => delayMs))).toBe(60_000)
    expect(blocked.length).toBeGreaterThan(12)
  })

  it('does not hold up the rows of the message that was open', async () => {
    const cluster = await startCluster(onePartition)
    const clock = new FakeClock()
    const output = newOutput(cluster, { rowsPerMessage: 10, clock })
    output.write([{ a: 1 }, { a: 2 }, { a: NaN }]).catch(() => 'it ends with the test')
    await until(() => output.metrics()['Output Events'] === 2, 'those before it go')
    expect(values(cluster)).toEqual(['{"a":1}\n{"a":2}'])
    expect(output.metrics()['Backlogged Input Events']).toBe(1)
  })

  it('blocks later writes, too, and close ends it with a typed error', async () => {
    const cluster = await startCluster(onePartition)
    const clock = new FakeClock()
    const blocked = heard('headrace:output:blocked')
    const output = newOutput(cluster, { clock })
    const first = outputError(output.write([{ a: 1 }, { a: NaN }]))
    const second = outputError(output.write([{ a: 2 }]))
    await until(() => blocked.length === 1, 'the row is in the way')
    await clock.advance(10_000)
    expect(values(cluster)).toEqual(['{"a":1}'])
    await output.close()
    expect(await first).toMatchObject({ code: 'CLOSED', unsettledRows: 1, maybeWritten: false })
    expect((await first).report).toMatchObject({ rows: 2, delivered: 1, safeRows: 1 })
    expect((await second).report).toMatchObject({ rows: 0 })
    expect(clock.pendingMs.filter((ms) => ms < 10_000)).toEqual([]) // no timer of the retry is left
  })

  it('does not drop what the topic finds too large: the write fails, with the reason', async () => {
    const cluster = await startCluster({ topics: { t: { partitions: 1, maxMessageBytes: 1000 } } })
    const error = await outputError(newOutput(cluster).write([{ a: 1 }, { a: 'x'.repeat(2000) }]))
    expect(error).toMatchObject({ code: 'WRITE_FAILED', cause: { code: 'MESSAGE_TOO_LARGE' } })
    expect(error.report).toMatchObject({ delivered: 1, dropped: 0, safeRows: 1 })
  })
})

describe('data errors', () => {
  it('asa-Z13: a bad row is a record of B.7 as a line of JSON, and the metrics know', async () => {
    const cluster = await startCluster(onePartition)
    const { records, onDataError } = dataErrorSink()
    const clock = new FakeClock()
    const output = newOutput(cluster, { errorPolicy: 'Drop', onDataError, clock })
    const bad: Row = parseJsonRow('{"id":9223372036854775808,"deviceId":"d-7"}')
    await output.write([{ id: 1 }, bad])
    expect(JSON.parse(dataErrorLine(records[0]!))).toEqual({
      Source: 'telemetry',
      Type: 'DataError',
      DataErrorType: 'OutputDataConversionError.TypeConversionError',
      BriefMessage: "column 'id': bigint: outside of int64 (-2^63 to 2^63-1); send it as a string",
      Message:
        'KafkaOutput: TYPE_CONVERSION_ERROR: row 2, column "id": bigint: outside of int64 (-2^63 to 2^63-1); send it as a string',
      ExampleEvents: String.raw`["{\"id\":9223372036854775808,\"deviceId\":\"d-7\"}"]`,
      FromTimestamp: '2023-11-14T22:30:00.0000000Z',
      ToTimestamp: '2023-11-14T22:30:00.0000000Z',
      EventCount: 1,
    })
    expect(dataErrorLine(records[0]!)).toMatch(/^[^\n]*\n$/)
    expect(output.metrics()).toMatchObject({ 'Data Conversion Errors': 1, 'Dropped Events': 1, 'Output Events': 1 })
  })

  it('of a kind are told once, then together, and none is left out', async () => {
    const cluster = await startCluster(onePartition)
    const { records, onDataError } = dataErrorSink()
    const output = newOutput(cluster, { errorPolicy: 'Drop', onDataError })
    const bad = Array.from({ length: 500 }, () => ({ a: NaN }))
    await output.write([...bad, { b: Infinity }])
    expect(records.map(({ EventCount }) => EventCount).sort((a, b) => a - b)).toEqual([1, 1, 499])
  })

  it('are told after ten seconds, in a write that goes on', async () => {
    const cluster = await startCluster(onePartition)
    const clock = new FakeClock()
    const { records, onDataError } = dataErrorSink()
    const output = newOutput(cluster, { errorPolicy: 'Drop', onDataError, clock })
    async function* rows(): AsyncGenerator<object> {
      yield* [{ a: NaN }, { a: NaN }, { a: NaN }]
      await new Promise(() => undefined)
    }
    output.write(rows()).catch(() => 'it ends with the test')
    await until(() => output.metrics()['Dropped Events'] === 3, 'all are dropped')
    expect(records).toHaveLength(1)
    await clock.advance(10_000)
    expect(records.map(({ EventCount }) => EventCount)).toEqual([1, 2])
  })

  it('tell nothing of contents to logger and channel', async () => {
    const cluster = await startCluster(onePartition)
    const lines = new Lines()
    const told = heard('headrace:output:data-error')
    const { records, onDataError } = dataErrorSink()
    const output = newOutput(cluster, { errorPolicy: 'Drop', logger: lines.logger, onDataError })
    await output.write([{ secretOfTheCustomer: 'pssst-4711', a: NaN }])
    await turns(2)
    expect(JSON.stringify([lines.all, told])).not.toContain('pssst-4711')
    expect(JSON.stringify(records)).toContain('pssst-4711')
  })

  it('of rows that cannot be shown end nothing, nor does a sink that throws', async () => {
    const cluster = await startCluster(onePartition)
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    const trap = {
      get a(): never {
        throw new Error('trap')
      },
    }
    const onDataError = (): never => {
      throw new Error('disk full')
    }
    const output = newOutput(cluster, { errorPolicy: 'Drop', onDataError })
    const odd = [cycle, trap, new Map(), Symbol.iterator, () => 1, null, undefined, 7] as never[]
    expect(await output.write([...odd, ...numbered(1)])).toMatchObject({ dropped: odd.length, delivered: 1 })
  })
})
