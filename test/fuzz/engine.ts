import { setFlagsFromString, getHeapStatistics } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { ProtocolError } from '../../src/errors.ts'
import type { Input } from './corpus.ts'
import type { Coverage } from './coverage.ts'
import { MAX_INPUT_BYTES, Mutator, type Parent } from './mutate.ts'
import { Random } from './random.ts'
import type { Target } from './targets.ts'

/** Executions between two looks at the coverage: few while there is much to find. */
const MIN_ROUND = 256
const MAX_ROUND = 32_768
/** With coverage an execution takes five times as long: this many, and this part of a run, at most. */
const MAX_WATCHED = 250_000
const WATCHED_SHARE = 0.4
const ARENA_BYTES = 24 << 20
/** Inputs that a target keeps, and those among them that are kept for a new way to be refused. */
const MAX_ENTRIES = 96
const MAX_OUTCOMES = 48
/** One in so many executions is looked at for what it allocates. */
const MEASURE_EVERY = 128
/** One in so many accepted inputs is encoded again. */
const CHECK_EVERY = 4

/** Bounds of time: a + b * bytes; those on which an input is measured again are the same. */
const BASE_MS = 0.5
const MS_PER_BYTE = 0.002
/** For what is decompressed, which has a limit. */
const CODEC_MS = 1
/** Of memory that stays referenced by the result: 64 * n + 4 KiB; of all that is allocated meanwhile, so much more. */
const BYTES_PER_BYTE = 64
const BASE_BYTES = 4096
const CHURN = 4

export interface Finding {
  readonly target: Target
  readonly bytes: Buffer
  readonly what: string
}

export interface Discovery extends Input {
  readonly family: string
  /** Code that nothing before it ran, or another way for its target to end. */
  readonly isNewCode: boolean
}

export interface Report {
  readonly executions: number
  readonly accepted: number
  readonly checked: number
  /** Executions whose coverage was looked at. */
  readonly watched: number
  readonly measured: number
  readonly remeasured: number
  readonly seconds: number
  /** Of this process, in which all of it runs. */
  readonly cpuSeconds: number
  readonly perTarget: ReadonlyMap<string, number>
  readonly findings: readonly Finding[]
  /** Inputs that reached what neither seeds nor corpus had: code, or another way to be refused. */
  readonly discovered: readonly Discovery[]
}

export interface EngineOptions {
  readonly targets: readonly Target[]
  readonly seed: number
  readonly inputs: readonly Input[]
  /** Without it only the ways in which inputs are refused guide the search. */
  readonly coverage?: Coverage | undefined
  readonly maxFindings?: number
  /** So many executions with coverage; never more than two fifths of a run. */
  readonly maxWatched?: number
}

export interface Limits {
  readonly seconds: number
  readonly executions: number
}

interface State {
  readonly target: Target
  readonly entries: Parent[]
  readonly outcomes: Set<number>
  executions: number
}

/** Mutates, executes, keeps what is new. One thread; the same seed makes the same inputs, up to what coverage adds. */
export class Engine {
  readonly #states: readonly State[]
  readonly #families = new Map<string, State[]>()
  /** A target per slot, as often as its weight says. */
  readonly #wheel: readonly State[]
  readonly #random: Random
  readonly #mutator: Mutator
  readonly #coverage: Coverage | undefined
  readonly #maxFindings: number
  readonly #findings: Finding[] = []
  readonly #discovered: Discovery[] = []
  readonly #broken = new Set<string>()
  #roundSize = MIN_ROUND
  #watched = 0
  readonly #maxWatched: number
  /** The inputs of this round, one after the other. */
  readonly #arena = Buffer.alloc(ARENA_BYTES)
  readonly #round: { readonly state: State; readonly start: number; readonly end: number }[] = []
  #executions = 0
  #accepted = 0
  #checked = 0
  #measured = 0
  #remeasured = 0
  #elapsedMs = 0
  #cpuUs = 0

  constructor({ targets, seed, inputs, coverage, maxFindings = 20, maxWatched = MAX_WATCHED }: EngineOptions) {
    this.#random = new Random(seed)
    this.#mutator = new Mutator(this.#random)
    this.#coverage = coverage
    this.#maxFindings = maxFindings
    this.#maxWatched = maxWatched
    this.#states = targets.map((target) => ({ target, entries: [], outcomes: new Set(), executions: 0 }))
    for (const state of this.#states) {
      this.#families.set(state.target.family, [...(this.#families.get(state.target.family) ?? []), state])
    }
    this.#wheel = this.#states.flatMap((state) =>
      new Array<State>(Math.max(1, Math.round(state.target.weight * 20))).fill(state),
    )
    if (coverage === undefined) this.#roundSize = MAX_ROUND
    coverage?.take(true)
    const byName = new Map(this.#states.map((state) => [state.target.name, state]))
    for (const { target, bytes } of inputs) {
      const state = byName.get(target)
      if (state === undefined) continue
      this.#execute(state, Buffer.from(bytes), bytes, true)
      this.#keep(state, bytes)
    }
    for (const state of this.#states) if (state.entries.length === 0) this.#keep(state, Buffer.alloc(0))
    coverage?.take(true)
  }

  /** Runs up to a limit; `onRound` is called now and then. */
  run(limits: Limits, onRound?: (report: Report) => void): Report {
    const { seconds, executions } = limits
    const startedMs = performance.now() - this.#elapsedMs
    // An error's stack costs more than the decoding that came to it.
    const { stackTraceLimit } = Error
    const cpu = process.cpuUsage()
    Error.stackTraceLimit = 0
    try {
      for (;;) {
        this.#elapsedMs = performance.now() - startedMs
        const { user, system } = process.cpuUsage(cpu)
        this.#cpuUs = user + system
        const isOver = this.#elapsedMs >= seconds * 1000 || this.#executions >= executions
        if (isOver || this.#findings.length >= this.#maxFindings) break
        this.#endWatch(limits)
        this.#playRound(Math.min(this.#roundSize, executions - this.#executions), startedMs + seconds * 1000)
        onRound?.(this.report())
      }
    } finally {
      Error.stackTraceLimit = stackTraceLimit
    }
    return this.report()
  }

  /** One input, with every oracle. @returns what is wrong with it. */
  replay({ target, bytes }: Input): string | null {
    const state = this.#states.find((candidate) => candidate.target.name === target)
    if (state === undefined) return `there is no target ${target}`
    const before = this.#findings.length
    this.#broken.clear()
    this.#execute(state, Buffer.from(bytes), bytes, true)
    return this.#findings.length > before ? this.#findings.at(-1)!.what : null
  }

  report(): Report {
    return {
      ...{ executions: this.#executions, accepted: this.#accepted, checked: this.#checked, measured: this.#measured },
      remeasured: this.#remeasured,
      watched: this.#watched,
      seconds: this.#elapsedMs / 1000,
      cpuSeconds: this.#cpuUs / 1e6,
      perTarget: new Map(this.#states.map(({ target, executions }) => [target.name, executions])),
      findings: this.#findings,
      discovered: this.#discovered,
    }
  }

  #playRound(count: number, deadlineMs: number): void {
    const mutator = this.#mutator
    const random = this.#random
    this.#round.length = 0
    let at = 0
    for (let i = 0; i < count && at < ARENA_BYTES - MAX_INPUT_BYTES; i++) {
      if ((i & 0xff) === 0xff && performance.now() > deadlineMs) break
      if (this.#findings.length >= this.#maxFindings) break
      const state = random.pick(this.#wheel)
      const family = this.#families.get(state.target.family)!
      const from = family.length > 1 && random.oneIn(8) ? random.pick(family) : state
      const other = random.pick(family)
      mutator.mutate(this.#parent(from.entries), random.pick(other.entries))
      const input = mutator.buffer.subarray(0, mutator.length)
      state.target.repair?.(input, random)
      const end = at + mutator.length
      this.#arena.set(input, at)
      const original = this.#arena.subarray(at, end)
      this.#round.push({ state, start: at, end })
      if (this.#execute(state, input, original, false)) {
        const kept = Buffer.from(original)
        this.#keep(state, kept)
        this.#discover(state, kept, false)
      }
      at = end
    }
    if (this.#coverage?.isOn !== true) return
    const isNew = this.#coverage.take(false)
    if (isNew) this.#locate(0, this.#round.length)
    this.#roundSize = isNew ? Math.max(MIN_ROUND, this.#roundSize >> 1) : Math.min(MAX_ROUND, this.#roundSize * 2)
    this.#watched += this.#round.length
  }

  /**
   * Watches the first executions, then lets the rest run at full speed, guided only by how they end. For good: V8 drops
   * its counters when it stops, and functions that are compiled get no new ones.
   */
  #endWatch({ seconds, executions }: Limits): void {
    const coverage = this.#coverage
    if (coverage?.isOn !== true) return
    const share = Math.max(this.#elapsedMs / 1000 / seconds, this.#executions / executions)
    if (this.#watched < this.#maxWatched && share < WATCHED_SHARE) return
    coverage.pause()
    this.#roundSize = MAX_ROUND
  }

  /** Short ones are quicker, and as likely to lead somewhere. */
  #parent(entries: readonly Parent[]): Parent {
    const first = this.#random.pick(entries)
    const second = this.#random.pick(entries)
    return second.bytes.length < first.bytes.length && !this.#random.oneIn(8) ? second : first
  }

  /** Finds the inputs of the round that reach new code, by running halves of it again. */
  #locate(from: number, to: number): void {
    const runs = this.#round.slice(from, to)
    for (const { state, start, end } of runs) {
      try {
        state.target.run(this.#arena.subarray(start, end))
      } catch {
        continue // it has been judged
      }
    }
    if (!this.#coverage!.take(to - from === 1)) return
    if (to - from === 1) {
      const { state, start, end } = this.#round[from]!
      const bytes = Buffer.from(this.#arena.subarray(start, end))
      this.#keep(state, bytes)
      this.#discover(state, bytes, true)
      return
    }
    const middle = (from + to) >> 1
    this.#locate(from, middle)
    this.#locate(middle, to)
  }

  #keep(state: State, bytes: Buffer): void {
    const parent = { bytes, map: state.target.map(bytes) }
    if (state.entries.length < MAX_ENTRIES) state.entries.push(parent)
    else state.entries[this.#random.below(MAX_ENTRIES)] = parent
  }

  #discover({ target }: State, bytes: Buffer, isNewCode: boolean): void {
    this.#discovered.push({ target: target.name, family: target.family, bytes, isNewCode })
    this.#measure(target, bytes)
  }

  /** @param original the same bytes elsewhere. @returns whether the outcome is new for its target. */
  #execute(state: State, input: Buffer, original: Buffer, isThorough: boolean): boolean {
    const { target } = state
    this.#executions++
    state.executions++
    const isMeasured = this.#executions % MEASURE_EVERY === 0
    const before = isMeasured ? allocatedBytes() : 0
    const startMs = performance.now()
    let outcome = 1
    let value: unknown
    try {
      value = target.run(input)
      this.#accepted++
    } catch (error) {
      if (!(error instanceof ProtocolError)) {
        this.#find(target, original, describe(error))
        return false
      }
      outcome = shapeOf(error.message)
      value = undefined
    }
    const ms = performance.now() - startMs
    if (isMeasured) {
      this.#measured++
      if (allocatedBytes() - before > heldBound(target, original)) this.#measure(target, original)
    }
    if (ms > timeBound(target, original)) this.#measureTime(target, original)
    if (!input.equals(original)) this.#find(target, original, 'the input was changed')
    if (outcome === 1 && target.check && (isThorough || this.#random.oneIn(CHECK_EVERY))) {
      this.#checked++
      try {
        const wrong = target.check(input, value)
        if (wrong !== null) this.#find(target, original, wrong)
      } catch (error) {
        this.#find(target, original, `after it was accepted: ${describe(error)}`)
      }
    }
    if (isThorough) this.#measure(target, original)
    if (state.outcomes.has(outcome) || state.outcomes.size >= MAX_OUTCOMES) return false
    state.outcomes.add(outcome)
    return true
  }

  /** The machine has other things to do, and V8 compiles: only the best of many runs counts. */
  #measureTime(target: Target, bytes: Buffer): void {
    this.#remeasured++
    let bestMs = Infinity
    for (let i = 0; i < 20 && bestMs > timeBound(target, bytes); i++) {
      const startMs = performance.now()
      attempt(target, bytes)
      bestMs = Math.min(bestMs, performance.now() - startMs)
    }
    if (bestMs > timeBound(target, bytes)) {
      this.#find(target, bytes, `${bestMs.toFixed(2)} ms for ${bytes.length} bytes, at best of 20 runs`)
    }
  }

  /**
   * What an execution allocates. First everything, garbage included, as the heap grows over a few runs; a collection
   * in between makes that too small, never too large, so the largest of three counts. Over the bound, what the result
   * itself holds decides, after collections.
   */
  #measure(target: Target, bytes: Buffer): void {
    const bound = heldBound(target, bytes)
    const all = Math.max(...[1, 2, 3].map(() => churn(target, bytes, 8)))
    if (all <= bound) return
    this.#remeasured++
    const again = Math.min(...[1, 2, 3].map(() => churn(target, bytes, 32)))
    if (again > bound * CHURN) {
      this.#find(target, bytes, `${Math.round(again)} bytes allocated for ${bytes.length} bytes`)
      return
    }
    if (again <= bound) return
    // On a busy machine V8 compiles meanwhile, into the same heap: only the least of many counts.
    let held = Infinity
    for (let i = 0; i < 20 && held > bound; i++) held = Math.min(held, heldBytes(target, bytes))
    if (held > bound) this.#find(target, bytes, `${Math.round(held)} bytes held by the result of ${bytes.length} bytes`)
  }

  /** The same wrong thing at the same target counts once. */
  #find(target: Target, bytes: Buffer, what: string): void {
    const key = `${target.family}: ${what.replace(/\d+/g, '0')}`
    if (this.#broken.has(key)) return
    this.#broken.add(key)
    this.#findings.push({ target, bytes: Buffer.from(bytes), what })
  }
}

function attempt(target: Target, bytes: Buffer): unknown {
  try {
    return target.run(bytes)
  } catch (error) {
    return error
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

function timeBound(target: Target, input: Buffer): number {
  return BASE_MS + MS_PER_BYTE * input.length + (target.outputBytes === undefined ? 0 : CODEC_MS)
}

function heldBound(target: Target, input: Buffer): number {
  return BASE_BYTES + BYTES_PER_BYTE * (input.length + (target.outputBytes?.(input) ?? 0))
}

function allocatedBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics()
  return used_heap_size + external_memory
}

function churn(target: Target, bytes: Buffer, runs: number): number {
  attempt(target, bytes)
  const before = allocatedBytes()
  for (let i = 0; i < runs; i++) attempt(target, bytes)
  return (allocatedBytes() - before) / runs
}

let collect: (() => void) | null = null

function heldBytes(target: Target, bytes: Buffer): number {
  if (collect === null) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  const results: unknown[] = new Array<unknown>(64)
  // The stack of an error is as long as the test runner's is deep, and not of our making.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    collect()
    const before = allocatedBytes()
    for (let i = 0; i < results.length; i++) results[i] = attempt(target, bytes)
    collect()
    return (allocatedBytes() - before) / results.length
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** A hash of a message without its numbers: in which way an input was refused. */
function shapeOf(message: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < message.length; i++) {
    const code = message.charCodeAt(i)
    if (code < 0x3a && code > 0x2f) continue
    hash = Math.imul(hash ^ code, 0x01000193)
  }
  return hash
}
