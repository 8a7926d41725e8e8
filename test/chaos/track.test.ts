import { describe, expect, it } from 'vitest'
import { runTrack, type DoneFault } from '../support/chaos/track.ts'
import type { Fault } from '../support/chaos/schedule.ts'

function fault(number: number): Fault {
  return { number, kind: 'kill', afterMs: 10, holdMs: 5, node: 1, choice: 0 }
}

describe('a track of faults', () => {
  it('runs them one after the other, and begins none after the end', async () => {
    const over = new AbortController()
    const done: DoneFault[] = []
    const held: number[] = []
    let nowMs = 0
    let running = 0
    await runTrack({
      ...{ track: 'cluster', faults: [1, 2, 3, 4].map(fault), signal: over.signal, nowMs: () => nowMs },
      hold: (ms) => {
        held.push(ms)
        nowMs += ms
        return Promise.resolve()
      },
      inflict: async ({ number }, { begin, hold }) => {
        expect(++running).toBe(1)
        nowMs += 100 // waits for replicas
        begin()
        if (number === 2) over.abort()
        await hold(5)
        running--
        return `number ${number}`
      },
      onDone: (one) => void done.push(one),
    })
    expect(held).toEqual([10, 5, 10, 5, 10])
    expect(done.map(({ number, startedMs, endedMs, note }) => [number, startedMs, endedMs, note])).toEqual([
      [1, 110, 115, 'number 1'],
      [2, 225, 230, 'number 2'],
    ])
  })

  it('fails when a fault cannot be done: chaos that did not happen proves nothing', async () => {
    const run = runTrack({
      ...{ track: 'cluster', faults: [fault(1)], signal: new AbortController().signal, nowMs: () => 0 },
      hold: () => Promise.resolve(),
      inflict: () => Promise.reject(new Error('no such broker')),
      onDone: () => undefined,
    })
    await expect(run).rejects.toThrow('no such broker')
  })
})
