import { execFileSync } from 'node:child_process'
import { cpus, loadavg, release, totalmem, type } from 'node:os'
import { findJava } from '../../test/support/kafka/java-installation.ts'
import { NEWER_NODE } from './peers.ts'

export interface Machine {
  readonly date: string
  readonly commit: string
  readonly processor: string
  readonly cores: number
  readonly memoryGib: number
  readonly system: string
  readonly loadBefore: string
  readonly loadAfter: string
  readonly runtimes: readonly string[]
}

export function loadText(): string {
  return loadavg()
    .map((load) => load.toFixed(1))
    .join(' ')
}

export async function describeMachine(loadBefore: string): Promise<Machine> {
  const [first] = cpus()
  const java = await findJava().catch(() => null)
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' ') + ' UTC',
    commit:
      says('git', ['rev-parse', '--short', 'HEAD']) +
      (says('git', ['status', '--porcelain', 'src']) === '' ? '' : ', with changes in src/'),
    processor: first?.model ?? 'unknown processor',
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    loadBefore,
    loadAfter: loadText(),
    runtimes: [
      `Node ${process.version}`,
      `the newer Node ${says(NEWER_NODE, ['--version'])}`,
      `gcc ${says('gcc', ['-dumpfullversion'])}`,
      `Java ${java === null ? 'none' : says(java.java, ['--version']).split('\n', 1).join('')}`,
    ],
  }
}

function says(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return 'none' // not installed
  }
}
