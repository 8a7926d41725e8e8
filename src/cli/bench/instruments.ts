import { monitorEventLoopDelay } from 'node:perf_hooks'

/** What a load costs the process that makes it. */
export interface Costs {
  readonly userUs: number
  readonly systemUs: number
  /** The most that the process has had since it began. */
  readonly rssPeakBytes: number
  /** 99 of 100 turns of the event loop begin with at most this delay. */
  readonly loopDelayP99Ms: number
}

const LOOP_RESOLUTION_MS = 10

/** @returns ends the measurement. */
export function startInstruments(): () => Costs {
  const delay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
  delay.enable()
  const before = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(before)
    delay.disable()
    return {
      userUs: user,
      systemUs: system,
      rssPeakBytes: process.resourceUsage().maxRSS * 1024,
      // It measures from one of its timers to the next, so the timer's own time is in it.
      loopDelayP99Ms: delay.count === 0 ? 0 : Math.max(0, delay.percentile(99) / 1e6 - LOOP_RESOLUTION_MS),
    }
  }
}
