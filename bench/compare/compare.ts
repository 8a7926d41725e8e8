import type { Cell } from './cells.ts'
import { Missing, type Command, type Contender } from './contenders.ts'
import type { Job, Measures } from './job.ts'
import { ContenderFailed, runContender } from './run-contender.ts'
import { seeded, shuffled } from './statistics.ts'
import { startTarget, type Target } from './targets.ts'
import { VALUE_COUNT, valuesFile } from './values.ts'

const BROKER_WARM_MS = 4000

export interface ComparePlan {
  readonly cells: readonly Cell[]
  readonly contenders: readonly Contender[]
  readonly rounds: number
  readonly seed: number
  readonly warmMs: number
  readonly measureMs: number
  readonly headrace: string
  /** A cluster that runs already, for the cells on Kafka. */
  readonly brokers?: string
}

/** One run of one contender. */
export interface Result extends Measures {
  readonly cell: Cell
  readonly contender: Contender
  readonly runtime: string
  readonly round: number
  /** What the target had afterwards; to be compared with `acked`. */
  readonly stored: number
}

/** Why a contender has no figures in a cell; what it refuses, or how it failed. Nothing is missing silently. */
export interface Absence {
  readonly cell: Cell
  readonly contender: Contender
  readonly reason: string
}

export interface Comparison {
  readonly results: readonly Result[]
  readonly absences: readonly Absence[]
  readonly targets: readonly string[]
}

export interface Progress {
  readonly done: number
  readonly total: number
  readonly what: string
}

/**
 * Runs all contenders in all cells, target by target and there round by round, in an order of the seed's: whatever the
 * machine does meanwhile, it does to all of them. One target runs at a time, for an idle cluster is not quite idle.
 */
export async function compare(plan: ComparePlan, onProgress: (progress: Progress) => void): Promise<Comparison> {
  const absences: Absence[] = []
  const results: Result[] = []
  const targets: string[] = []
  const runs = orderOf(plan, await possiblePairs(plan, absences))
  const runOn = async (target: Target, run: Run): Promise<void> => {
    const { cell, contender, round } = run
    const what = `round ${round} of ${plan.rounds}: ${cell.name}, ${contender.name}`
    onProgress({ done: runs.indexOf(run), total: runs.length, what })
    if (hasFailed(absences, run)) return
    await runOne(plan, run, target).then(
      (result) => results.push(result),
      (error: unknown) => absences.push({ cell, contender, reason: reasonOf(error) }),
    )
  }
  for (const name of new Set(runs.map(({ cell }) => cell.target))) {
    const onTarget = runs.filter(({ cell }) => cell.target === name)
    const target = await startTarget(name, plan.brokers).catch((error: unknown) => reasonOf(error))
    if (typeof target === 'string') {
      const first = onTarget.filter(({ round }) => round === 1)
      absences.push(...first.map(({ cell, contender }) => ({ cell, contender, reason: target })))
      continue
    }
    targets.push(target.title)
    try {
      if (name !== 'sink') await warmUp(plan, onTarget, target)
      for (const run of onTarget) await runOn(target, run)
    } finally {
      await target.close()
    }
  }
  return { results, absences, targets }
}

/** A broker that has just started is slow, and whoever came first would pay for that: one run that does not count. */
async function warmUp(plan: ComparePlan, runs: readonly Run[], target: Target): Promise<void> {
  const run = runs.find(({ contender }) => contender.name === 'librdkafka') ?? runs[0]
  if (run === undefined) return
  // How it fails, if it does, is seen when it counts.
  await runOne({ ...plan, measureMs: BROKER_WARM_MS }, { ...run, round: 0 }, target).catch(() => undefined)
}

/** Once is enough: a contender that hangs would cost its time limit in every round. */
function hasFailed(absences: readonly Absence[], { cell, contender }: Run): boolean {
  return absences.some((absence) => absence.cell === cell && absence.contender === contender)
}

interface Run extends Pair {
  readonly round: number
}

function orderOf({ cells, rounds, seed }: ComparePlan, pairs: readonly Pair[]): Run[] {
  const random = seeded(seed)
  const inCell = (cell: Cell, round: number): Run[] =>
    shuffled(
      pairs.filter((pair) => pair.cell === cell),
      random,
    ).map((pair) => ({ ...pair, round }))
  const targets = [...new Set(cells.map(({ target }) => target))]
  return targets.flatMap((target) =>
    Array.from({ length: rounds }, (_, i) => i + 1).flatMap((round) =>
      cells.filter((cell) => cell.target === target).flatMap((cell) => inCell(cell, round)),
    ),
  )
}

interface Pair {
  readonly cell: Cell
  readonly contender: Contender
  readonly command: Command
}

async function possiblePairs({ cells, contenders }: ComparePlan, absences: Absence[]): Promise<Pair[]> {
  const pairs: Pair[] = []
  for (const contender of contenders) {
    const command = await contender.command().catch((error: unknown) => reasonOf(error))
    for (const cell of cells) {
      const refusal = typeof command === 'string' ? command : contender.refuses(cell)
      if (typeof command === 'string' || refusal !== null) absences.push({ cell, contender, reason: refusal ?? '' })
      else pairs.push({ cell, contender, command })
    }
  }
  return pairs
}

async function runOne(plan: ComparePlan, run: Run, target: Target): Promise<Result> {
  const { cell, contender, command, round } = run
  const name = `${process.pid}-${round}-${cell.name}-${contender.name}`.replace(/[^\w.-]/g, '_')
  const bench = await target.prepare(cell, name)
  try {
    const warmMs = plan.warmMs * (contender.warmFactor ?? 1)
    const measures = await runContender(command, jobOf({ ...plan, warmMs }, cell, bench))
    return { ...measures, cell, contender, runtime: command.runtime, round, stored: await bench.stored() }
  } finally {
    await bench.clear()
  }
}

export function jobOf(
  { warmMs, measureMs, headrace }: Pick<ComparePlan, 'warmMs' | 'measureMs' | 'headrace'>,
  cell: Cell,
  { brokers, topic }: { readonly brokers: string; readonly topic: string },
): Job {
  const { partitions, valueBytes, keyed, compression, concurrency, load, ratePerSecond } = cell
  const values = { values: valuesFile(valueBytes), valueCount: VALUE_COUNT, valueBytes }
  return {
    brokers,
    topic,
    partitions,
    ...values,
    keyed,
    compression,
    concurrency,
    load,
    ratePerSecond,
    warmMs,
    measureMs,
    headrace,
    inspect: 'none',
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Missing || error instanceof ContenderFailed) return error.message
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
