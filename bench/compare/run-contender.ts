import { spawn } from 'node:child_process'
import type { Command } from './contenders.ts'
import type { Job, Measures } from './job.ts'

const START_AND_DRAIN_MS = 30_000
const KEPT_ERROR_CHARS = 2_000

/** A contender that died, hung or made no sense. */
export class ContenderFailed extends Error {
  override readonly name = 'ContenderFailed'
}

/** One measured run: a process of its own, from start to end. @throws {ContenderFailed} */
export function runContender({ program, args }: Command, job: Job): Promise<Measures> {
  const timeoutMs = START_AND_DRAIN_MS + 3 * (job.warmMs + job.measureMs)
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: timeoutMs, killSignal: 'SIGKILL' })
    let output = ''
    let errors = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-KEPT_ERROR_CHARS)))
    child.stdin.on('error', () => undefined) // EPIPE: it has ended, and 'close' says how
    child.stdin.end(`${JSON.stringify(job)}\n`)
    child.once('error', reject)
    child.once('close', (code, signal) => {
      const answer = answerIn(output)
      if (code === 0 && answer !== null && !('error' in answer)) return resolve(answer)
      const how = signal === null ? `ended with ${String(code)}` : `${signal}, after ${timeoutMs} ms at most`
      const why = answer !== null && 'error' in answer ? answer.error : lastLines(errors)
      reject(new ContenderFailed(`${how}: ${why}`))
    })
  })
}

type Answer = Measures | { readonly error: string }

/** The last line; a library may print things of its own before. Null: it is no answer, or only half of one. */
function answerIn(output: string): Answer | null {
  const line = output.trim().split('\n').at(-1) ?? ''
  try {
    return line.startsWith('{') ? (JSON.parse(line) as Answer) : null
  } catch {
    return null // it was ended in the middle of it
  }
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-12).join('\n') || 'it said nothing'
}
