import { Option, type Command } from 'commander'
import { integer, requireAll } from './arguments.ts'
import { UsageError, type ExitCode } from './exit-code.ts'
import { checkDistinct } from './output/distinct-files.ts'
import {
  badRowRules,
  inputFormats,
  readOutputConfig,
  type BadRows,
  type InputFormat,
  type OutputConfig,
} from './output/output-config.ts'
import { runOutput, testConnection } from './output/run-output.ts'
import { printNote } from './terminal.ts'

interface OutputFlags {
  readonly config: string
  readonly file?: string
  readonly format?: InputFormat
  readonly delimiter?: string
  readonly badRows?: BadRows
  readonly errors?: string
  readonly checkpoint?: string
  readonly checkpointRows: number
  readonly testConnection?: true
  readonly json?: true
}

const DETAILS = `
The configuration file is a JSON object with the properties of an output of
Azure Stream Analytics, such as
  {"outputAlias":"telco","bootstrapServers":"localhost:9092","topic":"calls",
   "securityProtocol":"None","serialization":"Json"}
and perhaps "input": {"format","delimiter","header","badRows"}; what a flag says
counts more. A password is best {"env":"NAME"} or {"file":"path"}.

  ndjson   An object a line; empty lines are skipped. A file that is one JSON
           array of objects is read as that. Integers are exact, whatever their
           size.
  csv      The first row has the names (or "columns" does: "header": false).
           Cells are text, unless "columns" gives them types.

A row that cannot be read is told as a data error, counted and skipped, or ends
the reading (--bad-rows stop). A row that cannot be converted is for the
errorPolicy of the configuration: Retry (the default) waits for ever, Drop goes
on. Rows that the brokers cannot take for now are sent again until they can.

With --checkpoint the file says how far the input is safely in Kafka. After a
crash the same command goes on there, and says how many rows may be in the topic
twice: at most --checkpoint-rows. Ctrl-C ends the reading: what was read is
still delivered, and the exit code is 1 (a second Ctrl-C gives that up, too).

Data errors are lines of JSON on stderr, or at the end of the file --errors.
With --json the only line on stdout is
  {"rows":N,"delivered":N,"dropped":N,"unreadable":N,"messages":N,"retried":N,
   "possibleDuplicates":N,"inputBytes":N,"seconds":S,"metrics":{...}}
with the metrics of Stream Analytics by their names.

Exit code: 0 everything was delivered, 1 something was not or reading was
stopped, 2 usage or configuration, 3 could not connect or log in.

Examples:
  $ headrace output --config telco.json --test-connection
  $ headrace output --config telco.json --file calls.ndjson
  $ headrace output --config telco.json --file calls.csv --delimiter semicolon
  $ headrace output --config telco.json --file calls.ndjson \\
      --checkpoint calls.checkpoint --errors calls.errors
`

export function addOutputCommand(program: Command): void {
  program
    .command('output')
    .summary('send rows to a topic as Azure Stream Analytics would')
    .description(
      'Sends the rows of a file, or of stdin, to a topic as the Kafka output of Azure Stream Analytics does.',
    )
    .option('--config <file>', 'the properties of the output')
    .option('--file <path>', 'what to read (default: stdin, also as -)')
    .addOption(
      new Option('--format <format>', 'how rows are written (default: csv for .csv and .tsv, else ndjson)').choices(
        inputFormats,
      ),
    )
    .option('--delimiter <name>', 'csv: comma, semicolon, space, tab or vertical bar')
    .addOption(new Option('--bad-rows <rule>', 'rows that cannot be read (default: skip)').choices(badRowRules))
    .option('--errors <file>', 'add data errors to the end of this file (default: stderr)')
    .option('--checkpoint <file>', 'remember how far the input is in Kafka, and go on there')
    .option('--checkpoint-rows <number>', 'at most so many rows are sent again after a crash', integer(1), 10_000)
    .option('--test-connection', 'look whether rows could be written, and write none')
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', DETAILS)
    .action(async (flags: Partial<OutputFlags>) => {
      requireAll(flags, ['config'])
      process.exitCode = await output(flags as OutputFlags)
    })
}

/** @throws {UsageError} nothing was sent. */
async function output(flags: OutputFlags): Promise<ExitCode> {
  for (const name of ['file', 'errors', 'checkpoint'] as const) {
    if (flags[name] === '') throw new UsageError(`--${name}: expected a path`)
  }
  const { config: configPath, file, errors, checkpoint } = flags
  checkDistinct({ config: configPath, file, errors, checkpoint })
  const config: OutputConfig = readOutputConfig(configPath, flags, {
    env: process.env,
    warn: (message) => printNote(`headrace: warning: ${message}`),
  })
  const isJson = flags.json === true
  return await (flags.testConnection === true
    ? testConnection(config, isJson)
    : runOutput({ ...flags, config, isJson }))
}
