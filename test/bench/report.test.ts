import { describe, expect, it } from 'vitest'
import { CELLS, SHORT_CELLS, type Cell } from '../../bench/compare/cells.ts'
import type { Result } from '../../bench/compare/compare.ts'
import { CONTENDERS, contendersNamed, type Contender } from '../../bench/compare/contenders.ts'
import { figureText, markdown, markdownTable } from '../../bench/compare/markdown.ts'
import { chosenCells } from '../../bench/compare/plan.ts'
import { cpuUses, heapUses, instructionsIn } from '../../bench/compare/profile.ts'
import { summarize } from '../../bench/compare/summary.ts'

const cell = CELLS.find(({ name }) => name === 'small')!
const contenders = contendersNamed(['headrace-send', 'kafkajs', 'platformatic-2', 'librdkafka'])

function result(
  name: string,
  round: number,
  recordsPerSecond: number,
  cpuUs: number,
  more: Partial<Result> = {},
): Result {
  const contender = contenders.find((each) => each.name === name)!
  return {
    ...{
      cell,
      contender,
      round,
      version: '1',
      runtime: 'Node',
      settings: 'acks=all',
      records: recordsPerSecond,
      seconds: 1,
    },
    ...{ cpuUs: cpuUs * recordsPerSecond, rssBytes: 2 ** 20, acked: 10, stored: 10, offeredPerSecond: 0 },
    ...{ latencyUs: null, loopDelayP99Us: null, gcShare: null, ...more },
  }
}

const results = [
  ...[result('headrace-send', 1, 600, 1), result('headrace-send', 2, 300, 2), result('headrace-send', 3, 500, 1)],
  ...[result('kafkajs', 1, 100, 8), result('kafkajs', 2, 50, 16), result('kafkajs', 3, 100, 8)],
  ...[result('platformatic-2', 1, 200, 9), result('platformatic-2', 2, 100, 18), result('platformatic-2', 3, 250, 9)],
  ...[result('librdkafka', 1, 1200, 0.5), result('librdkafka', 2, 600, 1), result('librdkafka', 3, 1000, 0.5)],
]
const [summary] = summarize([cell], contenders, results)
const mine = summary!.rows[0]!

describe('the fixed work', () => {
  it('is at most twelve cells with names of their own, and has what is promised', () => {
    expect(CELLS.length).toBeLessThanOrEqual(12)
    expect(new Set(CELLS.map(({ name }) => name)).size).toBe(CELLS.length)
    const all = <Key extends keyof Cell>(key: Key): Set<Cell[Key]> => new Set(CELLS.map((each) => each[key]))
    expect(all('target')).toEqual(new Set(['kafka', 'kafka-3', 'sink']))
    expect(all('valueBytes')).toEqual(new Set([100, 1024, 10_240]))
    expect(all('compression')).toEqual(new Set(['none', 'lz4', 'zstd']))
    expect(all('partitions')).toEqual(new Set([1, 6, 100, 10_000]))
    expect(all('concurrency')).toEqual(new Set([1, 100, 10_000]))
    expect(all('keyed')).toEqual(new Set([true, false]))
    for (const name of SHORT_CELLS) expect(CELLS.map((each) => each.name)).toContain(name)
  })

  it('can be any other by options, of `small` unless a cell is named', () => {
    expect(chosenCells({ valueBytes: 500 })).toMatchObject([{ name: 'small*', valueBytes: 500, load: 'closed' }])
    expect(chosenCells({ concurrency: 1 })).toMatchObject([{ concurrency: 1, load: 'serial' }])
    expect(chosenCells({ cell: ['zstd'], rate: 5000 })).toMatchObject([
      { name: 'zstd*', compression: 'zstd', load: 'rate', ratePerSecond: 5000 },
    ])
    expect(chosenCells({ cell: ['sink'] })).toMatchObject([{ name: 'sink' }])
    expect(chosenCells({})).toBe(CELLS)
    expect(() => chosenCells({ cell: ['smal'] })).toThrow(/no cell "smal"; there are small/)
  })

  it('is refused only with a reason', () => {
    const reasons = CONTENDERS.flatMap(({ refuses }) => CELLS.map(refuses)).filter((reason) => reason !== null)
    expect(reasons.every((reason) => reason.length > 10)).toBe(true)
    expect(() => contendersNamed(['kafkaj'])).toThrow(/no contender "kafkaj"/)
    expect(contendersNamed(['kafkajs@24'])).toMatchObject([{ name: 'kafkajs@24', title: 'kafkajs@24', kind: 'node' }])
    expect(() => contendersNamed(['kafkajs@18'])).toThrow(/kafkajs@18: only @24/)
    expect(() => contendersNamed(['librdkafka@24'])).toThrow(/only of what runs in Node/)
  })
})

describe('summarize', () => {
  it('takes ratios round by round, to librdkafka and to the Node peer that is best at the same', () => {
    expect(summary!.bestPeer).toMatchObject({ recordsPerSecond: 'platformatic-2', cpuUs: 'kafkajs', p99: null })
    expect(mine.toLibrdkafka.recordsPerSecond).toEqual({ min: 0.5, median: 0.5, max: 0.5 })
    expect(mine.toLibrdkafka.cpuUs).toEqual({ min: 2, median: 2, max: 2 })
    expect(mine.toBestPeer.recordsPerSecond).toEqual({ min: 2, median: 3, max: 3 })
    expect(mine.toBestPeer.cpuUs?.median).toBe(1 / 8)
    expect(mine.figures.recordsPerSecond).toEqual({ min: 300, median: 500, max: 600 })
  })

  it('is never best peer itself, and counts what the broker has too much or too little', () => {
    const lost = [result('headrace-send', 1, 600, 1, { stored: 7 }), result('kafkajs', 1, 10, 9, { stored: 12 })]
    const [rows] = summarize([cell], contenders, lost).map((each) => each.rows)
    expect(rows!.map(({ miscounted }) => miscounted)).toEqual([-3, 2])
  })
})

describe('markdown', () => {
  const machine = {
    ...{ date: '2026-01-01', commit: 'abc', processor: 'cpu', cores: 2, memoryGib: 24, system: 'Linux' },
    ...{ loadBefore: '0.1', loadAfter: '0.2', runtimes: ['Node v20'] },
  }
  const plan = { cells: [cell], contenders, rounds: 3, seed: 1, warmMs: 1, measureMs: 1, headrace: '' }

  it('shows figures, ratios, who is absent and why, and the settings', () => {
    const absences = [
      { cell, contender: { ...contenders[1]!, title: 'some client' } as Contender, reason: 'not installed: run X' },
    ]
    const text = markdown({
      ...{ plan, machine, comparison: { results, absences, targets: ['Kafka'] } },
      ...{ summaries: [summary!], plot: 'x.svg' },
    })
    expect(text).toMatch(
      /\| headrace, awaited sends \| 500 \(300 to 600\) \| 1\.00 \(1\.00 to 2\.00\) .*\| 0\.5 x \| 3 x \| 2 x \| 0\.13 x \| all \|/,
    )
    expect(text).toContain('- not measured: some client: not installed: run X')
    expect(text).toContain('![records a second and CPU a record](x.svg)')
    expect(text).toContain('**kafkajs** 1, Node: acks=all (small)')
  })

  it('escapes what would end a column, and keeps three digits', () => {
    expect(markdownTable(['a'], [['x|y']])).toBe('| a |\n| --- |\n| x\\|y |')
    expect([1_234_567, 45_678, 987.6, 12.34, 0.456].map(figureText)).toEqual(['1.23 M', '46 k', '988', '12.3', '0.46'])
  })
})

describe('profiles', () => {
  const frame = (functionName: string) => ({ functionName, url: '', lineNumber: 0 })

  it('give each sample the time until the next', () => {
    const nodes = [
      { id: 1, callFrame: frame('a') },
      { id: 2, callFrame: frame('b') },
    ]
    expect(cpuUses({ nodes, samples: [1, 2, 1], timeDeltas: [100, 10, 20] })).toEqual([
      { place: 'b', amount: 20 },
      { place: 'a', amount: 10 },
    ])
  })

  it('add up what a function allocated in all its places', () => {
    const leaf = (name: string, selfSize: number) => ({ callFrame: frame(name), selfSize, children: [] })
    const head = {
      callFrame: frame('(root)'),
      selfSize: 0,
      children: [leaf('a', 5), { ...leaf('b', 7), children: [leaf('a', 4)] }],
    }
    expect(heapUses({ head })).toEqual([
      { place: 'a', amount: 9 },
      { place: 'b', amount: 7 },
    ])
  })

  it('know a count of instructions from a machine that has none', () => {
    expect(instructionsIn('123456,,instructions:u,100,100.00,,')).toBe(123_456)
    expect(instructionsIn('<not supported>,,instructions:u,0,100.00,,')).toBeNull()
  })
})
