import type { Progress } from './progress.ts'
import { clock, count, seconds } from './report.ts'
import type { ChaosOptions, ChaosView } from './run.ts'

/** Where the view writes: stderr, or what a test puts in its place. */
export interface Screen {
  readonly isTTY?: boolean
  write(text: string): unknown
}

const PLAIN_EVERY_MS = 10_000
const CLEAR_LINE = '\r\u001b[K'

/** Shows a run while it goes on: a moving line below the events on a terminal, plain lines elsewhere. */
export function chaosView(options: ChaosOptions, screen: Screen): ChaosView & { end(): void } {
  const isTerminal = screen.isTTY === true
  let status = ''
  let plainDueMs = PLAIN_EVERY_MS
  const line = (text: string): void => void screen.write(isTerminal ? `${CLEAR_LINE}${text}\n${status}` : `${text}\n`)
  const show = (text: string): void => {
    status = text
    if (isTerminal) screen.write(`${CLEAR_LINE}${status}`)
  }
  return {
    onStart: ({ step, nodesReady, nodes }) => show(`${step}, ${nodesReady} of ${nodes} brokers`),
    onPhase(phase) {
      status = ''
      line(`-- ${phase}`)
    },
    onTick(elapsedMs, progress, faults) {
      const text = statusLine(options, elapsedMs, progress, faults)
      if (isTerminal) {
        show(text)
        return
      }
      if (elapsedMs < plainDueMs) return
      plainDueMs += PLAIN_EVERY_MS
      line(text)
    },
    onFault({ track, kind, node, startedMs, endedMs, note }, stallMs) {
      // Faults of the network are many; on the screen they would hide the rest. The report has them.
      if (track === 'proxy') return
      const where = node === 0 ? '' : ` node ${node}`
      const stall = stallMs === 0 ? '' : `, stall ${seconds(stallMs)}`
      line(`${clock(startedMs)}  ${kind}${where} for ${seconds(endedMs - startedMs)}: ${note}${stall}`)
    },
    onEvent: line,
    end() {
      status = ''
      if (isTerminal) screen.write(CLEAR_LINE)
    },
  }
}

function statusLine(
  { minutes, maxRecords }: ChaosOptions,
  elapsedMs: number,
  progress: Progress,
  faults: number,
): string {
  const { delivered, failed, unsettled } = progress
  const share = Math.min(1, Math.max(elapsedMs / (minutes * 60_000), delivered / maxRecords))
  const rate = count((delivered / Math.max(elapsedMs, 1)) * 1000)
  const records = `${count(delivered)} delivered (${rate}/s), ${count(failed)} failed, ${count(unsettled)} out`
  return `${Math.round(share * 100)} %  ${clock(elapsedMs)}  ${records}, ${faults} faults`
}
