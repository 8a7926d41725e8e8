import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { ZooKeeperPlan } from './cluster-plan.ts'

/** Writes the configuration of a ZooKeeper for one cluster on this machine. */
export async function writeZooKeeperConfig(zookeeper: ZooKeeperPlan): Promise<void> {
  const dataDir = path.join(zookeeper.folder, 'data')
  await mkdir(dataDir, { recursive: true })
  const properties = {
    dataDir,
    clientPort: String(zookeeper.port),
    clientPortAddress: '127.0.0.1',
    // A session ends with the first tick after its timeout.
    tickTime: '500',
    maxClientCnxns: '0',
    // Since 3.5: an HTTP server on port 8080, and only one of the words by which the harness asks.
    'admin.enableServer': 'false',
    '4lw.commands.whitelist': 'ruok,dump',
    // The data need not outlive the machine.
    forceSync: 'no',
  }
  const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}\n`)
  await writeFile(zookeeper.configFile, lines.join(''))
}
