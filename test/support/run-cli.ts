import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const ENTRY = fileURLToPath(new URL('../../src/cli/headrace.ts', import.meta.url))

export interface CliResult {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningCli {
  readonly child: ChildProcessWithoutNullStreams
  readonly result: Promise<CliResult>
}

/** Starts the command line from its source, as `headrace ...args` would. */
export function startCli(args: readonly string[]): RunningCli {
  const child = spawn(process.execPath, ['--import', 'tsx', ENTRY, ...args], { cwd: ROOT })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  // A command that ends early (a usage error) leaves its input unread.
  child.stdin.on('error', () => undefined)
  const result = new Promise<CliResult>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode) => resolve({ exitCode, ...output }))
  })
  return { child, result }
}

/** Runs it to its end. */
export async function runCli(args: readonly string[], input: string | Uint8Array = ''): Promise<CliResult> {
  const { child, result } = startCli(args)
  child.stdin.end(input)
  return result
}
