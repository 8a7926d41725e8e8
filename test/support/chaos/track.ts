import type { Occasion, Hold } from './inflict.ts'
import type { Fault } from './schedule.ts'

/** A fault that happened; times in ms since the start of the load. */
export interface DoneFault extends Fault {
  readonly track: 'cluster' | 'proxy'
  readonly startedMs: number
  readonly endedMs: number
  /** What it hit, in words. */
  readonly note: string
}

export interface TrackOptions {
  readonly track: DoneFault['track']
  readonly faults: Iterable<Fault>
  readonly inflict: (fault: Fault, occasion: Occasion) => Promise<string>
  readonly hold: Hold
  /** Milliseconds since the start of the load. */
  readonly nowMs: () => number
  /** The run is over: a fault in progress is undone, and no other begins. */
  readonly signal: AbortSignal
  readonly onDone: (fault: DoneFault) => void
}

/** Runs faults one after the other until the signal. @throws what a fault throws: then the harness has failed. */
export async function runTrack(options: TrackOptions): Promise<void> {
  const { track, faults, inflict, hold, nowMs, signal, onDone } = options
  for (const fault of faults) {
    await hold(fault.afterMs)
    if (signal.aborted) return
    let startedMs = nowMs()
    const note = await inflict(fault, { begin: () => (startedMs = nowMs()), hold })
    onDone({ ...fault, track, startedMs, endedMs: nowMs(), note })
  }
}
