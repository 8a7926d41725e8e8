import { execFile } from 'node:child_process'

const KEPT_OUTPUT_CHARS = 4_000

export interface CommandOptions {
  readonly cwd?: string
  readonly timeoutMs?: number
  /** What the command reads from stdin. */
  readonly input?: string
}

/** Runs a command to its end; rejects with the end of its output when it fails. Returns what it wrote to stdout. */
export function runCommand(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { cwd, timeoutMs = 300_000, input } = options
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      args,
      { cwd, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 1 << 30 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout)
        else reject(new Error(failureText(command, error.message, `${stdout}\n${stderr}`), { cause: error }))
      },
    )
    if (input === undefined) return
    child.stdin?.on('error', () => undefined) // EPIPE: it ended before it read all, and says itself why.
    child.stdin?.end(input)
  })
}

function failureText(command: string, message: string, output: string): string {
  const firstLine = message.split('\n', 1)[0] ?? ''
  return `${command}: ${firstLine.slice(0, 300)}\n${output.trim().slice(-KEPT_OUTPUT_CHARS)}`
}
