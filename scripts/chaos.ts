/** `npm run chaos`: a producer, real brokers, and everything that can go wrong between them; then the truth. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import { NODES, type Entrance } from '../test/support/chaos/arena.ts'
import { hasPassed, reportJson, reportText, type Provenance } from '../test/support/chaos/report.ts'
import { runChaos, type ChaosOptions } from '../test/support/chaos/run.ts'
import { SABOTAGES, type Sabotage } from '../test/support/chaos/sabotage.ts'
import {
  clusterFaults,
  describeFault,
  FAULT_GROUPS,
  proxyFaults,
  type FaultGroup,
} from '../test/support/chaos/schedule.ts'
import { chaosView } from '../test/support/chaos/view.ts'

const EXAMPLES = `
Examples:
  npm run chaos                                                     one minute of everything
  npm run chaos -- --minutes 30 --seed 1 --json chaos.json          the long run
  npm run chaos -- --connections-live 50-500 --records 500000 --minutes 30 --faults ''
  npm run chaos -- --idempotent false --delivery-timeout-ms 3000    the weaker promise, with records that fail
  npm run chaos -- --faults kill,proxy --schedule 20 --seed 7       what would happen, and nothing else
  npm run chaos -- --sasl scram-sha-512 --session-ms 2100 --small true --records-per-second 20000 --faults ''
                                                                    logs in about every second while it produces
  npm run chaos -- --sabotage lose                                  the judge must see it: exit code 1

Faults: kill (SIGKILL), term (SIGTERM) and stop (SIGSTOP, SIGCONT) hit one broker at a time, and wait until every
replica is in sync; leader and reassign move leaders and replicas; topic deletes a topic that is being written to and
makes it again; proxy cuts, resets in the middle of a frame, delays, drips, swallows one direction, holds and refuses
connections, beside the rest. The same seed gives the same schedule; when its faults happen depends on the brokers.
Ctrl-C ends the load, heals and judges; again: ends at once.
Exit code: 0 nothing wrong, 1 violations, 2 wrong usage, or brokers that could not be run.
`

interface Flags {
  readonly minutes: number
  readonly records?: number
  readonly seed?: number
  readonly faults: readonly FaultGroup[]
  readonly recordsPerSecond: number
  readonly idempotent?: boolean
  readonly acks: 'all' | 1 | 0
  readonly compression: ChaosOptions['compression']
  readonly lingerMs: number
  readonly deliveryTimeoutMs?: number
  readonly requestTimeoutMs: number
  readonly connectionsLive?: readonly [number, number]
  readonly sasl?: Entrance['mechanism']
  readonly tls: boolean
  readonly sessionMs: number
  readonly small: boolean
  readonly schedule?: number
  readonly sabotage?: Sabotage
  readonly json?: string
}

async function chaos(flags: Flags): Promise<number> {
  const {
    seed = Math.floor(Math.random() * 2 ** 31),
    faults,
    schedule,
    records = Infinity,
    connectionsLive,
    sasl,
    tls,
    sessionMs,
    small,
    json,
    ...rest
  } = flags
  const { deliveryTimeoutMs, sabotage, idempotent = rest.acks === 'all', ...common } = rest
  if (schedule !== undefined) {
    printSchedule(seed, faults, schedule)
    return 0
  }
  const options: ChaosOptions = {
    ...{ ...common, idempotent, seed, faults, maxRecords: records, isSmall: small },
    ...(sasl === undefined ? {} : { entrance: { mechanism: sasl, isTls: tls, sessionMs } }),
    ...(connectionsLive === undefined ? {} : { connectionsLiveMs: connectionsLive }),
    ...(deliveryTimeoutMs === undefined ? {} : { deliveryTimeoutMs }),
    ...(sabotage === undefined ? {} : { sabotage }),
  }
  const provenance = provenanceOf(seed)
  const enough = new AbortController()
  const onInterrupt = (): void => {
    // What was started ends with this process.
    if (enough.signal.aborted) process.exit(130)
    enough.abort()
  }
  process.on('SIGINT', onInterrupt)
  process.on('SIGTERM', onInterrupt)
  const view = chaosView(options, process.stderr)
  view.onEvent(`seed ${seed}`)
  const result = await runChaos(options, view, enough.signal).finally(() => view.end())
  console.log(reportText(provenance, options, result))
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(reportJson(provenance, options, result), null, 2)}\n`)
  return hasPassed(result) ? 0 : 1
}

function printSchedule(seed: number, faults: readonly FaultGroup[], length: number): void {
  console.log(`seed ${seed}`)
  const tracks = {
    'brokers and topics': clusterFaults(seed, faults, NODES),
    connections: proxyFaults(seed, faults, NODES),
  }
  for (const [name, track] of Object.entries(tracks)) {
    console.log(name)
    for (const fault of track) {
      if (fault.number > length) break
      console.log(`  ${describeFault(fault)}`)
    }
  }
}

function provenanceOf(seed: number): Provenance {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  const given = process.argv.slice(2)
  const words = given.includes('--seed') ? given : ['--seed', String(seed), ...given]
  const quoted = words.map((word) => (/^[\w./,=-]+$/.test(word) ? word : `'${word}'`))
  return {
    headrace: version,
    commit: commit(),
    startedAt: new Date().toISOString(),
    command: `npm run chaos -- ${quoted.join(' ')}`,
  }
}

function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--', 'src') === '' ? '' : '+'}`
  } catch {
    // No git, or no repository: an unpacked archive.
    return ''
  }
}

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('must be a number above 0')
  return value
}

function natural(text: string): number {
  const value = Number(text)
  if (text === '' || !Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('must be a whole number')
  return value
}

function boolean(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new InvalidArgumentError('must be true or false')
  return text === 'true'
}

function faultGroups(text: string): FaultGroup[] {
  const names = text.split(',').filter((name) => name !== '')
  const unknown = names.find((name) => !FAULT_GROUPS.some((group) => group === name))
  if (unknown !== undefined) throw new InvalidArgumentError(`no fault ${unknown}; there are ${FAULT_GROUPS.join(', ')}`)
  return FAULT_GROUPS.filter((group) => names.includes(group))
}

function range(text: string): readonly [number, number] {
  const [least = NaN, most = NaN] = text.split('-').map(Number)
  if (!(least >= 1 && most >= least))
    throw new InvalidArgumentError('must be two numbers of milliseconds, such as 50-500')
  return [least, most]
}

function acks(text: string): 'all' | 1 | 0 {
  if (text === 'all') return 'all'
  if (text === '1' || text === '0') return text === '1' ? 1 : 0
  throw new InvalidArgumentError('must be all, 1 or 0')
}

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const program = new Command('npm run chaos --')
  .description(
    `Produces to ${NODES} real brokers while they are killed, stopped and cut off, reads everything back, and judges.`,
  )
  .option('--minutes <n>', 'how long the load lasts', positive, 1)
  .option('--records <n>', 'end after so many records, if that is sooner (default: no limit)', natural)
  .option('--seed <n>', 'which faults, sizes and moments (default: random, printed)', natural)
  .addOption(
    new Option('--faults <list>', 'which faults, with commas')
      .argParser(faultGroups)
      .default([...FAULT_GROUPS], 'all of them'),
  )
  .option('--connections-live <ms-ms>', 'each connection is reset after so many milliseconds, e.g. 50-500', range)
  .option('--records-per-second <n>', 'the rate that the load aims at', positive, 2000)
  .option('--idempotent <boolean>', 'option of the producer (default: true with acks all)', boolean)
  .option('--acks <n>', 'option of the producer; not all, and with faults, records may be lost', acks, 'all')
  .addOption(new Option('--compression <codec>', 'option of the producer').choices(codecs).default('none'))
  .option('--linger-ms <n>', 'option of the producer', natural, 0)
  .option('--delivery-timeout-ms <n>', "option of the producer (default: the producer's)", positive)
  .option(
    '--request-timeout-ms <n>',
    'option of the producer; short, so that frozen brokers are given up',
    positive,
    5000,
  )
  .addOption(
    new Option('--sasl <mechanism>', 'the producer logs in (default: plaintext, no login)').choices([
      ...['plain', 'scram-sha-256', 'scram-sha-512'],
    ]),
  )
  .option('--tls <boolean>', 'with --sasl: over TLS', boolean, false)
  .option(
    '--session-ms <n>',
    'with --sasl: how long a login lasts; less than 1100 is more than Kafka takes',
    positive,
    2100,
  )
  .option('--small <boolean>', 'values of 100 to 300 bytes only, for high rates', boolean, false)
  .option('--json <file>', 'write the report there as JSON, too')
  .option('--schedule <n>', 'print so many faults of the schedule, and end', natural)
  .addOption(new Option('--sabotage <kind>', 'falsify one record behind the judge: it must be seen').choices(SABOTAGES))
  .addHelpText('after', EXAMPLES)
program.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
program.parse()
try {
  process.exitCode = await chaos(program.opts<Flags>())
} catch (error) {
  console.error(error)
  process.exitCode = 2
}
