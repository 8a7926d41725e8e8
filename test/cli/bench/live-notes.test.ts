import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { BenchRun } from '../../../src/cli/bench/bench-run.ts'
import { Payload } from '../../../src/cli/bench/payload.ts'
import type { BenchPlan } from '../../../src/cli/bench/plan.ts'

const load = { seconds: 2, records: null, ratePerSecond: null, concurrency: 1 }
const plan: BenchPlan = {
  ...{ topic: 'load', warmupSeconds: 0, load, valueBytes: 10, keys: 0, svgFile: null, isJson: true },
}
const isTerminal = Object.getOwnPropertyDescriptor(process.stderr, 'isTTY')
let written = ''

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] })
  written = ''
  Object.defineProperty(process.stderr, 'isTTY', { value: true, configurable: true })
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written += String(text)
    return true
  })
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
  if (isTerminal === undefined) Reflect.deleteProperty(process.stderr, 'isTTY')
  else Object.defineProperty(process.stderr, 'isTTY', isTerminal)
})

/** What the line has on which the terminal's cursor stands, and what came after the note. */
function around(note: string): { before: string; after: string } {
  const at = written.indexOf(note)
  expect(at).toBeGreaterThan(0)
  // To the first column, and all of the line is erased.
  const before = written.slice(0, at).split('\x1b[1G\x1b[2K').at(-1) ?? ''
  return { before, after: written.slice(at + note.length) }
}

/** Sends that settle when the test gives them up. */
let giveUp: (error: Error) => void = () => undefined
const producer = {
  send: () => new Promise<never>((_, reject) => (giveUp = reject)),
  close: () => Promise.resolve(),
}

describe('a note on a terminal', () => {
  test('stands on a line of its own: the moving one is gone', async () => {
    const others = new Set(process.listeners('SIGTERM'))
    const ended = new BenchRun(producer, plan, new Payload(plan)).run()
    const [interrupt] = process.listeners('SIGTERM').filter((listener) => !others.has(listener))
    await vi.advanceTimersByTimeAsync(1000)
    expect(written).toMatch(/measuring {2}.*1 under way/)
    interrupt?.('SIGTERM')
    const interrupted = around('interrupted: delivering what is under way; once more gives it up\n')
    expect(interrupted.before).toBe('')
    await vi.advanceTimersByTimeAsync(10_000)
    const waiting = around('waiting for 1 record; Ctrl-C twice gives them up\n')
    expect([waiting.before.split('\n').at(-1), interrupted.after, waiting.after]).toEqual(['', '', ''])
    giveUp(new Error('given up'))
    await ended
    expect(written.endsWith('gives them up\n')).toBe(true)
  })

  test('also where there was no other before', async () => {
    const ended = new BenchRun(producer, plan, new Payload(plan)).run()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(around('waiting for 1 record; Ctrl-C twice gives them up\n')).toEqual({ before: '', after: '' })
    giveUp(new Error('given up'))
    await ended
  })
})
