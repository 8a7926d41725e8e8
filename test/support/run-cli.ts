import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import { afterAll } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningCli {
  readonly child: ChildProcessWithoutNullStreams
  /** What came so far. */
  readonly stderr: () => string
  readonly stdout: () => string
  readonly ended: Promise<CliResult>
}

export interface CliSetting {
  readonly env?: NodeJS.ProcessEnv
  /** As it stands in src/, where it finds examples/data: three times as slow to start. */
  readonly isFromSource?: boolean
  /** A file descriptor instead of a pipe; what is written there is not in the result. */
  readonly stdoutFd?: number
}

/** The command line as a process of its own. */
export function startCli(
  args: readonly string[],
  { env = {}, isFromSource = false, stdoutFd }: CliSetting = {},
): RunningCli {
  const program = isFromSource ? ['--import', 'tsx', 'src/cli/headrace.ts'] : [bundle()]
  const child = spawn(process.execPath, [...program, ...args], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '', FORCE_COLOR: '', NODE_OPTIONS: '', HEADRACE_DEBUG: '', ...env },
    stdio: ['pipe', stdoutFd ?? 'pipe', 'pipe'],
  }) as ChildProcessWithoutNullStreams
  const out: Buffer[] = []
  const err: Buffer[] = []
  if (stdoutFd === undefined) child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  // A command that ends without reading its stdin is no failure of the test.
  child.stdin.on('error', () => undefined)
  const stdout = (): string => Buffer.concat(out).toString('utf8')
  const stderr = (): string => Buffer.concat(err).toString('utf8')
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout: stdout(), stderr: stderr() }))
  })
  return { child, stdout, stderr, ended }
}

export async function runCli(
  args: readonly string[],
  input: string | Uint8Array = '',
  setting: CliSetting = {},
): Promise<CliResult> {
  const { child, ended } = startCli(args, setting)
  child.stdin.end(input)
  return await ended
}

/** The last line of stdout, which is JSON. */
export function lastJson(stdout: string): unknown {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
}

let bundled: string | null = null

afterAll(() => {
  if (bundled !== null) rmSync(dirname(bundled), { recursive: true, force: true })
})

/** One file, as scripts/build.ts makes it. */
function bundle(): string {
  if (bundled !== null) return bundled
  const folder = mkdtempSync(join(tmpdir(), 'headrace-cli-'))
  bundled = join(folder, 'headrace.mjs')
  buildSync({
    absWorkingDir: root,
    entryPoints: ['src/cli/headrace.ts'],
    outfile: bundled,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    logLevel: 'error',
    banner: {
      js: "import { createRequire as headraceRequire } from 'node:module'; const require = headraceRequire(import.meta.url);",
    },
  })
  return bundled
}
