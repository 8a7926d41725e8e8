import { describe, expect, it } from 'vitest'
import { Progress } from '../support/chaos/progress.ts'
import { hasPassed, reportJson, reportText, type Provenance } from '../support/chaos/report.ts'
import type { ChaosOptions, ChaosResult } from '../support/chaos/run.ts'
import type { DoneFault } from '../support/chaos/track.ts'
import { chaosView } from '../support/chaos/view.ts'

const PROVENANCE: Provenance = {
  ...{ headrace: '1.2.3', commit: 'abc1234+', startedAt: '2026-11-21T06:00:00.000Z' },
  command: 'npm run chaos -- --seed 7',
}

const OPTIONS: ChaosOptions = {
  ...{ seed: 7, minutes: 1, maxRecords: Infinity, faults: ['kill'], recordsPerSecond: 1000, lingerMs: 0 },
  ...{ idempotent: true, acks: 'all', compression: 'none', requestTimeoutMs: 5000 },
}

const KILL: DoneFault = {
  ...{ number: 1, kind: 'kill', afterMs: 500, holdMs: 700, node: 2, choice: 3, track: 'cluster' },
  ...{ startedMs: 61_000, endedMs: 65_300, note: 'led 4 of 12 partitions' },
}

function result(violations: string[] = []): ChaosResult {
  const progress = new Progress()
  progress.onAccepted('t-0', 61_100)
  progress.onDelivered('t-0', 61_100, 63_500, 100)
  const none = { lost: 0, duplicated: 0, reordered: 0, wrongStatus: 0, misplaced: 0, wrongCoordinates: 0, unsettled: 0 }
  const counts = { ...none, accepted: 10, delivered: 5, failed: 5, maybeWritten: 4, read: 8 }
  return {
    ...{ verdict: { counts, violations }, progress, faults: [KILL], loadMs: 120_000, closeMs: 5, readBackMs: 900 },
    ...{ side: { accepted: 3, delivered: 2, failures: { DELIVERY_TIMEOUT: 1 } }, maxRssBytes: 100 << 20 },
    events: {
      ...{ retriedBatches: 2, retriedRecords: 30, epochBumps: 1, violations: [], stop: () => undefined },
      ...{ retryErrors: { CONNECTION_CLOSED: 2 }, errors: { DELIVERY_TIMEOUT: 1 } },
    } as unknown as ChaosResult['events'],
    ...{ connections: { accepted: 9, brokenByProxy: 4 }, eventLoopDelayMs: { p99: 20, max: 90 } },
  }
}

describe('the report of chaos', () => {
  it('tells of logins where there were any', () => {
    const entrance = { mechanism: 'scram-sha-512', isTls: true, sessionMs: 2100 } as const
    const done = result()
    Object.assign(done.events, { relogins: 1234, longestReloginMs: 12.34, lostConnections: 2, losses: ['a:1: gone'] })
    const text = reportText(PROVENANCE, { ...OPTIONS, entrance }, done)
    expect(text).toContain('scram-sha-512 over TLS, sessions of 2100 ms')
    expect(text).toContain(
      '1,234 logins on connections in use, the longest took 12.3 ms; 2 connections lost\n            lost: a:1: gone',
    )
    expect(reportText(PROVENANCE, OPTIONS, done)).not.toContain('sessions')
  })

  it('says what was done, what came of it, and how to do it again', () => {
    const text = reportText(PROVENANCE, OPTIONS, result())
    expect(text).toContain('chaos       seed 7')
    expect(text).toContain('headrace 1.2.3 (abc1234+)')
    expect(text).toMatch(/1 {2} +1:01 {2}kill +2 +4\.3 s +2\.4 s {2}led 4 of 12 partitions/)
    expect(text).toContain('4 of them maybe written, of which 3 are in the log')
    expect(text).toContain('2 batches with 30 records, 1 epoch bumps: CONNECTION_CLOSED 2')
    expect(text).toContain('verdict     PASSED')
    expect(text).toContain('again       npm run chaos -- --seed 7')
  })

  it('fails on any violation, and names the first ones', () => {
    const bad = result(Array.from({ length: 25 }, (_, i) => `O2 number ${i}`))
    expect([hasPassed(result()), hasPassed(bad)]).toEqual([true, false])
    const text = reportText(PROVENANCE, OPTIONS, bad)
    expect(text).toContain('VIOLATION  O2 number 19')
    expect(text).not.toContain('O2 number 20')
    expect(text).toContain('verdict     FAILED: 25 violations')
  })

  it('allows second copies only without idempotence', () => {
    const { verdict, ...rest } = result()
    const doubled = { ...rest, verdict: { ...verdict, counts: { ...verdict.counts, duplicated: 2 } } }
    expect(reportText(PROVENANCE, { ...OPTIONS, idempotent: false }, doubled)).toContain('allowed per partition')
    expect(reportText(PROVENANCE, OPTIONS, doubled)).not.toContain('allowed per partition')
  })

  it('is JSON as well', () => {
    const json: unknown = JSON.parse(JSON.stringify(reportJson(PROVENANCE, OPTIONS, result(['O1 x']))))
    expect(json).toMatchObject({
      ...{ passed: false, commit: 'abc1234+', violations: ['O1 x'], stallsMs: { longest: 2400, above200ms: 1 } },
      faults: [{ kind: 'kill', node: 2, startedMs: 61_000, longestStallMs: 2400 }],
    })
  })
})

describe('the view of chaos', () => {
  it('writes plain lines where there is no terminal: every ten seconds, and each fault', () => {
    const written: string[] = []
    const view = chaosView(OPTIONS, { write: (text) => written.push(text) })
    for (let elapsedMs = 0; elapsedMs <= 20_000; elapsedMs += 250) view.onTick(elapsedMs, new Progress(), 0)
    view.onFault(KILL, 2400)
    view.onFault({ ...KILL, track: 'proxy', kind: 'cut' }, 0)
    expect(written.map((text) => text.split('  ')[0])).toEqual(['17 %', '33 %', '1:01'])
    expect(written[2]).toBe('1:01  kill node 2 for 4.3 s: led 4 of 12 partitions, stall 2.4 s\n')
  })

  it('keeps one moving line on a terminal, below the rest', () => {
    const written: string[] = []
    const view = chaosView(OPTIONS, { isTTY: true, write: (text) => written.push(text) })
    view.onTick(30_000, new Progress(), 3)
    view.onEvent('something')
    expect(written[0]).toContain('50 %  0:30')
    expect(written[1]).toMatch(/^\r.*something\n50 %/)
    view.end()
  })
})
