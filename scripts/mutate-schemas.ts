/**
 * Breaks one field of one schema at a time, in a copy of this checkout, and asks the judges: golden bytes, Kafka's own
 * definitions, Kafka's own classes. A breakage that none of them sees is a hole in the tests, and exit code 1.
 *
 *     npx tsx scripts/mutate-schemas.ts --count 10 --seed 1
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { mutationsOf, type Mutation } from './schema-mutations.ts'

const HELP = `Usage: npx tsx scripts/mutate-schemas.ts [options]

Breaks fields of src/protocol/messages in a copy of this checkout and shows which judge notices.

  --count N   how many breakages (10)
  --seed N    which ones; the same seed breaks the same fields (random, printed)
  --all       every breakage there is, in order; --count is not looked at
  --list      print the breakages, run nothing
  --help      this text

Needs Java, Maven and the network once, as the tests on real brokers do (CONTRIBUTING.md).
Exit code: 0 every breakage was noticed, 1 one was not, 2 the judges are red without any.
`

const VALUES_PER_MESSAGE = '20'
const TIMEOUT_MS = 300_000
const COPIED = ['src', 'test', 'scripts', 'package.json', 'tsconfig.json', 'vitest.config.ts']

interface Judge {
  readonly name: string
  readonly args: readonly string[]
}

const judges: readonly Judge[] = [
  { name: 'golden bytes', args: ['--project', 'unit', 'test/protocol/messages.test.ts'] },
  { name: "Kafka's definitions", args: ['--project', 'oracle', 'test/oracle/schema.test.ts'] },
  { name: "Kafka's classes", args: ['--project', 'oracle', 'test/oracle/messages.test.ts'] },
]

/** `red` with failed tests; a run that never came to its tests is `broken`, and says nothing about them. */
type Verdict = { readonly kind: 'green' } | { readonly kind: 'red' | 'broken'; readonly why: string }

function main(): number {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '10' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      all: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  const seed = natural('--seed', values.seed)
  const candidates = allMutations()
  const chosen = values.all ? candidates : pick(candidates, natural('--count', values.count), seed)
  console.log(`${candidates.length} breakages known; ${chosen.length} chosen${values.all ? '' : `, seed ${seed}`}`)
  if (values.list) {
    for (const mutation of chosen) console.log(`  ${describe(mutation)}`)
    return 0
  }
  const copy = mkdtempSync(join(tmpdir(), 'headrace-mutants-'))
  try {
    for (const name of COPIED) cpSync(name, join(copy, name), { recursive: true })
    symlinkSync(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'))
    return judgeAll(copy, chosen)
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

function judgeAll(copy: string, chosen: readonly Mutation[]): number {
  for (const judge of judges) {
    const verdict = ask(judge, copy)
    if (verdict.kind === 'green') continue
    console.error(`${judge.name}: ${verdict.kind} without any breakage\n${verdict.why}`)
    return 2
  }
  let survived = 0
  for (const [i, mutation] of chosen.entries()) {
    const file = join(copy, mutation.file)
    const original = readFileSync(file, 'utf8')
    writeFileSync(file, original.slice(0, mutation.start) + mutation.text + original.slice(mutation.end))
    const verdicts = judges.map((judge) => [judge, ask(judge, copy)] as const)
    writeFileSync(file, original)
    const red = verdicts.filter(([, { kind }]) => kind === 'red').map(([{ name }]) => name)
    const broken = verdicts.filter(([, { kind }]) => kind === 'broken').map(([{ name }]) => `${name} (did not start)`)
    // A schema that cannot even be loaded is noticed by whoever runs anything.
    const isNoticed = red.length + broken.length > 0
    if (!isNoticed) survived++
    const outcome = isNoticed ? `red: ${[...red, ...broken].join(', ')}` : 'SURVIVED'
    console.log(`${String(i + 1).padStart(3)} ${describe(mutation)}\n      ${outcome}`)
  }
  console.log(`breakages: ${chosen.length - survived} noticed, ${survived} survived`)
  return survived === 0 ? 0 : 1
}

function ask({ args }: Judge, copy: string): Verdict {
  const env = {
    ...process.env,
    HEADRACE_REQUIRE_BROKERS: '1',
    HEADRACE_ORACLE_VALUES: VALUES_PER_MESSAGE,
    HEADRACE_ORACLE_SEED: '1',
    NO_COLOR: '1',
  }
  const vitest = join('node_modules', '.bin', 'vitest')
  const run = spawnSync(vitest, ['run', '--reporter=dot', ...args], {
    ...{ cwd: copy, env, encoding: 'utf8', timeout: TIMEOUT_MS },
    maxBuffer: 1 << 28,
  })
  if (run.status === 0) return { kind: 'green' }
  const why = `${run.stdout}\n${run.stderr}`.slice(-2000)
  return { kind: /Tests .*\d+ failed/.test(run.stdout) ? 'red' : 'broken', why }
}

function allMutations(): Mutation[] {
  const folder = 'src/protocol/messages'
  const files = readdirSync(folder).sort()
  return files.flatMap((name) => mutationsOf(join(folder, name), readFileSync(join(folder, name), 'utf8')))
}

/** `count` of them, without repetition, no two of the same kind while other kinds are left. */
function pick(candidates: readonly Mutation[], count: number, seed: number): Mutation[] {
  const random = mulberry32(seed)
  const left = [...candidates]
  const chosen: Mutation[] = []
  let kinds = new Set<string>()
  while (chosen.length < count && left.length > 0) {
    let fresh = left.filter(({ kind }) => !kinds.has(kind))
    if (fresh.length === 0) {
      kinds = new Set()
      fresh = left
    }
    const mutation = fresh[Math.floor(random() * fresh.length)]
    if (mutation === undefined) break
    left.splice(left.indexOf(mutation), 1)
    kinds.add(mutation.kind)
    chosen.push(mutation)
  }
  return chosen
}

function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function natural(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${name} is ${text}, must be a natural number`)
  return value
}

function describe({ file, line, field, kind, before, text }: Mutation): string {
  const short = (code: string) => code.replace(/\s+/g, ' ').slice(0, 60)
  return `${file}:${line} ${field}: ${kind}: ${short(before)} -> ${short(text)}`
}

process.exitCode = main()
