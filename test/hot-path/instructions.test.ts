import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestCluster } from '../../src/testing/test-cluster.ts'
import { INSTRUCTIONS, MANY_PARTITIONS, MANY_PARTITIONS_FACTOR } from './bounds.ts'
import { Programs } from './programs.ts'
import { SpenderProcess } from './run-spender.ts'
import { WAVE_RECORDS } from './spending.ts'

const run = promisify(execFile)

type Counted = keyof typeof INSTRUCTIONS

/** valgrind is slow: no more than is needed. */
const WARM_WAVES = 40
const COUNTED_WAVES = 6
const TIMEOUT_MS = 120_000

/** valgrind counts what a process executes, whatever else the machine does; `perf` needs a processor that lets it. */
const UNDER = ['valgrind', '--tool=callgrind', '--instr-atstart=no', '--callgrind-out-file=/dev/null']
const hasValgrind = ['valgrind', 'callgrind_control'].every((tool) => spawnSync(tool, ['--version']).status === 0)
const whyNot = [
  ...(hasValgrind ? [] : ['there is no valgrind']),
  // Another compiler makes other instructions of it, and what is superfluous is so on any Node.
  ...(process.versions.node.startsWith('20.') ? [] : [`the bounds are those of Node 20, not of ${process.version}`]),
]
if (whyNot.length > 0) console.log(`SKIPPED: the instructions of a record are not counted: ${whyNot.join('; ')}`)

async function control(pid: number, ...args: string[]): Promise<string> {
  return (await run('callgrind_control', [...args, String(pid)])).stdout
}

/** Instructions so far, of all threads. */
async function executed(pid: number): Promise<number> {
  const said = await control(pid, '-e', 'Ir')
  const threads = [...said.matchAll(/^\s*Th \d+\s+([\d,]+)/gm)].map(([, count = '']) =>
    Number(count.replaceAll(',', '')),
  )
  if (threads.length === 0) throw new Error(`valgrind does not say how many: ${said}`)
  return threads.reduce((sum, count) => sum + count, 0)
}

describe.skipIf(whyNot.length > 0)('the instructions of a record', () => {
  const programs = new Programs()
  const counts = new Map<Counted, number>()
  let cluster: TestCluster

  beforeAll(async () => {
    await programs.build('spender')
    cluster = await TestCluster.start({ topics: { one: 1, many: MANY_PARTITIONS }, keepRecords: false })
  })
  afterAll(async () => {
    await cluster.close()
    programs.remove()
  })

  async function countOf(way: Counted, topic: 'one' | 'many'): Promise<number> {
    const job = { brokers: cluster.bootstrap, topic, way, wastes: false, warmWaves: WARM_WAVES }
    const spender = await SpenderProcess.start(programs, job, UNDER)
    await control(spender.pid, '-i', 'on')
    const totals = [await executed(spender.pid)]
    while (totals.length <= COUNTED_WAVES) {
      await spender.wave()
      totals.push(await executed(spender.pid))
    }
    await spender.close()
    const waves = totals.slice(1).map((total, i) => total - (totals[i] ?? 0))
    // The cheapest wave: others have a collection in them, or the compiler.
    const count = Math.min(...waves) / WAVE_RECORDS
    console.log(
      `${way}, ${topic === 'one' ? 'one partition' : 'many partitions'}: ${count.toFixed(0)} instructions a record`,
    )
    return count
  }

  it.each(['send', 'offer'] as const)(
    'are within their bound: %s',
    async (way) => {
      const count = await countOf(way, 'one')
      counts.set(way, count)
      expect(count).toBeLessThan(INSTRUCTIONS[way])
      expect(count).toBeGreaterThan(300) // a record has a hundred bytes to be copied and summed
    },
    TIMEOUT_MS,
  )

  it(
    'perf-7: are as many among 10 000 partitions',
    async () => {
      const one = counts.get('offer') ?? (await countOf('offer', 'one'))
      expect((await countOf('offer', 'many')) / one).toBeLessThan(MANY_PARTITIONS_FACTOR)
    },
    TIMEOUT_MS,
  )
})
