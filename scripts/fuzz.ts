/**
 * `npm run fuzz`: mutates inputs of every decoder, guided by V8's coverage, and judges what comes of them; and logs in to
 * brokers that lie.
 */
import { loadavg } from 'node:os'
import { relative } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { Coverage } from '../test/fuzz/coverage.ts'
import type { Discovery, Limits, Report } from '../test/fuzz/engine.ts'
import type { LoginReport } from '../test/fuzz/login-fuzz.ts'

/** Whole logins, which are no target of the engine: they take several answers, and promises. */
const LOGIN = 'sasl/login'
/** Of a run without --target. */
const LOGIN_SHARE = 0.1

const EXAMPLES = `
Examples:
  npm run fuzz -- --seconds 60
  npm run fuzz -- --executions 10000000 --seed 1        10 million inputs
  npm run fuzz -- --target zstd --seconds 30 --save     one decoder; what reaches new code goes to fuzz/corpus
  npm run fuzz -- --target Produce/9                    every target whose name begins so
  npm run fuzz -- --target sasl --executions 1000000    what brokers say in a login, and as many whole logins
  npm run fuzz -- --target sasl/login --seed 7 --executions 1    one login, again
  npm run fuzz -- --replay fuzz/findings/0123456789ab.txt

What counts as a finding: any error but ProtocolError; an input that was changed; an accepted value that is another
one when encoded and decoded again; more time than 0.5 ms + 2 us per byte (and 1 ms for what is decompressed), at best
of 20 runs; a result that holds more than 64 bytes per byte + 4 KiB, or four times that allocated on the way. Bytes
that decompression adds count, too. Memory is the growth of the heap, so approximate: of every input that is kept, and
of one in 128 others; one in four accepted inputs is encoded again.
Whole logins (sasl/login: every mechanism, SaslHandshake, SaslAuthenticate and bare tokens) are made from a number each;
findings: an error that is not typed or holds a secret, a broker that is believed without proof, a login without end.
Coverage guides the first 250 000 inputs, at most two fifths of a run: watched code takes five times as long. After
that new ways to be refused guide the search. Short runs with --save feed the corpus, long ones go through numbers.
Exit code: 0 nothing found, 1 findings (written to fuzz/findings), 2 wrong usage.
`

interface Options {
  readonly seconds?: number
  readonly seed?: number
  readonly executions?: number
  readonly target?: string
  readonly save?: boolean
  readonly replay?: string
}

async function fuzz(options: Options): Promise<number> {
  // Coverage first: code that is loaded before it is counted by whole functions only.
  const coverage = new Coverage()
  const { allTargets } = await import('../test/fuzz/targets.ts')
  const { Engine } = await import('../test/fuzz/engine.ts')
  const { readCorpus, readInputs, saveCorpus, saveFinding } = await import('../test/fuzz/corpus.ts')
  const { seeds } = await import('../test/fuzz/seeds.ts')
  const every = allTargets()
  const { seed = Math.floor(Math.random() * 2 ** 31), replay, target: wanted } = options

  if (replay !== undefined) {
    const engine = new Engine({ targets: every, seed, inputs: [] })
    const results = readInputs(replay).map((input) => ({ input, wrong: engine.replay(input) }))
    for (const { input, wrong } of results) {
      console.log(`${input.target}, ${input.bytes.length} bytes: ${wrong ?? 'fine'}`)
    }
    return results.some(({ wrong }) => wrong !== null) ? 1 : 0
  }

  const targets = wanted === undefined ? every : every.filter(({ name }) => matches(name, wanted))
  const loginShare = wanted === undefined ? LOGIN_SHARE : matches(LOGIN, wanted) ? (targets.length === 0 ? 1 : 0.5) : 0
  if (targets.length === 0 && loginShare === 0) {
    console.error(`--target ${wanted}: no such target; there are ${every.map(({ name }) => name).join(', ')}, ${LOGIN}`)
    return 2
  }
  const whole = {
    seconds: options.seconds ?? (options.executions === undefined ? 20 : Infinity),
    executions: options.executions ?? Infinity,
  }
  // Of a target that is named both run as often as was asked for.
  const isBoth = wanted !== undefined && loginShare > 0
  const loginFindings = loginShare === 0 ? 0 : await logIn(seed, partOf(whole, loginShare, isBoth))
  if (targets.length === 0) return loginFindings === 0 ? 0 : 1
  const limits = partOf(whole, 1 - loginShare, isBoth)
  const engine = new Engine({ targets, seed, inputs: [...seeds(seed), ...readCorpus()], coverage })
  const report = engine.run(limits, process.stderr.isTTY ? progress(limits) : undefined)
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  print(report, seed, coverage)
  if (options.save === true) {
    const kept = worthKeeping(report.discovered)
    saveCorpus(kept)
    console.log(`saved:      ${kept.length} inputs to fuzz/corpus`)
  }
  for (const { target, bytes, what } of report.findings) {
    const file = relative('.', saveFinding(target, bytes, what))
    console.log(`FINDING ${target.name}, ${bytes.length} bytes: ${what}\n        npm run fuzz -- --replay ${file}`)
  }
  return report.findings.length + loginFindings === 0 ? 0 : 1
}

function partOf({ seconds, executions }: Limits, share: number, hasAllExecutions: boolean): Limits {
  return { seconds: seconds * share, executions: hasAllExecutions ? executions : Math.ceil(executions * share) }
}

/** @returns how much was found. */
async function logIn(seed: number, limits: Limits): Promise<number> {
  const { LoginFuzz } = await import('../test/fuzz/login-fuzz.ts')
  const report = await new LoginFuzz().run(seed, limits, process.stderr.isTTY ? progress(limits) : undefined)
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  printLogins(report, seed)
  for (const { seed: one, mechanism, what } of report.findings) {
    console.log(`FINDING ${LOGIN}, ${mechanism}: ${what}`)
    console.log(`        npm run fuzz -- --target ${LOGIN} --seed ${one} --executions 1`)
  }
  return report.findings.length
}

function printLogins({ executions, seconds, outcomes, findings }: LoginReport, seed: number): void {
  const number = (value: number): string => Math.round(value).toLocaleString('en-US')
  const perMechanism = new Map<string, { all: number; taken: number }>()
  for (const [outcome, count] of outcomes) {
    const [name = '', end] = outcome.split(': ')
    const { all, taken } = perMechanism.get(name) ?? { all: 0, taken: 0 }
    perMechanism.set(name, { all: all + count, taken: taken + (end === 'taken' ? count : 0) })
  }
  for (const [name, { all, taken }] of [...perMechanism].sort()) {
    console.log(`  ${`${LOGIN}: ${name}`.padEnd(32)} ${number(all).padStart(12)}  ${number(taken)} taken`)
  }
  const rate = number(executions / seconds)
  const errors = new Set([...outcomes.keys()].map((outcome) => outcome.split(': ')[1])).size
  console.log(
    `logins:     ${number(executions)} in ${seconds.toFixed(1)} s, ${rate}/s, ${errors} ways to end; seed ${seed}`,
  )
  console.log(`findings:   ${findings.length}\n`)
}

/** What reaches new code, and a few short inputs per target that are refused in another way: the corpus stays small. */
function worthKeeping(discovered: readonly Discovery[]): Discovery[] {
  const perTarget = new Map<string, number>()
  return discovered.filter(({ target, bytes, isNewCode }) => {
    if (isNewCode) return bytes.length <= 1024
    const count = (perTarget.get(target) ?? 0) + (bytes.length <= 40 ? 1 : 0)
    perTarget.set(target, count)
    return bytes.length <= 40 && count <= 4
  })
}

function matches(name: string, wanted: string): boolean {
  return name === wanted || name.startsWith(wanted.endsWith('/') ? wanted : `${wanted}/`)
}

interface Progress {
  readonly executions: number
  readonly seconds: number
  readonly findings: readonly unknown[]
}

function progress(limits: Limits): (report: Progress) => void {
  let shownMs = 0
  return ({ executions, seconds, findings }) => {
    if (performance.now() - shownMs < 200) return
    shownMs = performance.now()
    const share = Math.min(1, Math.max(seconds / limits.seconds, executions / limits.executions))
    const rate = Math.round(executions / seconds).toLocaleString('en-US')
    process.stderr.write(
      `\r\u001b[K${Math.round(share * 100)} %  ${executions.toLocaleString('en-US')} executions, ${rate}/s, ` +
        `${findings.length} findings`,
    )
  }
}

function print(report: Report, seed: number, coverage: Coverage): void {
  const { cpuSeconds } = report
  const { executions, accepted, checked, measured, remeasured, seconds, perTarget, findings, discovered } = report
  const groups = new Map<string, { count: number; executions: number }>()
  for (const [name, count] of perTarget) {
    const group = name.replace(/\/\d+\//, '/*/')
    const known = groups.get(group) ?? { count: 0, executions: 0 }
    groups.set(group, { count: known.count + 1, executions: known.executions + count })
  }
  const number = (value: number): string => Math.round(value).toLocaleString('en-US')
  for (const [name, group] of groups) {
    const versions = name.includes('*') ? `  ${group.count} versions` : ''
    console.log(`  ${name.padEnd(32)} ${number(group.executions).padStart(12)}${versions}`)
  }
  const { all, covered } = coverage.blocks()
  const rate = `${number(executions / seconds)}/s, ${number(executions / cpuSeconds)} per CPU second`
  console.log(
    `executions: ${number(executions)} in ${seconds.toFixed(1)} s, ${rate} (load ${loadavg()[0]?.toFixed(1)})`,
  )
  console.log(`seed:       ${seed}`)
  console.log(`accepted:   ${number(accepted)}; encoded and decoded again ${number(checked)}`)
  console.log(`measured:   ${number(measured)} for memory, all for time; ${number(remeasured)} of them twice`)
  console.log(
    `blocks:     ${covered} of ${all} of the decoders' (${((100 * covered) / all).toFixed(1)} %), by seeds, corpus and the first ${number(report.watched)} inputs`,
  )
  console.log(`new inputs: ${discovered.length}`)
  console.log(`findings:   ${findings.length}`)
}

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('must be a number above 0')
  return value
}

function natural(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('must be a whole number')
  return value
}

const program = new Command('npm run fuzz --')
  .description('Mutates inputs of every decoder, guided by coverage, and judges what comes of them.')
  .option('--seconds <n>', 'how long (default: 20, or no limit with --executions)', positive)
  .option('--executions <n>', 'how many inputs', positive)
  .option('--seed <n>', 'which inputs (default: random, printed)', natural)
  .option('--target <name>', 'only targets of this name, or whose name begins with it')
  .option('--save', 'add the inputs that reach something new to fuzz/corpus')
  .option('--replay <file>', 'run the inputs of a file of fuzz/findings or fuzz/corpus, and nothing else')
  .addHelpText('after', EXAMPLES)
program.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
program.parse()
process.exitCode = await fuzz(program.opts<Options>())
