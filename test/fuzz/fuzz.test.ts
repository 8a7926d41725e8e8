import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ProtocolError } from '../../src/errors.ts'
import { readCorpus, readInputs, saveCorpus, saveFinding } from './corpus.ts'
import { Coverage } from './coverage.ts'
import { Engine } from './engine.ts'
import { mapNothing } from './fields.ts'
import type { Target } from './targets.ts'

// Coverage begins before the decoders are loaded, so they are not imported above.
const coverage = new Coverage()
const { allTargets } = await import('./targets.ts')
const { seeds } = await import('./seeds.ts')

const SEED = 20_261_121
const targets = allTargets()

function custom(name: string, parts: Partial<Target> & Pick<Target, 'run'>): Target {
  return { ...{ name, family: name, weight: 1, map: mapNothing }, ...parts }
}

/** What the engine says about one decoder within so many executions. */
function findingsOf(target: Target, executions = 30_000): string[] {
  const inputs = [{ target: target.name, bytes: Buffer.from('0001020304050607', 'hex') }]
  const engine = new Engine({ targets: [target], seed: SEED, inputs, maxFindings: 1 })
  return engine.run({ seconds: 600, executions }).findings.map(({ what }) => what)
}

describe('the decoders of headrace', () => {
  // First: what is compiled while nobody counts has no blocks.
  it('are executed nearly whole by seeds and corpus', () => {
    new Engine({ targets, seed: SEED, inputs: [...seeds(SEED), ...readCorpus()], coverage })
    coverage.stop()
    const { all, covered } = coverage.blocks()
    expect(all).toBeGreaterThan(300)
    expect(covered / all).toBeGreaterThan(0.85)
  })

  // So many executions, however long a busy machine takes for them.
  it('stand 60 000 executions', { timeout: 120_000 }, () => {
    const engine = new Engine({ targets, seed: SEED, inputs: seeds(SEED) })
    const report = engine.run({ seconds: 600, executions: 60_000 })
    expect(report.findings.map(({ target, bytes, what }) => [target.name, bytes.toString('hex'), what])).toEqual([])
    expect(report.executions).toBeGreaterThan(targets.length * 10)
    expect(report.accepted).toBeGreaterThan(report.executions / 50)
    expect(report.checked).toBeGreaterThan(0)
    expect([...report.perTarget.values()].every((count) => count > 0)).toBe(true)
  })

  it('stand every input that the repository keeps', () => {
    const engine = new Engine({ targets, seed: SEED, inputs: [] })
    const inputs = readCorpus()
    expect(inputs.length).toBeGreaterThan(100)
    const wrong = inputs.map((input) => [input.target, input.bytes.toString('hex'), engine.replay(input)])
    expect(wrong.filter(([, , what]) => what !== null)).toEqual([])
  })
})

describe('a planted bug is found:', () => {
  it('a RangeError on a magic byte', () => {
    const target = custom('planted', {
      run: (input) => {
        if (input[3] === 0x7f) throw new RangeError('offset out of range')
        if (input.length < 4) throw new ProtocolError('TRUNCATED', 'too short')
        return input.length
      },
    })
    expect(findingsOf(target)).toEqual(['RangeError: offset out of range'])
  })

  it('an input that is changed', () => {
    expect(findingsOf(custom('writer', { run: (input) => input.reverse() }), 500)).toEqual(['the input was changed'])
  })

  it('memory by a declared count', () => {
    const run = (input: Buffer): unknown => new Array<number>((input[0] ?? 0) << 7).fill(0)
    expect(findingsOf(custom('greedy', { run }))[0]).toMatch(/^\d+ bytes (allocated|held)/)
  })

  it('time by a declared count', () => {
    const run = (input: Buffer): number => {
      let sum = 0
      if (input[0] === 0xff) for (let i = 0; i < 5_000_000; i++) sum = (sum * 31 + i) | 0
      return sum
    }
    expect(findingsOf(custom('slow', { run }))[0]).toMatch(/^\d+\.\d\d ms for \d+ bytes/)
  })

  it('a value that is another one when it is encoded', () => {
    const check = (input: Buffer): string | null => (input[0] === 0x80 ? 'another value' : null)
    expect(findingsOf(custom('lossy', { run: () => 0, check }))).toEqual(['another value'])
  })
})

describe('files', () => {
  let directory: string
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'headrace-fuzz-'))
  })
  afterAll(() => {
    rmSync(directory, { recursive: true, force: true })
  })

  it('of findings are replayed', () => {
    const target = targets.find(({ name }) => name === 'zstd')!
    const file = saveFinding(target, Buffer.of(1, 2), 'RangeError: a\nb', directory)
    expect(readInputs(file)).toEqual([{ target: 'zstd', bytes: Buffer.of(1, 2) }])
    expect(new Engine({ targets, seed: 1, inputs: [] }).replay(readInputs(file)[0]!)).toBeNull()
  })

  it('of the corpus hold every input once', () => {
    const input = { target: 'lz4', family: 'lz4', bytes: Buffer.of(4) }
    saveCorpus([input, input], directory)
    saveCorpus([input, { ...input, bytes: Buffer.of(3) }], directory)
    expect(readInputs(join(directory, 'lz4.txt')).map(({ bytes }) => bytes[0])).toEqual([3, 4])
  })
})
