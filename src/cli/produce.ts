import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Option, type Command } from 'commander'
import { partitionerNames, type DiagnosticEvents, type Producer } from '../index.ts'
import { givenOptions, integer, nameAndValue, requireAll, separator } from './arguments.ts'
import { BulkSend } from './bulk-send.ts'
import { connect } from './connect.ts'
import { addConnectionFlags, type ConnectionFlags } from './connection-flags.ts'
import { connectionOptions, type Asked } from './connection-options.ts'
import { UsageError, type ExitCode } from './exit-code.ts'
import { openInput, type Input } from './input.ts'
import { onInterrupt } from './interrupt.ts'
import { report, type Outcome } from './produce-report.ts'
import { startProgress } from './progress.ts'
import { recordReader, type InputFormat } from './record-reader.ts'
import { printNote } from './terminal.ts'
import { acksFlag, addBatchFlags, MAX_REQUEST_BYTES, SENDING_FLAGS } from './sending-flags.ts'
import type { FlagNames } from './wording.ts'

export interface ProduceOptions extends ConnectionFlags {
  readonly topic: string
  readonly file?: string
  readonly format: InputFormat
  readonly keyField?: string
  readonly keySeparator?: Buffer
  readonly header?: readonly (readonly [string, string])[]
  readonly partition?: number
  readonly json?: true
}

/** Larger than the library's: whole files are sent here, and one batch is one round trip per partition. */
const BATCH_BYTES = 262_144

/** Options of the library that are flags here. */
const FLAGS: FlagNames = { ...SENDING_FLAGS, partitioner: '--partitioner' }

const DETAILS = `
One line is one record; its bytes are the value, unchanged. A line ends with
\\n or \\r\\n, which do not belong to it.

  lines    Every line is a record; an empty line has an empty value.
           With --key-separator the key is what stands before the first
           separator; a line without one is a record without key. \\t, \\0
           and \\\\ are understood.
  ndjson   Every line must be JSON; empty lines are skipped. A line that is
           not JSON is reported with its number and counts as failed; the
           others go on. A key that is a string is taken as it is, anything
           else as it is written in the line; null or nothing is no key.

Ctrl-C ends the reading: what was read is still delivered, and the exit code is
1 (a second Ctrl-C gives that up, too). Reading also ends when all records fail
for a reason that will not go away.

With --json the only line on stdout is
  {"records":N,"delivered":N,"failed":N,"bytes":N,"seconds":S}
where bytes are the keys and values of what was delivered.

Exit code: 0 everything was delivered, 1 something was not or reading was
stopped, 2 usage or configuration, 3 could not connect or log in.

Examples:
  $ headrace produce --brokers localhost:9092 --topic orders --file orders.txt
  $ tail -F app.log | headrace produce --brokers localhost:9092 --topic logs
  $ headrace produce --brokers localhost:9092 --topic events \\
      --file events.ndjson --format ndjson --key-field user.id
  $ printf 'o-17:{"total":3}\\n' | headrace produce --brokers localhost:9092 \\
      --topic orders --key-separator :
`

export function addProduceCommand(program: Command): void {
  const command = program
    .command('produce')
    .summary('send the lines of a file or of stdin to a topic')
    .description('Sends each line of a file, or of stdin, as one record to a topic, and says what was delivered.')
  addConnectionFlags(command)
    .option('--topic <name>', 'where the records go')
    .option('--file <path>', 'what to read (default: stdin, also as -)')
    .addOption(new Option('--format <format>', 'what a line is').choices(['lines', 'ndjson']).default('lines'))
    .option('--key-field <name>', 'ndjson: the field that becomes the key; a.b is b in a')
    .option('--key-separator <text>', 'lines: what stands between key and value', separator)
    .option('--header <name=value>', 'a header for every record; repeatable', nameAndValue)
    .option('--partition <number>', 'send everything to this partition', integer(0))
    .addOption(acksFlag())
    .addOption(
      new Option('--partitioner <name>', 'where records without --partition go')
        .choices([...partitionerNames])
        .default('default', 'by key as Java does, else sticky'),
    )
  addBatchFlags(command, { batchBytes: BATCH_BYTES, what: 'lines', clientId: 'headrace-cli' })
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', DETAILS)
    .action(async (options: Partial<ProduceOptions>) => {
      requireAll(options, options.config === undefined ? ['brokers', 'topic'] : ['topic'])
      process.exitCode = await produce(options as ProduceOptions, givenOptions(command, Object.keys(FLAGS)))
    })
}

/**
 * @param given the library's options that stand on the command line.
 * @throws {UsageError | SpokenError} nothing was sent.
 */
async function produce(options: ProduceOptions, given: Readonly<Record<string, unknown>>): Promise<ExitCode> {
  checkTogether(options)
  const asked = connectionOptions(options, { given, defaults: { batchBytes: BATCH_BYTES }, flagNames: FLAGS })
  const input = await openInput(options.file)
  try {
    const producer = await connect(asked)
    const outcome = await sendAll(producer, input, options, asked)
    const isConfirmed = asked.options.acks !== 0
    return report(outcome, { topic: options.topic, isConfirmed, isJson: options.json === true })
  } finally {
    input.close()
  }
}

async function sendAll(producer: Producer, input: Input, options: ProduceOptions, asked: Asked): Promise<Outcome> {
  const maxLineBytes = asked.options.maxRequestBytes ?? MAX_REQUEST_BYTES
  const { topic, format, keyField = null, keySeparator = null, header = [], partition = null } = options
  const read = recordReader({ topic, format, keyField, keySeparator, headers: header, partition })
  const bulk = new BulkSend({ producer, read, maxLineBytes, onStop: () => input.close() })
  const { tally } = bulk
  const uncount = countPartitions(topic, (number, records) => tally.addPartition(number, records))
  // Where records are typed, a moving line would be in the way.
  const stopProgress = input.isTerminal
    ? () => undefined
    : startProgress(input.sizeBytes, () => ({ doneBytes: bulk.settledInputBytes, records: tally.delivered }))
  const stopListening = onInterrupt((count) => {
    bulk.interrupt()
    stopProgress()
    if (count === 1) printNote('interrupted: delivering what was read; once more gives it up')
    else void producer.close({ timeoutMs: 0 }).catch(isInTheTally)
  })
  if (input.isTerminal) printNote('reading records from the terminal, one a line; Ctrl-D ends')
  const startedMs = performance.now()
  try {
    await bulk.run(input.chunks)
  } finally {
    stopProgress()
    stopListening()
  }
  const seconds = (performance.now() - startedMs) / 1000
  await producer.close({ timeoutMs: 0 }).catch(isInTheTally)
  uncount()
  return { tally, seconds, stopped: bulk.stopped, linesRead: bulk.linesRead, inputName: input.name }
}

function checkTogether({ format, keyField, keySeparator, file }: ProduceOptions): void {
  if (keyField !== undefined && format !== 'ndjson') throw new UsageError('--key-field needs --format ndjson')
  if (keySeparator !== undefined && format !== 'lines') throw new UsageError('--key-separator needs --format lines')
  if (file === '') throw new UsageError('--file: expected a path')
}

/** The engine tells of every batch, which costs less than asking the report about every record. */
function countPartitions(topic: string, add: (partition: number, records: number) => void): () => void {
  const name: keyof DiagnosticEvents = 'headrace:batch:delivered'
  const listener = (message: unknown): void => {
    const batch = message as DiagnosticEvents[typeof name]
    if (batch.topic === topic) add(batch.partition, batch.records)
  }
  subscribe(name, listener)
  return () => void unsubscribe(name, listener)
}

/** What `close` gives up has failed its records, and those are counted there. */
function isInTheTally(): void {
  return undefined
}
