import type { Command } from 'commander'
import { requireAll } from './arguments.ts'
import { connect } from './connect.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { counted } from './numbers.ts'
import { printData, printJson, printNote } from './terminal.ts'
import { table } from './table.ts'

interface TopicsOptions {
  readonly brokers: string
  readonly all?: boolean
  readonly json?: boolean
}

const DETAILS = `
With --json stdout is one document, a list:
  [{"name":"orders","partitions":3,"isInternal":false}]

Exit code: 0, 2 usage, 3 could not connect.

Examples:
  $ headrace topics --brokers localhost:9092
  $ headrace topics --brokers broker-1:9092,broker-2:9092 --all --json
`

export function addTopicsCommand(program: Command): void {
  program
    .command('topics')
    .summary('list the topics of a cluster')
    .description('Lists the topics of a cluster that we may see, with the number of their partitions.')
    .option('--brokers <host:port,...>', 'where to begin; any broker of the cluster will do')
    .option('--all', "Kafka's own topics too, such as __consumer_offsets")
    .option('--json', 'print a JSON document')
    .addHelpText('after', DETAILS)
    .action(async (options: Partial<TopicsOptions>) => {
      requireAll(options, ['brokers'])
      process.exitCode = await topics(options as TopicsOptions)
    })
}

async function topics({ brokers, all = false, json = false }: TopicsOptions): Promise<ExitCode> {
  const producer = await connect({ brokers }, { brokers: '--brokers' })
  const found = await producer.topics().finally(() => producer.close({ timeoutMs: 0 }))
  const shown = found.filter(({ isInternal }) => all || !isInternal)
  if (json) {
    printJson(shown.map(({ name, partitions, isInternal }) => ({ name, partitions, isInternal })))
    return EXIT.ok
  }
  const rows = shown.map(({ name, partitions }) => [name, String(partitions)])
  if (shown.length > 0) {
    for (const line of table([{ title: 'TOPIC' }, { title: 'PARTITIONS', align: 'right' }], rows)) printData(line)
  }
  const hidden = found.length - shown.length
  if (shown.length === 0) printNote('the cluster has no topics that we may see')
  if (hidden > 0) printNote(`${counted(hidden, 'internal topic')} not shown; see --all`)
  return EXIT.ok
}
