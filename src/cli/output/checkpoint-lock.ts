import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { isObject } from '../config-file.ts'
import { UsageError } from '../exit-code.ts'
import { reasonOf } from '../read-file.ts'

/** Who holds a checkpoint. A process number is given again; with the time at which the process began it is not. */
interface Holder {
  readonly pid: number
  readonly host: string
  readonly began: string
}

type Release = () => Promise<void>

/**
 * Holds a checkpoint for this process: two that write the same one would each undo what the other knows. A lock whose
 * process is dead is taken over.
 *
 * @returns lets it go.
 * @throws {UsageError} another process has it.
 */
export async function lockCheckpoint(checkpoint: string): Promise<Release> {
  try {
    return await lock(`${checkpoint}.lock`, checkpoint)
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`--checkpoint: cannot lock ${checkpoint}: ${reasonOf(error)}`, { cause: error })
  }
}

async function lock(path: string, checkpoint: string): Promise<Release> {
  const id = randomUUID()
  const own = JSON.stringify({ pid: process.pid, host: hostname(), began: beganAt(process.pid), id })
  // A link to a file that is whole: nobody ever reads half a lock.
  const beside = `${path}.${id}`
  try {
    await writeFile(beside, own)
    while (!(await isLinked(beside, path))) await removeIfDead(path, checkpoint)
  } finally {
    await rm(beside, { force: true })
  }
  return async () => {
    if ((await contentsOf(path)) === own) await rm(path, { force: true })
  }
}

async function isLinked(beside: string, path: string): Promise<boolean> {
  try {
    await link(beside, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/**
 * Nobody but its owner removes a lock without holding the lock beside it: what was found dead is then still what is
 * removed, and not what somebody faster has put in its place. A process that died there has left one more dead lock,
 * which is removed by the same rule.
 */
async function removeIfDead(path: string, checkpoint: string): Promise<void> {
  if (!(await isDead(path, checkpoint))) return
  const release = await lock(`${path}.takeover`, checkpoint)
  try {
    if (await isDead(path, checkpoint)) await rm(path)
  } finally {
    await release()
  }
}

/**
 * @returns false when there is none by now.
 * @throws {UsageError} it is alive, or nobody's.
 */
async function isDead(path: string, checkpoint: string): Promise<boolean> {
  const found = await contentsOf(path)
  if (found === null) return false
  const holder = holderIn(found)
  if (holder === null || isAlive(holder)) throw inUse(checkpoint, path, holder)
  return true
}

function inUse(checkpoint: string, path: string, holder: Holder | null): UsageError {
  if (holder === null) {
    const remedy = `if no headrace works with ${checkpoint}, remove it`
    return new UsageError(`--checkpoint: ${path} is not a lock of headrace; ${remedy}`)
  }
  const who = holder.host === hostname() ? `process ${holder.pid}` : `process ${holder.pid} on ${holder.host}`
  const remedy = holder.host === hostname() ? '' : `; if it is dead, remove ${path}`
  return new UsageError(`--checkpoint: ${checkpoint} is in use by ${who}${remedy}`)
}

async function contentsOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

function holderIn(text: string): Holder | null {
  try {
    const document: unknown = JSON.parse(text)
    const isHolder = isObject(document) && Number.isSafeInteger(document['pid']) && typeof document['host'] === 'string'
    return isHolder ? (document as unknown as Holder) : null
  } catch {
    return null
  }
}

/** Of another machine nothing is known: it counts as alive. */
function isAlive({ pid, host, began }: Holder): boolean {
  if (host !== hostname()) return true
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  const now = beganAt(pid)
  return now === '' || began === '' || now === began
}

/** When a process began, in the kernel's ticks; empty where there is no /proc. */
function beganAt(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in parentheses may hold blanks; field 22 is the 20th behind it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}
