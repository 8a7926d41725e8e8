import type { OutputClock } from './output-clock.ts'
import type { WriteRun } from './write-run.ts'

/** A row that is on its way for so long is worth a word, and another one each time. Milliseconds. */
const PATIENCE_MS = 60_000

/**
 * Tells that rows are sent and not acknowledged, until it is cancelled. The producer tries for ever, and not everything
 * that it waits for leaves a word in a log: a topic that was deleted, for one.
 */
export function watchForStall(
  run: WriteRun,
  clock: OutputClock,
  tell: (rows: number, waitedMs: number) => void,
): { cancel(): void } {
  const look = (): void => {
    const waitedMs = clock.now() - (run.oldestMessageMs ?? Infinity)
    if (waitedMs >= PATIENCE_MS) tell(run.rowsOnTheWay, waitedMs)
    timer = clock.after(PATIENCE_MS, look, false)
  }
  let timer = clock.after(PATIENCE_MS, look, false)
  return { cancel: () => timer.cancel() }
}
