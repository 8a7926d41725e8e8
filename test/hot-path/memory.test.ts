import { fork } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestCluster } from '../../src/testing/test-cluster.ts'
import { PEAK_RSS_MB } from './bounds.ts'
import type { FullSpeed, FullSpeedJob } from './full-speed.ts'
import { Programs } from './programs.ts'

const RECORDS = 1_000_000
const TIMEOUT_MS = 120_000

const isNode20 = process.versions.node.startsWith('20.')
const ways: readonly FullSpeedJob['way'][] = ['send', 'sendAll', 'offer']

const programs = new Programs()
let cluster: TestCluster

beforeAll(async () => {
  await programs.build('full-speed')
  cluster = await TestCluster.start({ topics: { t: 6 }, keepRecords: false })
})
afterAll(async () => {
  await cluster.close()
  programs.remove()
})

/** A process with the flags that a user's has: none. */
async function run(job: FullSpeedJob): Promise<FullSpeed> {
  const child = fork(programs.file('full-speed'), [JSON.stringify(job)], { execArgv: [] })
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`it ended with ${String(code)}`)))
  const [answer] = (await Promise.race([once(child, 'message'), ended])) as [FullSpeed]
  await ended.catch(() => undefined)
  return answer
}

describe('perf-8: a million records as fast as it goes', () => {
  it.each(ways.map((way) => [way, PEAK_RSS_MB[way][isNode20 ? 'node20' : 'newer']] as const))(
    'take, with %s, at most %i MB',
    async (way, limitMb) => {
      const { delivered, filled, peakRssBytes } = await run({
        ...{ brokers: cluster.bootstrap, topic: 't' },
        way,
        records: RECORDS,
      })
      const shown = `${(peakRssBytes / 1e6).toFixed(0)} MB at most, bufferBytes ${(filled * 100).toFixed(0)} % full`
      console.log(`${way}: ${shown}`)
      expect(delivered).toBe(RECORDS)
      expect(peakRssBytes).toBeLessThan(limitMb * 1e6)
    },
    TIMEOUT_MS,
  )
})
