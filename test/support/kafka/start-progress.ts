import cliProgress from 'cli-progress'
import type { StartProgress } from './cluster.ts'

const TEXT: Readonly<Record<StartProgress['step'], string>> = {
  downloading: 'downloading its jars (once)',
  preparing: 'preparing a fast start (once)',
  starting: 'starting',
}

/** Shows on stderr what a starting cluster is at: one moving line on a terminal, a line per step elsewhere. */
export function startProgress(
  version: string,
  nodes: number,
): { report: (progress: StartProgress) => void; stop: () => void } {
  if (!process.stderr.isTTY) return { report: plainReport(version), stop: () => undefined }
  const format = `Kafka ${version} | {bar} | {step} | {value}/{total} nodes | {duration_formatted}`
  const bar = new cliProgress.SingleBar({ format, stream: process.stderr, hideCursor: true, clearOnComplete: true })
  bar.start(nodes, 0, { step: TEXT.starting })
  return {
    report: ({ step, nodesReady }) => bar.update(nodesReady, { step: TEXT[step] }),
    stop: () => bar.stop(),
  }
}

function plainReport(version: string): (progress: StartProgress) => void {
  let last: StartProgress['step'] | undefined
  return ({ step }) => {
    if (step !== last) process.stderr.write(`Kafka ${version}: ${TEXT[step]}\n`)
    last = step
  }
}
