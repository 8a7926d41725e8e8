import type { DataErrors } from './data-errors.ts'
import type { OutputEvents } from './output-events.ts'
import type { OutputMetrics } from './output-metrics.ts'
import type { WriteRun } from './write-run.ts'

/** The writes of an output: those that have not settled, and what those before came to. */
export class WriteRuns {
  readonly #open = new Set<WriteRun>()
  #past = { rows: 0, delivered: 0, dropped: 0 }

  /** In messages that have not settled. */
  get rowsOnTheWay(): number {
    return sum([...this.#open].map((run) => run.rowsOnTheWay))
  }

  add(run: WriteRun): void {
    this.#open.add(run)
  }

  /** What is on its way goes on, whoever has stopped waiting for it. */
  async forgetWhenSettled(run: WriteRun): Promise<void> {
    await run.allSettled()
    this.#past = this.#totals([run])
    this.#open.delete(run)
  }

  stopAll(reason: Error): void {
    for (const run of this.#open) run.stop(reason)
  }

  async allSettled(): Promise<void> {
    await Promise.all([...this.#open].map((run) => run.allSettled()))
  }

  metrics(nowMs: number, { count }: DataErrors, { runtimeErrors }: OutputEvents): OutputMetrics {
    const open = [...this.#open]
    const { rows, delivered, dropped } = this.#totals(open)
    const oldestMs = Math.min(...open.map((run) => run.oldestMs ?? Infinity))
    return {
      ...{ 'Input Events': rows, 'Output Events': delivered, 'Dropped Events': dropped },
      ...{ 'Data Conversion Errors': count, 'Runtime Errors': runtimeErrors },
      'Backlogged Input Events': sum(open.map((run) => run.unsettledRows)),
      'Watermark Delay': oldestMs === Infinity ? 0 : Math.max(nowMs - oldestMs, 0) / 1000,
    }
  }

  /** Of those before and of these. */
  #totals(runs: readonly WriteRun[]): { rows: number; delivered: number; dropped: number } {
    const reports = runs.map((run) => run.report())
    return {
      rows: this.#past.rows + sum(reports.map(({ rows }) => rows)),
      delivered: this.#past.delivered + sum(reports.map(({ delivered }) => delivered)),
      dropped: this.#past.dropped + sum(reports.map(({ dropped }) => dropped)),
    }
  }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}
