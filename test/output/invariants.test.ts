import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KafkaOutput, WriteReport } from '../../src/output/output.ts'
import { OutputError } from '../../src/output/output-error.ts'
import { systemOutputClock, type OutputClock } from '../../src/output/output-clock.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import { turns } from '../support/fake-clock.ts'
import { newOutput, startCluster } from './harness.ts'

/** Waits are as long as they are told, but five milliseconds at most. */
const hasty: OutputClock = {
  ...systemOutputClock,
  after: (ms, fn, keepAlive) => systemOutputClock.after(Math.min(ms, 5), fn, keepAlive),
}

const fault = fc.record({
  after: fc.nat(6),
  effect: fc.constantFrom<object>(
    ...['NOT_LEADER_OR_FOLLOWER', 'OUT_OF_ORDER_SEQUENCE_NUMBER', 'NOT_ENOUGH_REPLICAS'].map((error) => ({
      error,
    })),
    ...[
      { error: 'TOPIC_AUTHORIZATION_FAILED' },
      { error: 'CORRUPT_MESSAGE', times: 3 },
      { error: 'UNKNOWN_PRODUCER_ID' },
    ],
    ...[{ closeBefore: true }, { closeAfterBytes: 0 }, { delayMs: 3 }],
  ),
})
const oneWrite = fc.record({
  kinds: fc.array(fc.constantFrom('good', 'good', 'good', 'bad', 'wide'), { maxLength: 25 }),
  source: fc.constantFrom('sync', 'async', 'slow'),
  abortAt: fc.option(fc.nat(25), { freq: 4 }),
  throwAt: fc.option(fc.nat(25), { freq: 6 }),
})
const scenario = fc.record({
  writes: fc.array(oneWrite, { minLength: 1, maxLength: 4 }),
  faults: fc.array(fault, { maxLength: 3 }),
  rowsPerMessage: fc.constantFrom(1, 1, 3),
  batchBytes: fc.constantFrom(300, 16_384),
  isClosedEarly: fc.boolean(),
})
type OneWrite = typeof oneWrite extends fc.Arbitrary<infer T> ? T : never
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never

interface Outcome {
  readonly write: OneWrite
  readonly number: number
  readonly report: WriteReport | null
  readonly error: unknown
}

function rowOf(write: number, n: number, kind: string): object {
  if (kind === 'bad') return { id: `${write}/${n}`, bad: NaN }
  return kind === 'wide' ? { id: `${write}/${n}`, more: true } : { id: `${write}/${n}` }
}

async function* slowly(rows: Iterable<object>): AsyncGenerator<object> {
  for (const row of rows) {
    await turns(1)
    yield row
  }
}

async function run(output: KafkaOutput, write: OneWrite, number: number): Promise<Outcome> {
  const controller = new AbortController()
  function* rows(): Generator<object> {
    for (const [n, kind] of write.kinds.entries()) {
      if (n === write.abortAt) controller.abort(new Error('enough'))
      if (n === write.throwAt) throw new RangeError('disk on fire')
      yield rowOf(number, n, kind)
    }
  }
  const source = write.source === 'slow' ? slowly(rows()) : write.source === 'async' ? toAsync(rows()) : rows()
  try {
    const report = await output.write(source, { signal: controller.signal })
    return { write, number, report, error: null }
  } catch (error) {
    return { write, number, report: error instanceof OutputError ? error.report : null, error }
  }
}

async function* toAsync(rows: Iterable<object>): AsyncGenerator<object> {
  for (const row of rows) yield await Promise.resolve(row)
}

function idsIn(cluster: TestCluster): string[] {
  const lines = cluster.records('t').flatMap(({ value }) => String(value).split('\n'))
  return lines.map((line) => (JSON.parse(line) as { id: string }).id)
}

function inOrder(ids: readonly string[]): string[] {
  const place = (id: string): number => Number(id.split('/')[0]) * 1000 + Number(id.split('/')[1])
  return [...new Set(ids)].sort((a, b) => place(a) - place(b))
}

/** What must be true of a write whatever happened. */
function check({ write, number, report, error }: Outcome, ids: ReadonlySet<string>): void {
  if (report === null) {
    expect(error).toMatchObject({ name: expect.stringMatching(/Error$/) as string, code: expect.any(String) as string })
    return
  }
  const ending = { ...report, code: error instanceof OutputError ? error.code : null }
  const isDropped = (n: number): boolean => write.kinds[n] === 'bad'
  // All that is called safe is in the log, or was dropped.
  for (let n = 0; n < report.safeRows; n++)
    if (!isDropped(n)) expect(ids, JSON.stringify(ending)).toContain(`${number}/${n}`)
  expect(report.delivered + report.dropped).toBeLessThanOrEqual(report.rows)
  expect(report.possibleDuplicates).toBeLessThanOrEqual(report.retried)
  if (error === null) expect(ending).toMatchObject({ rows: write.kinds.length, safeRows: write.kinds.length })
  if (error === null) expect(report.delivered + report.dropped).toBe(report.rows)
  else expect(ending.code).toMatch(/^(ABORTED|SOURCE_FAILED|WRITE_FAILED|CLOSED)$/)
}

async function play({ writes, faults, rowsPerMessage, batchBytes, isClosedEarly }: Scenario): Promise<void> {
  const cluster = await startCluster({ topics: { t: 1 } })
  for (const { after, effect } of faults) cluster.fail({ api: 'Produce', after, times: 1, ...effect })
  const options = { errorPolicy: 'Drop', rowsPerMessage, clock: hasty, producer: { batchBytes } } as const
  const output = newOutput(cluster, options)
  const started = writes.map((write, i) => run(output, write, i))
  if (isClosedEarly) {
    await turns(20)
    await output.close({ timeoutMs: 1 }).catch(() => 'rows may be left')
  }
  const outcomes = await Promise.all(started)
  await output.close().catch(() => 'rows of aborted writes may be left')
  await turns(2)
  const ids = idsIn(cluster)
  for (const outcome of outcomes) check(outcome, new Set(ids))
  // What is given again comes behind what went well meanwhile.
  if (outcomes.every(({ report }) => report?.retried === 0)) expect([...new Set(ids)]).toEqual(inOrder(ids))
  const total = output.metrics()
  expect(total['Backlogged Input Events']).toBe(0)
  expect(total['Output Events']).toBeLessThanOrEqual(ids.length)
  expect(total['Data Conversion Errors']).toBe(total['Dropped Events'])
  expect(cluster.violations).toEqual([])
  await cluster.close()
}

describe('whatever happens to writes, brokers and sources', () => {
  it('every write settles, nothing that is called safe is missing, and the numbers add up', async () => {
    await fc.assert(fc.asyncProperty(scenario, play), { numRuns: 100 })
  })
})
