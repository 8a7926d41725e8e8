import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { cacheDirectory, exists } from './cache.ts'
import type { ClusterPlan } from './cluster-plan.ts'
import { withLock } from './lock.ts'
import { isRunning } from './node-control.ts'

/**
 * The clusters that `cluster up` left running: one JSON file each, so that a later command can find them.
 *
 * Clusters of a test are not here: they end with their owner, and nobody else's `down` may end them.
 */
export async function listClusters(): Promise<ClusterPlan[]> {
  const names = await readdir(stateFolder()).catch(() => [])
  const plans: ClusterPlan[] = []
  for (const name of names.filter((candidate) => candidate.endsWith('.json'))) {
    const plan = await readPlan(path.join(stateFolder(), name))
    if (plan === undefined) continue
    if (await isOver(plan)) await forgetCluster(plan.id)
    else plans.push(plan)
  }
  return plans
}

export async function saveCluster(plan: ClusterPlan): Promise<void> {
  await mkdir(stateFolder(), { recursive: true })
  const file = stateFile(plan.id)
  // It holds the users' passwords, though only of a cluster on loopback.
  await writeFile(`${file}.${process.pid}`, JSON.stringify(plan), { mode: 0o600 })
  await rename(`${file}.${process.pid}`, file)
}

export async function forgetCluster(id: string): Promise<void> {
  await rm(stateFile(id), { force: true })
}

/** Changes what is known about one cluster; commands that do so at once take turns, and none loses a process id. */
export async function changeCluster<T>(id: string, change: (plan: ClusterPlan) => Promise<T>): Promise<T> {
  return withLock(`${stateFile(id)}.lock`, async () => {
    const plan = await readPlan(stateFile(id))
    if (plan === undefined) throw new RangeError(`No running cluster ${id}`)
    const result = await change(plan)
    await saveCluster(plan)
    return result
  })
}

/** Ended by its time to live, or its data are gone: its watchdogs leave no other trace. */
async function isOver(plan: ClusterPlan): Promise<boolean> {
  if (plan.nodes.some(isRunning)) return false
  const isExpired = plan.expiresAtMs !== undefined && plan.expiresAtMs < Date.now()
  return isExpired || !(await exists(plan.folder))
}

async function readPlan(file: string): Promise<ClusterPlan | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as ClusterPlan
  } catch {
    // Removed by a `down` at the same time.
    return undefined
  }
}

function stateFolder(): string {
  return path.join(cacheDirectory(), 'clusters')
}

function stateFile(id: string): string {
  return path.join(stateFolder(), `${id}.json`)
}
