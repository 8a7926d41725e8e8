import cliProgress from 'cli-progress'
import type { Progress } from './compare.ts'

/** A bar on a terminal, a line for each cell of each round elsewhere. */
export function startProgress(): { report: (progress: Progress) => void; stop: () => void } {
  if (!process.stderr.isTTY) {
    return {
      report: ({ done, total, what }) => void process.stderr.write(`${done}/${total} ${what}\n`),
      stop: () => undefined,
    }
  }
  const format = '{bar} {value}/{total} | {what} | {duration_formatted}, {eta_formatted} left'
  const bar = new cliProgress.SingleBar({
    format,
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    etaBuffer: 30,
  })
  let isStarted = false
  return {
    report({ done, total, what }) {
      if (isStarted) bar.update(done, { what })
      else bar.start(total, done, { what })
      isStarted = true
    },
    stop: () => bar.stop(),
  }
}
