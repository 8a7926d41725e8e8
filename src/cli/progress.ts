import { startMovingLine, type MovingLine } from './moving-line.ts'
import { bytes, grouped } from './numbers.ts'

export interface ProgressState {
  readonly doneBytes: number
  readonly records: number
  /** What else is to be told, behind the rate. */
  readonly more?: string
}

const INTERVAL_MS = 200

/**
 * A moving line on stderr, if that is a terminal: a bar where the size of the input is known, numbers where it is not.
 *
 * @returns stops it and leaves nothing behind; may be called again.
 */
export function startProgress(totalBytes: number | null, read: () => ProgressState): () => void {
  const startedMs = performance.now()
  const format =
    totalBytes === null
      ? '{records} records, {done}, {rate}{more}'
      : '{bar} {percentage}%  {records} records, {rate}{more}'
  const readLine = (): ReturnType<MovingLine['read']> => {
    const { doneBytes, records, more = '' } = read()
    const seconds = Math.max((performance.now() - startedMs) / 1000, 0.001)
    const rate = `${grouped(records / seconds)} records/s`
    return { done: doneBytes, figures: { records: grouped(records), done: bytes(doneBytes), rate, more } }
  }
  return startMovingLine({ format, barSize: 30, total: totalBytes ?? 1, intervalMs: INTERVAL_MS, read: readLine })
}
