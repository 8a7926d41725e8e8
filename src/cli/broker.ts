import type { Command } from 'commander'
import { TestCluster } from '../testing/test-cluster.ts'
import { integer, topicAndPartitions } from './arguments.ts'
import { EXIT, UsageError, type ExitCode } from './exit-code.ts'
import { onInterrupt } from './interrupt.ts'
import { counted, grouped } from './numbers.ts'
import { printData, printJson, printNote } from './terminal.ts'

interface BrokerOptions {
  readonly port: number
  readonly brokers: number
  readonly topic: readonly (readonly [name: string, partitions: number])[]
  readonly json?: boolean
}

const LOOK_EVERY_MS = 1000

const DETAILS = `
It takes records, checks them as strictly as Kafka does, counts them and forgets
them: something to send to while you write a producer, not a place to keep data.
Topics that are asked for are made. Ctrl-C ends it.

stdout is one line, the addresses for --brokers; with --json
{"bootstrap":"127.0.0.1:9092"}.

Exit code: 0, or 2: usage, or the port is taken.

Examples:
  $ headrace broker
  $ headrace broker --port 0 --brokers 3 --topic orders:6 --topic logs
  $ headrace produce --brokers 127.0.0.1:9092 --topic orders --file orders.txt
`

export function addBrokerCommand(program: Command): void {
  program
    .command('broker')
    .summary('run a small Kafka cluster in this process, to try things out')
    .description('Runs a small Kafka cluster in this process, to try things out. Prints where it listens.')
    .option('--port <number>', 'of the first broker, the others take the next ones; 0: any', integer(0, 65_535), 9092)
    .option('--brokers <number>', 'how many', integer(1, 100), 1)
    .option('--topic <name:partitions>', 'a topic to begin with; repeatable', topicAndPartitions, [])
    .option('--json', 'print the address as JSON')
    .addHelpText('after', DETAILS)
    .action(async (options: BrokerOptions) => {
      process.exitCode = await broker(options)
    })
}

async function broker(options: BrokerOptions): Promise<ExitCode> {
  const cluster = await start(options)
  const stopped = new Promise<void>((resolve) => {
    onInterrupt(() => resolve())
  })
  if (options.json === true) printJson({ bootstrap: cluster.bootstrap })
  else printData(cluster.bootstrap)
  printNote(`${counted(options.brokers, 'broker')} up; Ctrl-C ends`)
  const watch = new Watch(cluster)
  const timer = setInterval(() => watch.look(), LOOK_EVERY_MS)
  await stopped
  clearInterval(timer)
  watch.sumUp()
  await cluster.close()
  return EXIT.ok
}

/** @throws {UsageError} a port is taken or forbidden, a topic cannot be. */
async function start({ port, brokers, topic }: BrokerOptions): Promise<TestCluster> {
  try {
    return await TestCluster.start({ port, brokers, topics: Object.fromEntries(topic), keepRecords: false })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE' || code === 'EACCES') {
      const why = code === 'EACCES' ? 'may not be used' : 'is taken'
      throw new UsageError(`port ${port} ${why}; choose another with --port, 0 finds a free one`, { cause: error })
    }
    throw new UsageError(message.replace(/^TestCluster: [A-Z_]+: /, ''), { cause: error })
  }
}

/** Tells of new topics, and on a terminal of every second in which records came. */
class Watch {
  readonly #cluster: TestCluster
  readonly #seen = new Map<string, number>()

  constructor(cluster: TestCluster) {
    this.#cluster = cluster
    for (const topic of cluster.topics) this.#seen.set(topic, 0)
  }

  look(): void {
    for (const topic of this.#cluster.topics) {
      const before = this.#seen.get(topic)
      const records = this.#cluster.recordCount(topic)
      if (before === undefined) printNote(`topic ${topic} created`)
      const news = records - (before ?? 0)
      if (news > 0 && process.stderr.isTTY) {
        printNote(`topic ${topic}: ${counted(records, 'record')}, ${grouped(news)} new in the last second`)
      }
      this.#seen.set(topic, records)
    }
  }

  sumUp(): void {
    const received = this.#cluster.topics.map((topic) => [topic, this.#cluster.recordCount(topic)] as const)
    for (const [topic, records] of received) {
      if (records > 0) printNote(`topic ${topic}: ${counted(records, 'record')} received`)
    }
    for (const violation of this.#cluster.violations) printNote(`a client broke the protocol: ${violation}`)
  }
}
