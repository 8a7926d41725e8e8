import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { beforeEach, describe, expect, it } from 'vitest'
import { Alarm } from '../src/alarm.ts'
import type { Timer } from '../src/clock.ts'
import { FakeClock } from './support/fake-clock.ts'

class CountingClock extends FakeClock {
  made = 0

  override after(delayMs: number, fn: () => void): Timer {
    this.made++
    return super.after(delayMs, fn)
  }
}

let clock: CountingClock
let rung: number[]
let alarm: Alarm
let startMs: number
const at = (ms: number): number => startMs + ms

beforeEach(() => {
  clock = new CountingClock()
  startMs = clock.now()
  rung = []
  alarm = new Alarm(clock, () => rung.push(clock.now() - startMs))
})

describe('an alarm', () => {
  it('rings once, when it is due', async () => {
    alarm.set(at(100))
    await clock.advance(99)
    expect(rung).toEqual([])
    await clock.advance(1000)
    expect(rung).toEqual([100])
    expect(clock.pendingMs).toEqual([])
  })

  it('leaves its timer alone while what is due moves away, and rings at the last word', async () => {
    for (let ms = 100; ms <= 1000; ms += 100) alarm.set(at(ms))
    expect(clock.made).toBe(1)
    await clock.advance(5000)
    expect(rung).toEqual([1000])
    expect(clock.made).toBe(2)
  })

  it('rings sooner when it is told so, and not later than asked for by setNoLater', async () => {
    alarm.set(at(1000))
    alarm.set(at(300))
    alarm.setNoLater(at(500))
    alarm.setNoLater(at(200))
    await clock.advance(5000)
    expect(rung).toEqual([200])
    expect(clock.pendingMs).toEqual([])
  })

  it('does not ring, nor keep the process alive, once nothing is due; set again it does both', async () => {
    alarm.set(at(1000))
    alarm.set(Infinity)
    expect(clock.keptMs).toEqual([])
    alarm.set(at(2000))
    expect([clock.keptMs, clock.made]).toEqual([[1000], 1])
    alarm.set(Infinity)
    await clock.advance(1500)
    expect(clock.pendingMs).toEqual([])
    alarm.set(at(2500))
    expect(clock.keptMs).toEqual([1000])
    await clock.advance(5000)
    expect(rung).toEqual([2500])
  })

  it('leaves nothing behind when it is cancelled', async () => {
    alarm.set(at(1000))
    alarm.cancel()
    expect(clock.pendingMs).toEqual([])
    alarm.set(at(1000))
    await clock.advance(1000)
    expect(rung).toEqual([1000])
  })

  it('may be set while it rings', async () => {
    const again = new Alarm(clock, () => {
      rung.push(clock.now() - startMs)
      if (rung.length < 3) again.set(clock.now() + 10)
    })
    again.set(at(10))
    await clock.advance(100)
    expect(rung).toEqual([10, 20, 30])
  })

  it('lets a real process end that has nothing to wait for, and holds one that has', async () => {
    const program = `
      import { Alarm } from './src/alarm.ts'
      import { systemClock } from './src/clock.ts'
      const [quiet, wanted] = ['quiet', 'wanted'].map((name) => new Alarm(systemClock, () => console.log(name)))
      quiet.set(systemClock.now() + 600_000)
      quiet.set(Infinity)
      wanted.set(systemClock.now() + 600_000)
      wanted.set(Infinity)
      wanted.set(systemClock.now() + 50)
    `
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', program],
      { timeout: 60_000 },
    )
    expect(stdout).toBe('wanted\n')
  })
})
