import type { Command } from 'commander'
import { connect } from './connect.ts'
import { addConnectionFlags, type ConnectionFlags } from './connection-flags.ts'
import { connectionOptions } from './connection-options.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { counted } from './numbers.ts'
import { printData, printJson, printNote } from './terminal.ts'
import { table } from './table.ts'

interface TopicsOptions extends ConnectionFlags {
  readonly all?: boolean
  readonly json?: boolean
}

const DETAILS = `
With --json stdout is one document, a list:
  [{"name":"orders","partitions":3,"isInternal":false}]

Exit code: 0, 2 usage, 3 could not connect or log in.

Examples:
  $ headrace topics --brokers localhost:9092
  $ headrace topics --brokers broker-1:9092,broker-2:9092 --all --json
  $ headrace topics --brokers b-1:9094 --tls-ca ca.pem --sasl scram-sha-512 \\
      --username app --password-file secret.txt
  $ headrace topics --config cluster.json
`

export function addTopicsCommand(program: Command): void {
  const command = program
    .command('topics')
    .summary('list the topics of a cluster')
    .description('Lists the topics of a cluster that we may see, with the number of their partitions.')
  addConnectionFlags(command)
    .option('--all', "Kafka's own topics too, such as __consumer_offsets")
    .option('--json', 'print a JSON document')
    .addHelpText('after', DETAILS)
    .action(async (options: TopicsOptions) => {
      process.exitCode = await topics(options)
    })
}

async function topics({ all = false, json = false, ...flags }: TopicsOptions): Promise<ExitCode> {
  const producer = await connect(connectionOptions(flags))
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
