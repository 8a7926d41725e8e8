#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { diagnose } from '../index.ts'
import { VERSION } from '../version.ts'
import { addBenchCommand } from './bench.ts'
import { addBrokerCommand } from './broker.ts'
import { withoutValue } from './connection-flags.ts'
import { addCheckCommand } from './check.ts'
import { addDemoCommand } from './demo.ts'
import { addDestinationCommand } from './destination.ts'
import { addOutputCommand } from './output.ts'
import { addProduceCommand } from './produce.ts'
import { addTopicsCommand } from './topics.ts'
import { EXIT, exitCodeOf } from './exit-code.ts'
import { untilDone } from './interrupt.ts'
import { printError, tolerateClosedPipes } from './terminal.ts'

const DETAILS = `
Data goes to stdout, everything else to stderr. HEADRACE_DEBUG=1 shows what the
engine does, and where an error comes from; NO_COLOR=1 takes the colours away.

Exit code: 0 everything was delivered, 1 something was not, 2 usage or
configuration, 3 could not connect or log in.

Examples:
  $ headrace demo
  $ headrace produce --brokers localhost:9092 --topic orders --file orders.txt
  $ headrace topics --brokers localhost:9092
  $ headrace check --brokers localhost:9092 --topic orders
  $ headrace destination --config kafka.json --file events.ndjson
  $ headrace output --config telco.json --file rows.csv
`

function buildProgram(): Command {
  const program = new Command('headrace')
    .description('Kafka from the command line, without Java.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .configureOutput({ outputError: (text, write) => write(withoutValue(text).replace(/^error: /, 'headrace: ')) })
    .exitOverride()
    .addHelpText('after', DETAILS)
  addDemoCommand(program)
  addProduceCommand(program)
  addTopicsCommand(program)
  addCheckCommand(program, diagnose)
  addBenchCommand(program)
  addBrokerCommand(program)
  addDestinationCommand(program)
  addOutputCommand(program)
  return program
}

async function main(): Promise<void> {
  tolerateClosedPipes()
  try {
    await untilDone(buildProgram().parseAsync())
  } catch (error) {
    if (error instanceof CommanderError) {
      // It has printed what was asked for, or what is wrong.
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage
      return
    }
    printError(error)
    process.exitCode = exitCodeOf(error)
  }
}

await main()
