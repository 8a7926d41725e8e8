import { channel } from 'node:diagnostics_channel'
import { describe, expect, it } from 'vitest'
import { DeliveryError } from '../../src/errors.ts'
import { RecordMetadata } from '../../src/producer/record-metadata.ts'
import type { LoggedRecord, TestCluster } from '../../src/testing/test-cluster.ts'
import { judgeEnds, judgeRecords } from './judge-records.ts'
import { ObservedRecords, type ObservedRecord } from './observed-records.ts'
import { TestUnderWatch } from './test-under-watch.ts'

const TIME_MS = 1_700_000_000_000
const PRODUCER = {}

/** A log, and what senders were told of it. A test then spoils one of them. */
class Run {
  readonly records = new ObservedRecords()
  readonly log: LoggedRecord[] = []

  send(value: string, headers?: Record<string, string>): ObservedRecord {
    const observed = this.records.note(PRODUCER, { topic: 't', value, ...(headers && { headers }) }, {})
    this.records.accepted(observed)
    return observed
  }

  /** Sends and writes; its sender is told where it is. */
  deliver(value: string, offset = this.log.length, timestamp = TIME_MS): void {
    this.records.delivered(this.send(value), new RecordMetadata('t', 0, BigInt(offset), timestamp))
    this.write(value)
  }

  fail(value: string, maybeWritten: boolean): void {
    this.records.failed(this.send(value), new DeliveryError('DELIVERY_TIMEOUT', 'late', { maybeWritten }))
  }

  write(value: string): void {
    this.log.push({
      ...{ partition: 0, offset: BigInt(this.log.length), key: null, value: Buffer.from(value), headers: [] },
      ...{ timestamp: TIME_MS, producerId: 1n, epoch: 0, sequence: 0, compression: 'none' },
    })
  }

  /** The oracles that object. */
  judge({ isIdempotent = true, retried = 0 } = {}): string[] {
    const cluster = { topics: ['t'], records: () => this.log } as unknown as TestCluster
    const retriedRecords = new Map([['t-0', retried]])
    const { all, doubles } = this.records
    const violations = judgeRecords({ records: all, cluster, isIdempotent, retriedRecords })
    return [...doubles, ...judgeEnds(all), ...violations].map((violation) => violation.split(' ')[0] ?? '')
  }
}

describe('judgeRecords', () => {
  it('finds nothing where all is true, however often a value comes', () => {
    const run = new Run()
    for (const value of ['x', 'x', 'y']) run.deliver(value)
    run.fail('x', true)
    run.fail('lost', true)
    run.fail('x', false)
    run.write('x') // the one that failed, and may be written
    expect(run.judge()).toEqual([])
  })

  it.each<[string, string[], (run: Run) => void]>([
    ['what never settles', ['O1'], (run) => run.send('y')],
    ['what settles twice', ['O1'], (run) => run.records.failed(run.records.all[0]!, new DeliveryError('CLOSED', ''))],
    [
      'a delivery to where nothing is',
      ['O2'],
      (run) => run.records.delivered(run.send('y'), new RecordMetadata('t', 0, 1n, 0)),
    ],
    ['a second copy', ['O3'], (run) => run.write('x')],
    [
      'what failed and was not written, but is there',
      ['O5'],
      (run) => {
        run.fail('y', false)
        run.write('y')
      },
    ],
    [
      'two deliveries to one place',
      ['O6', 'O4'],
      (run) => run.records.delivered(run.send('x'), run.records.all[0]!.at!),
    ],
    [
      'a delivery without an offset',
      ['O6'],
      (run) => {
        run.deliver('y', -1)
      },
    ],
    ['another time than the log has', ['O6'], (run) => run.deliver('y', 1, TIME_MS + 1)],
    ['a delivery to the place of another record', ['O6', 'O3', 'O4'], (run) => run.deliver('y', 0)],
    [
      'other bytes at the place',
      ['O8', 'O8'],
      (run) => {
        run.records.delivered(run.send('y'), new RecordMetadata('t', 0, 1n, TIME_MS))
        run.write('z')
      },
    ],
    [
      'other headers',
      ['O8'],
      (run) => {
        run.records.delivered(run.send('y', { a: 'b' }), new RecordMetadata('t', 0, 1n, TIME_MS))
        run.write('y')
      },
    ],
    ['what nobody sent', ['O8'], (run) => run.write('stranger')],
    [
      'offsets against the order of the calls',
      ['O4'],
      (run) => {
        const [first, second] = [run.send('y'), run.send('z')]
        run.write('z')
        run.write('y')
        run.records.delivered(second, new RecordMetadata('t', 0, 1n, TIME_MS))
        run.records.delivered(first, new RecordMetadata('t', 0, 2n, TIME_MS))
      },
    ],
  ])('objects to %s', (_what, expected, spoil) => {
    const run = new Run()
    run.deliver('x')
    spoil(run)
    expect(run.judge()).toEqual(expected)
  })

  it('allows as many second copies as were tried again, without idempotence', () => {
    const run = new Run()
    run.deliver('x')
    run.write('x')
    expect(run.judge({ isIdempotent: false, retried: 1 })).toEqual([])
    run.write('x')
    expect(run.judge({ isIdempotent: false, retried: 1 })).toContain('O3')
  })
})

describe('a test under watch', () => {
  async function watch(work: (test: TestUnderWatch) => unknown): Promise<string[]> {
    const test = new TestUnderWatch()
    test.begin()
    await test.startCluster({ topics: { t: 1 } })
    await work(test)
    return test.end()
  }

  const sendSecret = (test: TestUnderWatch): Promise<unknown> =>
    test.newProducer({}, {}).sendAll([{ topic: 't', value: 'a value that is a secret' }])

  it('ends without a word when all is well', async () => {
    expect(await watch(sendSecret)).toEqual([])
  })

  it.each<[string, RegExp, (test: TestUnderWatch) => unknown]>([
    ['O9: a timer', /^O9 a timer of 5 ms/, (test) => test.clock.after(5, () => undefined)],
    [
      'O11: bytes in an event',
      /^O11 headrace:batch:failed: holds 3 bytes/,
      async (test) => {
        await sendSecret(test)
        channel('headrace:batch:failed').publish({ error: { cause: { record: Buffer.from('abc') } } })
      },
    ],
    [
      'O11: a value in an event',
      /^O11: "it was a value that is a secret" tells/,
      async (test) => {
        await sendSecret(test)
        channel('headrace:batch:failed').publish({ topic: 'it was a value that is a secret' })
      },
    ],
    [
      'O12: a promise that nobody looks at',
      /^O12 unhandledRejection: Error: nobody looks/,
      async () => {
        // Told to the listeners only: to Node.js it would be real.
        process.listeners('unhandledRejection').at(-1)?.(new Error('nobody looks'), Promise.resolve())
        await Promise.resolve()
      },
    ],
    [
      'an exception that is out of date',
      /^nothing breaks order, which is excepted: why/,
      (test) => test.except({ order: 'why' }),
    ],
  ])('names %s', async (_what, expected, spoil) => {
    expect(await watch(spoil)).toEqual([expect.stringMatching(expected)])
  })

  it('is not judged by a rule that it excepts, and by the others it is', async () => {
    const violations = await watch((test) => {
      test.except({ nothingLeft: 'why' })
      test.clock.after(5, () => undefined)
      channel('headrace:batch:failed').publish(Buffer.from('abc'))
    })
    expect(violations).toEqual([expect.stringMatching(/^O11/)])
  })
})
