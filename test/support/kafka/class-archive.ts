import { rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { writeNodes, type BrokerRuntime } from './broker-runtime.ts'
import { cacheDirectory, exists } from './cache.ts'
import { planCluster } from './cluster-plan.ts'
import { withLock } from './lock.ts'
import { awaitReady, destroyCluster, launchNodes, stopNode } from './node-control.ts'

/**
 * Runs a throw-away broker once per version and JVM, which leaves its loaded classes as an archive for all later ones
 * (JEP 350): measured here, a node is up after 0.9 s instead of 3.3 s.
 *
 * Only speed is at stake, so that a failure (a JVM that cannot do this) is left behind: the next start tries again.
 */
export async function ensureClassArchive(runtime: BrokerRuntime, version: string, onTrain?: () => void): Promise<void> {
  if (await exists(runtime.classArchive)) return
  await withLock(path.join(cacheDirectory(), `train-${version}.lock`), async () => {
    if (await exists(runtime.classArchive)) return
    onTrain?.()
    await train(runtime, version).catch(() => undefined)
  })
}

async function train(runtime: BrokerRuntime, version: string): Promise<void> {
  const plan = await planCluster({ version, nodes: 1, security: false, properties: {}, classPath: [] })
  const made = `${runtime.classArchive}.${process.pid}`
  try {
    await writeNodes(runtime, plan)
    await launchNodes(runtime, plan, [`-XX:ArchiveClassesAtExit=${made}`])
    await awaitReady(plan)
    await stopNode(plan, 1)
    await rename(made, runtime.classArchive)
  } finally {
    await destroyCluster(plan)
    await rm(made, { force: true })
  }
}
