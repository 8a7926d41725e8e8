import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** A process id with the moment that process started: together they never mean another process later. */
export interface ProcessRef {
  readonly pid: number
  readonly startedAt: string
}

const GONE = ''
const POLL_MS = 10

export function processRef(pid: number): ProcessRef {
  return { pid, startedAt: startOf(pid) }
}

export function isAlive(ref: ProcessRef): boolean {
  return ref.startedAt !== GONE && startOf(ref.pid) === ref.startedAt
}

/** Sends a signal unless the process has gone (its number may belong to a stranger by now). */
export function signal(ref: ProcessRef, name: NodeJS.Signals): boolean {
  if (!isAlive(ref)) return false
  try {
    return process.kill(ref.pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

/** Resolves to false when the process is still there after `timeoutMs`. */
export async function waitGone(ref: ProcessRef, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs
  while (isAlive(ref)) {
    if (Date.now() >= deadline) return false
    await delay(POLL_MS)
  }
  return true
}

function startOf(pid: number): string {
  return existsSync('/proc/self/stat') ? startFromProc(pid) : startFromPs(pid)
}

function startFromProc(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name is in parentheses and may hold spaces; `state` is the first field after it, `starttime` the twentieth.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const isZombie = fields[0] === 'Z' || fields[0] === 'X'
    // A killed JVM's main thread is a zombie first, while the others still hold its ports.
    if (isZombie && readdirSync(`/proc/${pid}/task`).length <= 1) return GONE
    return fields[19] ?? GONE
  } catch {
    // No such process.
    return GONE
  }
}

function startFromPs(pid: number): string {
  try {
    const text = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
    return text.startsWith('Z') ? GONE : text.replace(/^\S+\s+/, '')
  } catch {
    // `ps` exits with 1 when there is no such process.
    return GONE
  }
}
