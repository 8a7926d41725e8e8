import { describe, expect, it } from 'vitest'
import { DeliveryError } from '../../src/errors.ts'
import { RecordMetadata } from '../../src/producer/record-metadata.ts'
import { decodeLedgerValue, encodeLedgerValue } from '../support/ledger-value.ts'
import { Ledger, watchProcess, type LedgerOptions, type LogRow, type Verdict } from '../support/oracles.ts'

const TIME_MS = 1_700_000_000_000

/** A run that went well: three values to one partition, delivered to offsets 0 to 2. A test then spoils the log. */
class Run {
  readonly ledger: Ledger
  readonly log: LogRow[] = []

  constructor(options: Partial<LedgerOptions> = {}, count = 3) {
    this.ledger = new Ledger({ idempotent: true, acks: 'all', seed: 7, ...options })
    for (let i = 0; i < count; i++) this.deliver(i, this.send().value)
  }

  send(partition: number | null = 0): { id: number; value: Buffer } {
    const made = this.ledger.next('orders', partition, 100)
    this.ledger.accepted(made.id)
    return made
  }

  deliver(id: number, value: Buffer, offset = this.log.length): void {
    this.ledger.delivered(id, new RecordMetadata('orders', 0, BigInt(offset), TIME_MS))
    this.write(value)
  }

  write(value: Buffer | null, row: Partial<LogRow> = {}): void {
    this.log.push({
      ...{ topic: 'orders', partition: 0, offset: BigInt(this.log.length), timestamp: TIME_MS, value },
      ...row,
    })
  }

  fail(id: number, maybeWritten: boolean): void {
    this.ledger.failed(id, new DeliveryError('DELIVERY_TIMEOUT', 'too late', { maybeWritten }))
  }

  judge(): Verdict {
    return this.ledger.judge(this.log)
  }
}

describe('Ledger', () => {
  it('finds nothing in a log that is right, and counts', () => {
    const run = new Run()
    run.fail(run.send().id, true)
    run.fail(run.send(null).id, false)
    const { violations, counts } = run.judge()
    expect(violations).toEqual([])
    expect(counts).toMatchObject({ accepted: 5, delivered: 3, failed: 2, maybeWritten: 1, read: 3, lost: 0 })
  })

  it('O1: a value that never settles, one that settles twice, one that was never accepted', () => {
    const unsettled = new Run()
    unsettled.send()
    expect(unsettled.judge()).toMatchObject({
      counts: { unsettled: 1 },
      violations: ['O1 orders-0 counter 3 (id 3): never settled'],
    })
    const twice = new Run()
    twice.fail(0, true)
    expect(twice.judge().violations).toEqual(['O1 orders-0 counter 0 (id 0): failed (DELIVERY_TIMEOUT) a second time'])
    const early = new Run()
    const { id } = early.ledger.next('orders', 0, 100)
    early.fail(id, true)
    expect(early.judge().violations[0]).toMatch(/^O1 .* without being accepted$/)
    early.ledger.accepted(id)
    early.ledger.accepted(id)
    expect(early.judge().violations).toContain('O1 orders-0 counter 3 (id 3): accepted twice')
  })

  it('O2: a delivered value that is not there; with acks 0 it only counts', () => {
    const run = new Run()
    run.log.pop()
    const { violations, counts } = run.judge()
    expect(counts.lost).toBe(1)
    expect(violations).toEqual([expect.stringMatching(/^O2 orders-0 counter 2 .*not in the log$/)])
    const unsafe = new Run({ acks: 0 })
    unsafe.log.pop()
    expect(unsafe.judge()).toMatchObject({ counts: { lost: 1 }, violations: [] })
  })

  it('O3: a second copy, if idempotent; otherwise one that nothing explains', () => {
    const spoil = (options: Partial<LedgerOptions>): Run => {
      const run = new Run(options)
      run.write(run.log[1]?.value ?? null)
      return run
    }
    expect(spoil({}).judge()).toMatchObject({
      counts: { duplicated: 1 },
      violations: ['O3 orders-0 counter 1 (id 1): a second copy at orders-0 offset 3'],
    })
    expect(spoil({ idempotent: false }).judge()).toMatchObject({ counts: { duplicated: 1 }, violations: [] })
    expect(spoil({ idempotent: false, countsRetries: true }).judge().violations).toEqual([
      'O3 orders-0: 1 second copies, but only 0 records were tried again',
    ])
    const retried = spoil({ idempotent: false, countsRetries: true })
    retried.ledger.retried('orders', 0, 1)
    expect(retried.judge().violations).toEqual([])
  })

  it('O4: two delivered values that lie in the wrong order', () => {
    const run = new Run({}, 0)
    const [first, second] = [run.send(), run.send(null)]
    run.deliver(second.id, second.value)
    run.deliver(first.id, first.value)
    expect(run.judge()).toMatchObject({
      counts: { reordered: 1 },
      violations: [expect.stringMatching(/^O4 orders-0 counter 0 /)],
    })
  })

  it('O4: values that were not delivered may lie anywhere, and offsets must ascend', () => {
    const run = new Run({}, 0)
    const [first, second] = [run.send(), run.send()]
    run.deliver(second.id, second.value)
    run.write(first.value)
    run.fail(first.id, true)
    expect(run.judge().violations).toEqual([])
    const confused = new Run()
    confused.log.reverse()
    expect(confused.judge().violations).toContain('log orders-0 offset 1: read after offset 2')
  })

  it('O5: a value that was promised not to be there, or was never sent', () => {
    const run = new Run()
    const { id, value } = run.send()
    run.fail(id, false)
    run.write(value)
    run.write(run.ledger.next('orders', 0, 100).value)
    const { violations, counts } = run.judge()
    expect(counts.wrongStatus).toBe(2)
    expect(violations).toEqual([
      'O5 orders-0 counter 3 (id 3): failed, not maybeWritten, but at orders-0 offset 3',
      'O5 orders-0 counter 4 (id 4): never sent, but at orders-0 offset 4',
    ])
  })

  it.each([
    ['offset', new RecordMetadata('orders', 0, 4n, TIME_MS)],
    ['partition', new RecordMetadata('orders', 1, 3n, TIME_MS)],
    ['topic', new RecordMetadata('other', 0, 3n, TIME_MS)],
    ['timestamp', new RecordMetadata('orders', 0, 3n, TIME_MS + 1)],
  ])('O6: another %s than was reported', (_what, metadata) => {
    const run = new Run()
    const { id, value } = run.send()
    run.ledger.delivered(id, metadata)
    run.write(value)
    expect(run.judge()).toMatchObject({ counts: { wrongCoordinates: 1 }, violations: [expect.stringMatching(/^O6 /)] })
  })

  it('O6: an unknown offset is right only where offsets may be unknown; any copy may be the one that was meant', () => {
    const forgetful = (options: Partial<LedgerOptions>): Verdict => {
      const run = new Run(options, 0)
      const { id, value } = run.send()
      run.deliver(id, value, -1)
      return run.judge()
    }
    expect(forgetful({}).violations).toEqual(['O6 orders-0 counter 0 (id 0): delivered without an offset'])
    expect(forgetful({ mayForgetOffset: true }).violations).toEqual([])
    expect(forgetful({ acks: 0 }).violations).toEqual([])
    const run = new Run({ idempotent: false }, 0)
    const { id, value } = run.send()
    run.write(value)
    run.deliver(id, value)
    expect(run.judge()).toMatchObject({ counts: { duplicated: 1, wrongCoordinates: 0 }, violations: [] })
  })

  it('O8: bytes that changed, lie in the wrong place, or are not ours', () => {
    const changed = new Run()
    const bytes = Buffer.from(changed.log[0]?.value ?? '')
    bytes[90] = (bytes[90] ?? 0) ^ 1
    changed.log[0] = { ...(changed.log[0] as LogRow), value: bytes }
    expect(changed.judge().violations).toContain('O8 orders-0 offset 0: changed bytes after byte 27')
    const elsewhere = new Run({}, 0)
    const { id, value } = elsewhere.send(5)
    elsewhere.deliver(id, value)
    expect(elsewhere.judge()).toMatchObject({
      counts: { misplaced: 1 },
      violations: ['O8 orders-0 offset 0: holds orders-5 counter 0 (id 0)'],
    })
    const foreign = new Run()
    foreign.write(encodeLedgerValue({ run: 8, id: 0, topic: 'orders', partition: 0, counter: 0 }, 50))
    foreign.write(Buffer.from('hello'))
    foreign.write(null)
    expect(foreign.judge()).toMatchObject({ counts: { misplaced: 3, read: 6 } })
  })

  it('values are as long as asked, say what they are, and are whole', () => {
    const facts = { run: 3, id: 4_000_000_000, topic: 'a.b-c', partition: -1, counter: 9 }
    for (const sizeBytes of [0, 26, 27, 100, 200_000]) {
      const value = encodeLedgerValue(facts, sizeBytes)
      expect(value).toHaveLength(Math.max(sizeBytes, 26))
      expect(decodeLedgerValue(value)).toEqual(facts)
    }
    expect(decodeLedgerValue(encodeLedgerValue(facts, 100).subarray(0, 24))).toBe('a value cut off at 24 bytes')
  })
})

describe('watchProcess', () => {
  it('O12 and O9: an unhandled rejection, and a timer that is left', async () => {
    const others = process.listeners('unhandledRejection')
    for (const other of others) process.off('unhandledRejection', other)
    const watch = watchProcess()
    const timer = setInterval(() => undefined, 1_000_000)
    try {
      void Promise.reject(new Error('nobody listens'))
      await new Promise((resolve) => setImmediate(resolve))
      expect(watch.problems).toEqual([expect.stringMatching(/^O12 unhandledRejection: Error: nobody listens/)])
      expect(watch.leftOver()).toEqual([expect.stringMatching(/^O9 Timeout /)])
    } finally {
      clearInterval(timer)
      watch.stop()
      for (const other of others) process.on('unhandledRejection', other)
    }
  })
})
