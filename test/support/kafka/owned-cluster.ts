import { startCluster } from './cluster.ts'
import { NEWEST_VERSION } from './versions.ts'

/** A process that owns a cluster with a paused node, says so and waits to be killed: see the harness's own tests. */
const [version = NEWEST_VERSION] = process.argv.slice(2)
const cluster = await startCluster({ version, nodes: 1 })
await cluster.pause(1)
const pids = [...cluster.pids, ...(cluster.zookeeper === undefined ? [] : [cluster.zookeeper.pid])]
process.stdout.write(`${JSON.stringify({ pids, logDirs: cluster.logDirs })}\n`)
setInterval(() => undefined, 60_000)
