import type { Command } from 'commander'
import { integer, requireAll } from './arguments.ts'
import { EXIT, UsageError, type ExitCode } from './exit-code.ts'
import { readConfiguration } from './destination/configuration.ts'
import { openDoor } from './destination/door.ts'
import { NoWayIn } from './destination/no-way-in.ts'
import { printError, printNote } from './terminal.ts'

interface DestinationOptions {
  readonly config: string
  readonly file?: string
  readonly listen?: number
  readonly host?: string
  readonly shutdownTimeoutMs: number
  readonly check?: true
  readonly topics?: true
  readonly json?: true
  readonly quiet?: true
}

/** One of them says what is to be done. */
const MODES = ['file', 'listen', 'check', 'topics'] as const

const DETAILS = `
The configuration is a JSON file:
  {
    "settings": {
      "clientId": "events", "brokers": "kafka.example:9093",
      "mechanism": "scram-sha-256", "username": "events",
      "password": { "env": "KAFKA_PASSWORD" }
    },
    "mappings": [
      {
        "name": "orders", "trigger": "event = \\"Order Completed\\"",
        "fields": {
          "topic": "orders", "key": { "@path": "$.userId" },
          "payload": { "@path": "$." }
        }
      }
    ]
  }
settings, trigger and fields are those of Segment's Kafka destination. Further
members: dedupe, deadLetterTopic, topicAllowList, timestamp, compression,
triggerPrecedence, integrationName, idleMs, producer (options of the library;
"sasl": null means no login), listen (see below). A secret or a certificate is
{ "env": "NAME" } or { "file": "path" }.

--file reads events, one JSON object a line. What became of each is a line on
stdout: line of the file, mapping, status as in HTTP, and where it is or why it
is not there. --json makes that JSON, --quiet leaves it out, both together print
only the sums. The order of the lines is that of the records in each partition.
Reading ends when all events fail for a reason that is not their own. Ctrl-C
ends the reading; what was read is still delivered, and the exit code is 1.

--listen takes what Segment's clients send: POST /v1/batch, /v1/track,
/v1/identify, /v1/page, /v1/screen, /v1/group, /v1/alias. 200 means that every
event is in Kafka, or will never get there as it is; the body then says which
and why. 429 and 503 make the clients send again; with "dedupe": true nothing is
written twice because of that. /healthz, /readyz and /metrics (for Prometheus)
tell how it is. SIGTERM and Ctrl-C end it when all that came is answered.
  "listen": {
    "writeKeys": [{ "env": "WRITE_KEY" }],   needed beyond 127.0.0.1
    "maxEventsInFlight": 10000,              more get 429
    "answerTimeoutMs": 8000                  then 503
  }

Exit code: 0 everything was delivered, 1 something was not or reading was
stopped, 2 usage or configuration, 3 could not connect or log in.

Examples:
  $ headrace destination --config kafka.json --check
  $ headrace destination --config kafka.json --file events.ndjson
  $ tail -F events.ndjson | headrace destination --config kafka.json --file -
  $ headrace destination --config kafka.json --listen 8080
`

export function addDestinationCommand(program: Command): void {
  program
    .command('destination')
    .summary('send events through mappings to Kafka, from a file or over HTTP')
    .description('Sends events to Kafka as mappings say: from a file, or as a service that takes them over HTTP.')
    .option('--config <path>', 'settings and mappings, JSON')
    .option('--file <path>', 'events to send, one JSON object a line; - is stdin')
    .option('--listen <port>', 'take events over HTTP; 0: any free port', integer(0, 65_535))
    .option('--host <address>', '--listen: where (default: 127.0.0.1)')
    .option('--shutdown-timeout-ms <number>', '--listen: how long ending may take', integer(0, 3_600_000), 10_000)
    .option('--check', 'look at the configuration, log in, and end')
    .option('--topics', 'print the topics of the cluster')
    .option('--json', 'print results as JSON')
    .option('--quiet', 'no line for each result')
    .addHelpText('after', DETAILS)
    .action(async (options: Partial<DestinationOptions>) => {
      requireAll(options, ['config'])
      process.exitCode = await withExitCode(destination(options as DestinationOptions))
    })
}

async function withExitCode(work: Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof NoWayIn)) throw error
    printError(error)
    return EXIT.connection
  }
}

/** @throws {UsageError} the command line or the configuration is wrong. @throws {NoWayIn} the cluster lets nobody in. */
async function destination(options: DestinationOptions): Promise<ExitCode> {
  checkTogether(options)
  const door = await openDoor()
  const surroundings = {
    env: process.env,
    warn: (message: string) => printNote(`headrace: warning: ${message}`),
  }
  const configuration = readConfiguration(options.config, surroundings, door)
  const { listen, host = '127.0.0.1', shutdownTimeoutMs } = options
  if (listen !== undefined) {
    const { serveEvents } = await import('./destination/serve-events.ts')
    return await serveEvents(door, configuration, { port: listen, host, shutdownTimeoutMs })
  }
  const { runOnce } = await import('./destination/run-once.ts')
  const [isJson, isQuiet] = [options.json === true, options.quiet === true]
  const what = options.topics === true ? 'topics' : options.check === true ? 'check' : 'file'
  return await runOnce(door, configuration, { what, file: options.file ?? '-', isJson, isQuiet })
}

function checkTogether(options: DestinationOptions): void {
  const asked = MODES.filter((mode) => options[mode] !== undefined)
  const flags = MODES.map((mode) => `--${mode}`).join(', ')
  if (asked.length !== 1) throw new UsageError(`say one of ${flags}; see --help`)
  if (options.host !== undefined && options.listen === undefined) throw new UsageError('--host needs --listen')
  if (options.json === true && options.listen !== undefined) throw new UsageError('--json is not for --listen')
  if (options.quiet === true && options.file === undefined) throw new UsageError('--quiet is for --file')
  if (options.file === '') throw new UsageError('--file: expected a path')
}
