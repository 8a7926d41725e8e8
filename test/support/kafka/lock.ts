import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isAlive, processRef, type ProcessRef } from './process-ref.ts'

const POLL_MS = 100

/**
 * Runs `work` while no other process holds the lock at `file`.
 *
 * Saves a second download of the same jars, and Maven's local repository is not made for two writers. What is done
 * under it is also atomic on its own (`makeOnce`), so that a lock broken at the wrong moment costs time only.
 */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  await mkdir(path.dirname(file), { recursive: true })
  while (!(await tryTake(file))) {
    await breakIfOwnerDied(file)
    await delay(POLL_MS)
  }
  try {
    return await work()
  } finally {
    await rm(file, { force: true })
  }
}

async function tryTake(file: string): Promise<boolean> {
  try {
    await writeFile(file, JSON.stringify(processRef(process.pid)), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function breakIfOwnerDied(file: string): Promise<void> {
  const owner = await readOwner(file)
  if (owner === undefined || isAlive(owner)) return
  // Renaming is atomic: of several processes that see the dead owner, one gets the file.
  const taken = `${file}.${randomUUID()}`
  await rename(file, taken).catch(() => undefined)
  await rm(taken, { force: true })
}

async function readOwner(file: string): Promise<ProcessRef | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as ProcessRef
  } catch {
    // Released, or its owner is between creating the file and writing its name: ask again.
    return undefined
  }
}
