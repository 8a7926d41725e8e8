import { describe, expect, it } from 'vitest'
import { ConnectionError, ProtocolError } from '../../src/errors.ts'
import { decide, type BatchFacts, type Verdict } from '../../src/producer/decide.ts'

const policy = { retryBackoffMs: 100, retryBackoffMaxMs: 1000, random: 0.5 }
const fresh: BatchFacts = {
  topic: 't',
  partition: 3,
  recordCount: 1,
  attempts: 1,
  maybeWritten: false,
  corruptCount: 0,
  sequence: 'none',
}

const refused = (errorCode: number, batch: Partial<BatchFacts> = {}): Verdict =>
  decide({ kind: 'refused', errorCode, errorMessage: null }, { ...fresh, ...batch }, policy)

/** faults-and-security.md 2.3, row by row: what an answer means for the batch. */
describe('decide, on what the broker answers', () => {
  it.each([
    [7, 'retry', true, false],
    [20, 'retry', true, false],
    [-1, 'retry', true, false],
    [56, 'retry', true, true],
    [19, 'retry', false, false],
    [6, 'retry', true, true],
    [74, 'retry', true, true],
    [3, 'retry', false, true],
    [100, 'retry', false, true],
    [5, 'retry', false, true],
    [9, 'retry', false, true],
    [89, 'retry', false, false],
  ])('%d: %s, maybe written %s, refresh %s', (code, verdict, maybeWritten, refresh) => {
    expect(refused(code)).toMatchObject({ do: verdict, maybeWritten, refresh })
  })

  it.each([10, 17, 18, 21, 29, 31, 32, 43, 44, 53, 76, 87])('%d: fails at once, not written', (code) => {
    expect(refused(code)).toMatchObject({ do: 'fail', maybeWritten: false, error: { maybeWritten: false } })
  })

  it.each([10, 18])('%d: of several records it is cut up, unless an earlier attempt may have been written', (code) => {
    expect(refused(code, { recordCount: 2 })).toMatchObject({ do: 'split', maybeWritten: false })
    expect(refused(code, { recordCount: 2, maybeWritten: true })).toMatchObject({ do: 'fail', maybeWritten: true })
  })

  it.each([
    [45, false],
    [47, true],
    [59, true],
  ])(
    '%d: the first in line gets a new sequence, and another id (%s), unless it may have been written',
    (code, isIdSpent) => {
      expect(refused(code)).toMatchObject({ do: 'fail' }) // without sequences it makes no sense
      expect(refused(code, { sequence: 'behind' })).toMatchObject({ do: 'retry', delayMs: 0, maybeWritten: false })
      expect(refused(code, { sequence: 'behind', maybeWritten: true })).toMatchObject({
        do: 'retry',
        maybeWritten: true,
      })
      expect(refused(code, { sequence: 'first' })).toMatchObject({ do: 'renew', isIdSpent, maybeWritten: false })
      expect(refused(code, { sequence: 'first', maybeWritten: true })).toMatchObject({
        do: 'fail',
        error: { maybeWritten: true },
      })
    },
  )

  it('46, a duplicate, is a success at an offset that nobody knows', () => {
    expect(refused(46)).toMatchObject({ do: 'deliver' })
  })

  it('2, corrupt: the same bytes get three attempts', () => {
    expect(refused(2, { attempts: 9, corruptCount: 2 })).toMatchObject({ do: 'retry' })
    expect(refused(2, { attempts: 3, corruptCount: 3 })).toMatchObject({ do: 'fail', maybeWritten: false })
  })

  it('a number that nobody knows fails, and keeps its number', () => {
    expect(refused(12345)).toMatchObject({ do: 'fail', error: { errorCode: 12345 } })
  })

  it('once maybe written, a definite refusal of a retry does not make it unwritten', () => {
    expect(refused(29, { maybeWritten: true })).toMatchObject({
      do: 'fail',
      maybeWritten: true,
      error: { maybeWritten: true },
    })
    expect(refused(19, { maybeWritten: true })).toMatchObject({ do: 'retry', maybeWritten: true })
  })

  it('tells what the broker said, without control characters and not at any length', () => {
    const verdict = decide(
      { kind: 'refused', errorCode: 87, errorMessage: `bad\u001b[31m\n${'x'.repeat(1000)}` },
      fresh,
      policy,
    )
    if (verdict.do !== 'fail') throw new Error(verdict.do)
    expect(verdict.error.message).toMatch(
      /^send: topic "t" partition 3: INVALID_RECORD \(87\): .*; the broker says: bad \[31m x+$/,
    )
    expect(verdict.error.message.length).toBeLessThan(500)
  })
})

describe('decide, without an answer', () => {
  const lost = new ConnectionError('CONNECTION_CLOSED', 'a:1: CONNECTION_CLOSED: gone', { retriable: true })

  it.each([true, false])('a lost connection: again, elsewhere perhaps; written to the socket %s', (wasWritten) => {
    const verdict = decide({ kind: 'unanswered', error: lost, wasWritten }, fresh, policy)
    expect(verdict).toMatchObject({ do: 'retry', refresh: true, maybeWritten: wasWritten })
  })

  it('what cannot even be asked is not asked again', () => {
    const error = new ProtocolError('UNSUPPORTED_VERSION', 'a:1: UNSUPPORTED_VERSION: too old', { retriable: true })
    expect(decide({ kind: 'unanswered', error, wasWritten: false }, fresh, policy)).toMatchObject({ do: 'fail', error })
  })

  it('an answer that cannot be read leaves it open', () => {
    const error = new ProtocolError('TRUNCATED', 'a:1: TRUNCATED', { retriable: true })
    const verdict = decide({ kind: 'unanswered', error, wasWritten: true }, fresh, policy)
    expect(verdict).toMatchObject({ do: 'retry', maybeWritten: true })
  })
})

describe('decide, on how long to wait', () => {
  it.each([
    [1, 100],
    [2, 200],
    [3, 400],
    [5, 1000],
    [50, 1000],
  ])('attempt %d: %d ms', (attempts, delayMs) => {
    expect(refused(7, { attempts })).toMatchObject({ delayMs })
  })
})
