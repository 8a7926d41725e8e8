import cliProgress from 'cli-progress'

export interface MovingLine {
  /** `{bar}`, `{percentage}`, and the names in `figures`. */
  readonly format: string
  readonly barSize: number
  readonly total: number
  readonly intervalMs: number
  /** How much of `total` is done, and what the line says. */
  readonly read: () => { readonly done: number; readonly figures: Readonly<Record<string, string>> }
}

/**
 * A moving line on stderr, if that is a terminal.
 *
 * @returns stops it and leaves nothing behind; may be called again.
 */
export function startMovingLine({ format, barSize, total, intervalMs, read }: MovingLine): () => void {
  if (!process.stderr.isTTY) return () => undefined
  const bar = new cliProgress.SingleBar(
    { format, stream: process.stderr, hideCursor: true, clearOnComplete: true, barsize: barSize },
    cliProgress.Presets.shades_classic,
  )
  const update = (): void => {
    const { done, figures } = read()
    bar.update(done, figures)
  }
  bar.start(total, 0, read().figures)
  const timer = setInterval(update, intervalMs)
  let isRunning = true
  return () => {
    if (!isRunning) return
    isRunning = false
    clearInterval(timer)
    bar.stop()
  }
}
