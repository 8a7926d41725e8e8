import type { Producer } from '../../index.ts'
import { onInterrupt } from '../interrupt.ts'
import { counted } from '../numbers.ts'
import { printNote } from '../terminal.ts'
import { Failures } from './failures.ts'
import { startInstruments, type Costs } from './instruments.ts'
import { startLive } from './live-line.ts'
import { Load, type EarlyEnd, type LoadLimits } from './load.ts'
import type { Payload } from './payload.ts'
import type { BenchPlan } from './plan.ts'
import { Timeline, type Latency, type Second } from './timeline.ts'

/** What came of a load, from its first send to its last answer; with a rate and a time, at least that time. */
export interface Outcome {
  readonly sent: number
  readonly delivered: number
  /** Due in time, but not sent: too many were under way. */
  readonly unsent: number
  readonly failures: Failures
  /** Keys and values of what was delivered. */
  readonly bytes: number
  readonly seconds: number
  /** Until no more was sent. */
  readonly sendingSeconds: number
  readonly timeline: readonly Second[]
  readonly latency: Latency | null
  readonly costs: Costs
  readonly earlyEnd: EarlyEnd
}

export interface BenchOutcome {
  readonly warmup: Outcome | null
  /** Null: the warm-up ended early. */
  readonly measured: Outcome | null
}

const LOOK_EVERY_MS = 1000
const LOOKS_UNTIL_NOTE = 3

const clock = {
  now: () => performance.now(),
  after(delayMs: number, fn: () => void) {
    const timer = setTimeout(fn, Math.ceil(delayMs))
    return { cancel: () => clearTimeout(timer) }
  },
}

/** A warm-up and the load that is measured. */
export class BenchRun {
  readonly #producer: Pick<Producer, 'send' | 'close'>
  readonly #plan: BenchPlan
  readonly #payload: Payload
  #load: Load | null = null
  #stopLive: () => void = () => undefined

  constructor(producer: Pick<Producer, 'send' | 'close'>, plan: BenchPlan, payload: Payload) {
    this.#producer = producer
    this.#plan = plan
    this.#payload = payload
  }

  async run(): Promise<BenchOutcome> {
    const { load, warmupSeconds } = this.#plan
    const stopListening = onInterrupt((count) => this.#interrupt(count))
    try {
      const warmup =
        warmupSeconds === 0 ? null : await this.#phase({ ...load, seconds: warmupSeconds, records: null }, 'warming up')
      // What came to grief is not measured.
      const isOver = warmup !== null && warmup.earlyEnd !== null
      return { warmup, measured: isOver ? null : await this.#phase(load, 'measuring') }
    } finally {
      stopListening()
    }
  }

  async #phase(limits: LoadLimits, name: string): Promise<Outcome> {
    const startMs = clock.now()
    const [timeline, failures] = [new Timeline(startMs), new Failures()]
    const load = this.#newLoad(limits, timeline, failures)
    this.#load = load
    const doneShare = (): number => {
      const { seconds, records } = limits
      return records === null ? (clock.now() - startMs) / 1000 / (seconds ?? 1) : timeline.delivered / records
    }
    this.#stopLive = startLive(() => {
      timeline.tick(clock.now())
      return { name: load.isOver ? 'waiting' : name, doneShare: doneShare(), load, timeline, failures }
    })
    const stopLooking = this.#noteLongWait(load)
    const stopInstruments = startInstruments()
    await load.run()
    const costs = stopInstruments()
    this.#stopLive()
    stopLooking()
    const endMs = clock.now()
    timeline.finish(endMs)
    const { delivered, seconds, latency } = timeline
    return {
      ...{ sent: load.issued, delivered, unsent: load.unsent, failures, bytes: delivered * this.#payload.recordBytes },
      ...{ seconds: (endMs - startMs) / 1000, timeline: seconds, latency, costs, earlyEnd: load.earlyEnd },
      sendingSeconds: load.sendingMs / 1000,
    }
  }

  #newLoad(limits: LoadLimits, timeline: Timeline, failures: Failures): Load {
    const [producer, payload] = [this.#producer, this.#payload]
    const hooks = {
      send: (index: number) => producer.send(payload.record(index)),
      onDelivered: (nowMs: number, sinceMs: number) => timeline.addDelivered(nowMs, sinceMs),
      onFailed: (nowMs: number, error: unknown) => {
        timeline.addFailed(nowMs)
        failures.add(error)
      },
    }
    return new Load(limits, hooks, clock)
  }

  #interrupt(count: number): void {
    this.#load?.interrupt()
    if (count === 1) this.#note('interrupted: delivering what is under way; once more gives it up')
    // What is given up has failed, and those are counted.
    else void this.#producer.close({ timeoutMs: 0 }).catch(() => undefined)
  }

  /** After its time is over a load may wait for long: until records are given up. */
  #noteLongWait(load: Load): () => void {
    let looks = 0
    const timer = setInterval(() => {
      if (!load.isOver || ++looks !== LOOKS_UNTIL_NOTE) return
      this.#note(`waiting for ${counted(load.underWay, 'record')}; Ctrl-C twice gives them up`)
    }, LOOK_EVERY_MS)
    return () => clearInterval(timer)
  }

  /** Else it would stand in the line that moves. */
  #note(text: string): void {
    this.#stopLive()
    printNote(text)
  }
}
