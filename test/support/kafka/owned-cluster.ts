import { startCluster } from './cluster.ts'

/** A process that owns a cluster with a paused node, says so and waits to be killed: see the harness's own test. */
const cluster = await startCluster({ version: '4.3.1', nodes: 1 })
await cluster.pause(1)
process.stdout.write(`${JSON.stringify({ pids: cluster.pids, logDirs: cluster.logDirs })}\n`)
setInterval(() => undefined, 60_000)
