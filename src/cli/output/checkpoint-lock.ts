import { readFileSync } from 'node:fs'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
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

/**
 * Holds a checkpoint for this process: two that write the same one would each undo what the other knows. A lock whose
 * process is dead is taken over.
 *
 * @returns lets it go.
 * @throws {UsageError} another process has it.
 */
export async function lockCheckpoint(checkpoint: string): Promise<() => Promise<void>> {
  const path = `${checkpoint}.lock`
  const own = JSON.stringify({ pid: process.pid, host: hostname(), began: beganAt(process.pid) })
  // A link to a file that is whole: nobody ever reads half a lock.
  const beside = `${path}.${process.pid}`
  try {
    await writeFile(beside, own)
    while (!(await isLinked(beside, path))) await removeIfDead(path, checkpoint)
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`--checkpoint: cannot lock ${checkpoint}: ${reasonOf(error)}`, { cause: error })
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

/** Renaming takes away one file only, once: of two that find the same dead lock, one gets it. */
async function removeIfDead(path: string, checkpoint: string): Promise<void> {
  const found = await contentsOf(path)
  if (found === null) return
  const holder = holderIn(found)
  if (holder === null || isAlive(holder)) throw inUse(checkpoint, path, holder)
  const aside = `${path}.${process.pid}.dead`
  try {
    await rename(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  // Somebody else was faster, and this is the new lock: it goes back.
  if ((await contentsOf(aside)) !== found) await link(aside, path).catch(isTakenAgain)
  await rm(aside, { force: true })
}

/** Then a third process holds it, and the second finds out when it looks at its lock. */
function isTakenAgain(): void {
  return undefined
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
