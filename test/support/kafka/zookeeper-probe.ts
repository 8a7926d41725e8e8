import { connect } from 'node:net'
import type { ZooKeeperPlan } from './cluster-plan.ts'

const ANSWER_TIMEOUT_MS = 2_000

/**
 * Whether ZooKeeper holds the broker's registration: an ephemeral node, there until the session of the process that
 * made it has ended or timed out. True as well when nothing can be said yet because it does not answer.
 */
export async function isRegistered(zookeeper: ZooKeeperPlan, nodeId: number): Promise<boolean> {
  const dump = await ask(zookeeper.port, 'dump').catch(() => undefined)
  // A server that is still starting closes the connection or says "not currently serving requests".
  if (dump?.includes('Sessions with Ephemerals') !== true) return true
  return dump.split('\n').some((line) => line.trim() === `/brokers/ids/${nodeId}`)
}

/** One of ZooKeeper's "four letter words": sent as they are, answered in plain text. */
function ask(port: number, word: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect({ host: '127.0.0.1', port, timeout: ANSWER_TIMEOUT_MS }, () => socket.write(word))
    socket.on('data', (chunk) => (answer += String(chunk)))
    socket.once('end', () => resolve(answer))
    socket.once('timeout', () => socket.destroy(new Error(`ZooKeeper on port ${port}: no answer to ${word}`)))
    socket.once('error', reject)
  })
}
