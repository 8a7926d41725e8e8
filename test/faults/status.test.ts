/**
 * What an answer means: faults-and-security.md 2.3, each row with and without idempotence. What the log holds afterwards
 * is what the status said (O5, by the ledger), and second copies are only where an attempt may have been written (O3).
 */
import { describe, expect, it } from 'vitest'
import type { FaultOptions } from '../../src/testing/test-cluster.ts'
import { deliveredAt, errorOf, runWithLedger, type FaultRun } from './support.ts'

interface Row {
  readonly what: string
  readonly fault: Omit<FaultOptions, 'api'>
  /** What the broker did with the records, whatever it said. */
  readonly isWritten: boolean
  /** What may be said of an attempt that ended so. */
  readonly maybeWritten: boolean
  /** Given up at once. */
  readonly isFinal?: boolean
  /** Only with a sequence: again, under another one. */
  readonly isRenewed?: boolean
}

const silent = (what: string, fault: Omit<FaultOptions, 'api'>, isWritten: boolean): Row => {
  return { what, fault: { ...fault, isWritten }, isWritten, maybeWritten: true }
}
const refused = (error: string | number, more: Partial<Row> = {}): Row => {
  return { what: String(error), fault: { error }, isWritten: false, maybeWritten: false, ...more }
}
/** An answer that leaves it open: both are right. */
const open = (error: string | number): Row[] =>
  [true, false].map((isWritten) => ({
    ...{ what: `${error}, ${isWritten ? '' : 'not '}written`, fault: { error, isWritten } },
    ...{ isWritten, maybeWritten: true },
  }))

const ROWS: readonly Row[] = [
  { what: 'reset before it is done', fault: { closeBefore: true }, isWritten: false, maybeWritten: true },
  silent('reset instead of the answer', { closeAfterBytes: 0 }, true),
  silent('reset within the answer', { closeAfterBytes: 11 }, true),
  silent('no answer, written', { silent: true }, true),
  silent('no answer, not written', { silent: true }, false),
  ...['REQUEST_TIMED_OUT', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'NETWORK_EXCEPTION', 'UNKNOWN_SERVER_ERROR'].flatMap(
    open,
  ),
  ...['KAFKA_STORAGE_ERROR', 'NOT_LEADER_OR_FOLLOWER', 'FENCED_LEADER_EPOCH'].flatMap(open),
  ...['NOT_ENOUGH_REPLICAS', 'UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID', 'LEADER_NOT_AVAILABLE'].map((name) =>
    refused(name),
  ),
  ...['REPLICA_NOT_AVAILABLE', 'THROTTLING_QUOTA_EXCEEDED', 'CORRUPT_MESSAGE'].map((name) => refused(name)),
  ...['MESSAGE_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP', 'INVALID_TOPIC_EXCEPTION'].map((name) =>
    refused(name, { isFinal: true }),
  ),
  ...['TOPIC_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED', 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'].map(
    (name) => refused(name, { isFinal: true }),
  ),
  ...['OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID', 'INVALID_PRODUCER_EPOCH'].map((name) =>
    refused(name, { isRenewed: true }),
  ),
]

const isFinal = (row: Row, idempotent: boolean): boolean =>
  row.isFinal === true || (row.isRenewed === true && !idempotent)

const scenario = (idempotent: boolean): Parameters<typeof runWithLedger>[0] => ({
  producer: { idempotent, requestTimeoutMs: 1000, deliveryTimeoutMs: 5000, retryBackoffMs: 10 },
})

describe.each([true, false])('an attempt that ended so, idempotent: %s', (idempotent) => {
  it.each(ROWS)('$what, for ever: the status is true', async (row) => {
    await runWithLedger(scenario(idempotent), async (run) => {
      await run.settle(run.send())
      const rule = run.cluster.fail({ api: 'Produce', times: Infinity, ...row.fault })
      const error = errorOf(await run.settle(run.send()))
      expect(error.maybeWritten).toBe(row.maybeWritten)
      if (row.isFinal === true) expect(rule.hits).toBe(1)
      rule.remove()
      expect(run.records().length > 1).toBe(row.isWritten)
      deliveredAt(await run.settle(run.send())) // and life goes on
    })
  })

  it.each(ROWS)('$what, once, of four that follow each other: copies, order and offsets', async (row) => {
    const counts = await runWithLedger(scenario(idempotent), async (run) => {
      await run.settle(run.send())
      run.cluster.fail({ api: 'Produce', after: 1, ...row.fault })
      const ends = await run.settle(run.sendMany(4))
      expect(ends.map((end) => end instanceof Error)).toEqual([false, isFinal(row, idempotent), false, false])
    })
    const isTwice = !idempotent && row.isWritten
    expect(counts).toMatchObject({ lost: 0, reordered: 0, wrongStatus: 0, duplicated: isTwice ? 1 : 0 })
  })
})

describe.each([true, false])('more rows of the table, idempotent: %s', (idempotent) => {
  it('never handed to the socket: not written', async () => {
    await runWithLedger(scenario(idempotent), async (run) => {
      await run.settle(run.send())
      await run.cluster.stopBroker(1)
      expect(errorOf(await run.settle(run.send()))).toMatchObject({ code: 'DELIVERY_TIMEOUT', maybeWritten: false })
      await run.cluster.startBroker(1)
      deliveredAt(await run.settle(run.send()))
    })
  })

  it('0: written, where it says', async () => {
    await runWithLedger(scenario(idempotent), async (run) => {
      expect(deliveredAt(await run.settle(run.send())).offset).toBe(0n)
    })
  })

  it('46: written, nobody knows where', async () => {
    await runWithLedger({ ...scenario(idempotent), ledger: { mayForgetOffset: true } }, async (run) => {
      // Of a first attempt it would be a lie: test/producer/idempotence.test.ts.
      run.cluster.fail({ api: 'Produce', error: 'REQUEST_TIMED_OUT', isWritten: true })
      run.cluster.fail({ api: 'Produce', error: 'DUPLICATE_SEQUENCE_NUMBER', isWritten: false })
      expect(deliveredAt(await run.settle(run.send())).offset).toBe(-1n)
    })
  })

  it.each(['TOPIC_AUTHORIZATION_FAILED', 'INVALID_TIMESTAMP', 'MESSAGE_TOO_LARGE', 'INVALID_RECORD'])(
    'sticky: what may have been written stays so when %s follows',
    async (error) => {
      for (const isWritten of [true, false]) {
        await runWithLedger(scenario(idempotent), async (run) => {
          await run.settle(run.send())
          run.cluster.fail({ api: 'Produce', error: 'REQUEST_TIMED_OUT', isWritten })
          run.cluster.fail({ api: 'Produce', error })
          expect(errorOf(await run.settle(run.send()))).toMatchObject({ code: error, maybeWritten: true, attempts: 2 })
          expect(run.records()).toHaveLength(isWritten ? 2 : 1)
          deliveredAt(await run.settle(run.send()))
        })
      }
    },
  )

  it('S4: REQUEST_TIMED_OUT is no proof of anything, also not for a deadline that passes then', async () => {
    await runWithLedger(scenario(idempotent), async (run) => {
      await run.settle(run.send())
      run.cluster.fail({ api: 'Produce', error: 'REQUEST_TIMED_OUT', isWritten: true })
      const late = run.cluster.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', times: Infinity })
      const error = errorOf(await run.settle(run.send()))
      expect(error).toMatchObject({ code: 'DELIVERY_TIMEOUT', maybeWritten: true })
      late.remove()
      const next = deliveredAt(await run.settle(run.send()))
      expect(next.offset).toBe(2n) // not taken for the one before
    })
  })

  it('records of a batch that is cut up: the parts, each with its own truth', async () => {
    const topics = { t: { partitions: 1, maxMessageBytes: 700 } }
    const producer = { ...scenario(idempotent).producer, batchBytes: 100_000 }
    await runWithLedger({ cluster: { topics }, producer }, async (run) => {
      const hold = run.cluster.fail({ api: 'Produce', after: 2, error: 'REQUEST_TIMED_OUT', isWritten: true })
      for (const end of await run.settle(run.sendMany(12, { sizeBytes: 150 }))) deliveredAt(end)
      expect(hold.hits).toBe(1)
      expect(run.producer.stats().splits).toBeGreaterThan(1)
    })
  })
})

/** O4 and O3 with every answer that is tried again at each place of a full pipeline. */
describe('a pipeline of five, the answer at each place', () => {
  const retried = ROWS.filter((row) => row.isFinal !== true)
  it.each(retried)('$what', async ({ fault }) => {
    const play = async (run: FaultRun): Promise<void> => {
      await run.settle(run.send())
      for (let after = 0; after < 5; after++) {
        run.cluster.fail({ api: 'Produce', after, ...fault })
        for (const end of await run.settle(run.sendMany(7))) deliveredAt(end)
      }
    }
    expect(await runWithLedger(scenario(true), play)).toMatchObject({ lost: 0, duplicated: 0, reordered: 0 })
  })
})
