import { existsSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { spawn } from 'node:child_process'
import { startCluster } from '../../test/support/kafka/cluster.ts'
import { createTopic, deleteTopic, sharedJavaHelper } from '../../test/support/kafka/readers.ts'
import { NEWEST_VERSION } from '../../test/support/kafka/versions.ts'
import { startProgress } from '../../test/support/kafka/start-progress.ts'
import type { Cell, TargetName } from './cells.ts'
import { Missing } from './contenders.ts'
import { BUILT } from './peers.ts'

/** A place to send to, for one run. */
export interface Bench {
  readonly brokers: string
  readonly topic: string
  /** How many records it has. */
  stored(): Promise<number>
  /** Makes room for the next run. */
  clear(): Promise<void>
}

export interface Target {
  readonly title: string
  prepare(cell: Cell, name: string): Promise<Bench>
  close(): Promise<void>
}

/** A thousandth of Kafka's own: a run writes half a gigabyte, and its topic is deleted right after. */
const SOON_DELETED = { 'log.segment.delete.delay.ms': '1000', 'log.retention.check.interval.ms': '60000' }

export async function startTarget(name: TargetName, brokers?: string): Promise<Target> {
  if (name === 'sink') return sinkTarget()
  return brokers === undefined
    ? ownKafka(name === 'kafka' ? 1 : 3)
    : kafkaTarget(brokers, `Kafka at ${brokers}`, () => Promise.resolve())
}

async function ownKafka(nodes: 1 | 3): Promise<Target> {
  const progress = startProgress(NEWEST_VERSION, nodes)
  const options = { version: NEWEST_VERSION, nodes, properties: SOON_DELETED, onProgress: progress.report }
  const cluster = await startCluster(options).finally(progress.stop)
  const title = `Kafka ${NEWEST_VERSION}, ${nodes === 1 ? 'one node' : 'three nodes'}, on this machine`
  return kafkaTarget(cluster.listeners.plaintext, title, () => cluster.close())
}

function kafkaTarget(bootstrap: string, title: string, close: () => Promise<void>): Target {
  return {
    title,
    async prepare({ partitions, target }, name) {
      const topic = `headrace-bench-${name}`
      await createTopic({ bootstrap, topic, partitions, replicationFactor: target === 'kafka-3' ? 3 : 1 })
      const helper = await sharedJavaHelper()
      return {
        ...{ brokers: bootstrap, topic },
        stored: async () => Number((await helper.endOffsets({ bootstrap, topic })).reduce((sum, end) => sum + end, 0n)),
        clear: () => deleteTopic({ bootstrap, topic }),
      }
    },
    close,
  }
}

/** A process for each run: nothing of one is left for the next. */
function sinkTarget(): Target {
  const program = path.join(BUILT, 'null-sink')
  if (!existsSync(program)) throw new Missing('the null sink is not built: npm run bench -- setup')
  return {
    title: 'null sink in C, on this machine',
    prepare: ({ partitions }) => startSink(program, partitions),
    close: () => Promise.resolve(),
  }
}

export async function startSink(program: string, partitions: number): Promise<Bench> {
  const child = spawn(program, [String(partitions)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const nextLine = async (): Promise<unknown> => JSON.parse(String((await lines.next()).value ?? 'null'))
  const port = String(await nextLine())
  return {
    ...{ brokers: `127.0.0.1:${port}`, topic: 'headrace-bench' },
    stored: async () => {
      child.stdin.write('count\n')
      return ((await nextLine()) as { records: number }).records
    },
    clear: () =>
      new Promise((resolve) => {
        child.once('close', () => resolve())
        child.stdin.end()
      }),
  }
}
