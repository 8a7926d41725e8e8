import type { Command } from 'commander'
import type { DiagnosisStep, ProducerOptions } from '../index.ts'
import { CheckScreen, type CheckOutput } from './check-screen.ts'
import { loggerFor, spoken } from './connect.ts'
import { addConnectionFlags, type ConnectionFlags } from './connection-flags.ts'
import { connectionOptions } from './connection-options.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { printData } from './terminal.ts'

/** The library's `diagnose`. */
export type Diagnose = (options: ProducerOptions, target?: { topic?: string }) => AsyncIterable<DiagnosisStep>

interface CheckOptions extends ConnectionFlags {
  readonly topic?: string
  readonly json?: true
}

const DETAILS = `
Looks at one thing after the other, on the way that records would take: name
resolution, TCP, TLS, API versions, login, metadata, and with --topic the topic
and the right to write to it. Nothing is written. What is wrong is said in
words, with what to try.

With --json stdout has one document per step, as it happens:
  {"step":"tcp","ok":true,"ms":0.8,"message":"..."}
A step that failed, or is to be warned of, has a "code", too.

Exit code: 0 all is well, 1 connected, but the topic is missing or may not be
written to, 2 usage or configuration, 3 could not connect or log in.

Examples:
  $ headrace check --brokers localhost:9092
  $ headrace check --brokers b-1:9094 --topic orders --tls-ca ca.pem \\
      --sasl scram-sha-512 --username app --password-env KAFKA_PASSWORD
  $ headrace check --config cluster.json --topic orders --json
`

export function addCheckCommand(program: Command, diagnose: Diagnose): void {
  const command = program
    .command('check')
    .summary('find out what is wrong between here and a cluster')
    .description('Finds out whether records would get through to a cluster, and where not, why.')
  addConnectionFlags(command)
    .option('--topic <name>', 'look at this topic, too')
    .option('--json', 'print a JSON document per step')
    .addHelpText('after', DETAILS)
    .action(async (options: CheckOptions) => {
      process.exitCode = await check(options, diagnose, { terminal: process.stdout, print: printData })
    })
}

/** @throws {UsageError} nothing was looked at. */
export async function check(options: CheckOptions, diagnose: Diagnose, output: CheckOutput): Promise<ExitCode> {
  const { topic, json, ...flags } = options
  const asked = connectionOptions(flags)
  const { wording } = asked
  const screen = json === true ? null : new CheckScreen(output)
  const failed: DiagnosisStep[] = []
  try {
    const steps = diagnose({ logger: loggerFor(wording), ...asked.options }, topic === undefined ? {} : { topic })
    for await (const step of steps) {
      const told = { ...step, ms: Number(step.ms.toFixed(3)), message: wording.sentence(step.message) }
      if (!step.ok) failed.push(told)
      if (screen === null) output.print(JSON.stringify(told))
      else screen.show(told)
    }
  } catch (error) {
    throw spoken(error, wording)
  }
  screen?.end(topic ?? null)
  return exitCodeFor(failed)
}

/** What a broker says of a topic, or of us, when it has let us in. */
const FROM_WITHIN: ReadonlySet<string> = new Set([
  ...['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID', 'INVALID_TOPIC_EXCEPTION', 'TOPIC_AUTHORIZATION_FAILED'],
  ...['CLUSTER_AUTHORIZATION_FAILED', 'LEADER_NOT_AVAILABLE', 'KAFKA_STORAGE_ERROR', 'UNKNOWN_SERVER_ERROR'],
])

export function exitCodeFor(failed: readonly Pick<DiagnosisStep, 'code'>[]): ExitCode {
  if (failed.length === 0) return EXIT.ok
  const isConnected = failed.every(({ code }) => code !== undefined && FROM_WITHIN.has(code))
  return isConnected ? EXIT.undelivered : EXIT.connection
}
