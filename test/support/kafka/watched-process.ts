import { spawn } from 'node:child_process'
import { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { processRef, type ProcessRef } from './process-ref.ts'

const WATCHDOG = fileURLToPath(new URL('watchdog.sh', import.meta.url))

export interface WatchedCommand {
  readonly command: string
  readonly args: readonly string[]
  readonly logFile: string
  /** The process ends after this in any case; undefined: only with us. */
  readonly ttlMs?: number | undefined
  /** Removed when the process ends because its owner or its time did. */
  readonly doomedFolder?: string | undefined
}

export interface WatchedProcess extends ProcessRef {
  /** From here on the process outlives us, until its time is over. */
  detach(): Promise<void>
}

/** Starts a command that gets SIGKILL when this process ends, however it ends: see `watchdog.sh`. */
export async function spawnWatched(watched: WatchedCommand): Promise<WatchedProcess> {
  const ttlSeconds = watched.ttlMs === undefined ? 0 : Math.max(1, Math.ceil(watched.ttlMs / 1000))
  const child = spawn(
    'sh',
    [WATCHDOG, String(ttlSeconds), watched.doomedFolder ?? '', watched.logFile, watched.command, ...watched.args],
    // Its own session: Ctrl-C in our terminal reaches it through the closed pipe only, in our order.
    { detached: true, stdio: ['pipe', 'pipe', 'ignore'] },
  )
  const failed = new Promise<never>((_, reject) => child.once('error', reject))
  const pid = await Promise.race([firstLine(child.stdout), failed])
  child.unref()
  letGo(child.stdin)
  child.stdin.on('error', () => undefined) // EPIPE: the command ended, and with it the watchdog.
  return { ...processRef(Number(pid)), detach: () => detach(child.stdin) }
}

async function firstLine(stream: Readable): Promise<string> {
  let text = ''
  for await (const chunk of stream) {
    text += String(chunk)
    if (text.includes('\n')) return text.trim()
  }
  throw new Error(`watchdog.sh ended without a process id (wrote ${JSON.stringify(text)})`)
}

function letGo(stream: Writable): void {
  // A forgotten cluster must not keep the process alive: when we end, so does the cluster.
  if (stream instanceof Socket) stream.unref()
}

function detach(stdin: Writable): Promise<void> {
  return new Promise((resolve) => stdin.end('detach\n', () => resolve()))
}
