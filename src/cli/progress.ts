import cliProgress from 'cli-progress'
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
  if (!process.stderr.isTTY) return () => undefined
  const startedMs = performance.now()
  const format =
    totalBytes === null
      ? '{records} records, {done}, {rate}{more}'
      : '{bar} {percentage}%  {records} records, {rate}{more}'
  const bar = new cliProgress.SingleBar(
    { format, stream: process.stderr, hideCursor: true, clearOnComplete: true, barsize: 30, etaBuffer: 10 },
    cliProgress.Presets.shades_classic,
  )
  const update = (): void => {
    const { doneBytes, records, more = '' } = read()
    const seconds = Math.max((performance.now() - startedMs) / 1000, 0.001)
    const rate = `${grouped(records / seconds)} records/s`
    bar.update(doneBytes, { records: grouped(records), done: bytes(doneBytes), rate, more })
  }
  bar.start(totalBytes ?? 1, 0, { records: '0', done: '0 B', rate: '', more: '' })
  const timer = setInterval(update, INTERVAL_MS)
  let isRunning = true
  return () => {
    if (!isRunning) return
    isRunning = false
    clearInterval(timer)
    bar.stop()
  }
}
