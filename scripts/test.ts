/**
 * `npm test`: everything that can be said about this checkout, with the time each step took. What needs no quiet machine
 * runs beside its like; its output is shown when it has ended.
 *
 * Real brokers are part of it where Java and Maven are there; without them those tests are skipped, loudly, and with
 * HEADRACE_REQUIRE_BROKERS=1 their absence is a failure.
 *
 * What the steps print is kept until the end, and searched for every secret that a test has used (test/support/canary.ts).
 */
import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { scanOutput } from '../test/support/canary-scan.ts'
import { CANARY_FOLDER_VARIABLE } from '../test/support/canary.ts'
import { brokersAvailable } from '../test/support/kafka/available.ts'

interface Step {
  readonly name: string
  readonly command: readonly [string, ...string[]]
  /** Not without Java and Maven. */
  readonly needsBrokers?: boolean
}

type Sink = (chunk: Buffer) => void

const LEFT_BEHIND_MS = 5000
/** Of a failed step, the lines that say what failed; whoever sees the end of a long output only, sees these. */
const TELLING = /\bFAIL|×|Error\b|\berror\b|violation/
const TELLING_LINES = 12
const TELLING_CHARACTERS = 160

const folder = mkdtempSync(join(tmpdir(), 'headrace-test-'))
process.once('SIGINT', () => process.exit(130))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

const bin = (name: string): string => join('node_modules', '.bin', name)

/** The steps of a stage run at the same time, stages one after the other. */
const stages: readonly (readonly Step[])[] = [
  [
    { name: 'types', command: [bin('tsc'), '-p', 'tsconfig.json'] },
    { name: 'lint', command: [bin('eslint'), '.', '--max-warnings', '0'] },
    { name: 'format', command: [bin('prettier'), '--check', '--log-level', 'warn', '.'] },
    { name: 'layers', command: [bin('depcruise'), '--config', '.dependency-cruiser.cjs', 'src'] },
  ],
  [{ name: 'build', command: [bin('tsx'), 'scripts/build.ts'] }],
  [{ name: 'unit tests', command: [bin('vitest'), 'run', '--project', 'unit'] }],
  [{ name: "Kafka's own classes", command: [bin('vitest'), 'run', '--project', 'oracle'] }],
  [
    {
      name: 'simulation without idempotence, 15 s',
      command: ['npm', 'run', '-s', 'simulate', '--', '--no-idempotent', '--seconds', '15'],
    },
    { name: 'package', command: [bin('vitest'), 'run', '--project', 'package'] },
  ],
  [{ name: 'real brokers', command: [bin('vitest'), 'run', '--project', 'brokers'] }],
  [
    {
      name: 'chaos on real brokers, 3 min',
      command: ['npm', 'run', '-s', 'chaos', '--', '--minutes', '3', '--seed', '1'],
      needsBrokers: true,
    },
    // A busy machine is one more thing that may go wrong for them, and these two have no clock.
    { name: 'fuzz, 60 s', command: ['npm', 'run', '-s', 'fuzz', '--', '--seconds', '60'] },
    { name: 'simulation, 75 s', command: ['npm', 'run', '-s', 'simulate', '--', '--seconds', '75'] },
  ],
  [
    {
      name: 'a login every second on real brokers, 1 min',
      command: [
        ...(['npm', 'run', '-s', 'chaos', '--', '--minutes', '1', '--seed', '1', '--faults', ''] as const),
        ...['--sasl', 'scram-sha-512', '--session-ms', '2100', '--small', 'true', '--records-per-second', '20000'],
      ],
      needsBrokers: true,
    },
  ],
]

const availability = await brokersAvailable()
const areBrokersRequired = process.env['HEADRACE_REQUIRE_BROKERS'] === '1'

const only = process.argv.slice(2)
const isChosen = ({ name, needsBrokers = false }: Step): boolean => {
  if (only.length > 0 && !only.includes(name)) return false
  if (!needsBrokers || availability.ok || areBrokersRequired) return true
  console.log(`\n== ${name}: SKIPPED, no real brokers: ${availability.reason}`)
  return false
}
const chosen = stages.map((stage) => stage.filter(isChosen)).filter((stage) => stage.length > 0)
interface Result {
  readonly name: string
  readonly hasPassed: boolean
  readonly seconds: number
}
const results: Result[] = []
for (const stage of chosen) results.push(...(await runStage(stage)))
const scan = scanOutput(folder)
console.log(`\n== no secret in what was printed: ${scan.secrets} secrets, ${scan.bytes} characters`)
for (const leak of scan.leaks) console.log(leak)
// A search for nothing proves nothing.
const hasSearched = scan.secrets > 0 || !chosen.flat().some(({ name }) => name === 'unit tests')
results.push({ name: 'no secret in what was printed', hasPassed: scan.leaks.length === 0 && hasSearched, seconds: 0 })

console.log('\n== steps')
for (const { name, hasPassed, seconds } of results) {
  console.log(`${hasPassed ? 'ok  ' : 'FAIL'} ${seconds.toFixed(1).padStart(6)} s  ${name}`)
}
const failed = results.filter(({ hasPassed }) => !hasPassed)
console.log(`steps: ${results.length - failed.length} passed, ${failed.length} failed`)
for (const { name } of failed) console.log([`\n== failed: ${name}`, ...tellingLines(name)].join('\n'))
process.exitCode = failed.length === 0 ? 0 : 1

async function runStage(stage: readonly Step[]): Promise<Result[]> {
  const isAlone = stage.length === 1
  if (!isAlone) console.log(`\n== ${stage.map(({ name }) => name).join(', ')}: at the same time`)
  return await Promise.all(
    stage.map(async ({ name, command }) => {
      const startedMs = performance.now()
      if (isAlone) console.log(`\n== ${name}`)
      const kept: Buffer[] = []
      const hasPassed = await run(name, command, isAlone ? null : kept)
      if (!isAlone) process.stdout.write(Buffer.concat([Buffer.from(`\n== ${name}\n`), ...kept]))
      return { name, hasPassed, seconds: (performance.now() - startedMs) / 1000 }
    }),
  )
}

/** Runs a step; what it prints is shown as it comes, or kept in a list, and kept in a file anyway. */
async function run(name: string, [program, ...args]: Step['command'], kept: Buffer[] | null): Promise<boolean> {
  const colors = process.stdout.isTTY && process.env['NO_COLOR'] === undefined ? { FORCE_COLOR: '1' } : {}
  const env = { ...colors, ...process.env, [CANARY_FOLDER_VARIABLE]: folder }
  const child = spawn(program, args, { stdio: ['inherit', 'pipe', 'pipe'], env })
  const sink = (to: Writable): Sink => (kept === null ? (chunk) => to.write(chunk) : (chunk) => kept.push(chunk))
  pass(child.stdout, sink(process.stdout), fileOf(name, 'stdout'))
  pass(child.stderr, sink(process.stderr), fileOf(name, 'stderr'))
  child.once('exit', () => {
    // A process that the step has left behind may keep its output open.
    const timer = setTimeout(() => [child.stdout, child.stderr].forEach((stream) => stream.destroy()), LEFT_BEHIND_MS)
    child.once('close', () => clearTimeout(timer))
  })
  return await new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(error.message)
      resolve(false)
    })
    child.once('close', (status) => resolve(status === 0))
  })
}

function pass(from: Readable, sink: Sink, file: string): void {
  from.on('data', (chunk: Buffer) => {
    sink(chunk)
    appendFileSync(file, chunk)
  })
}

function fileOf(name: string, stream: 'stdout' | 'stderr'): string {
  return join(folder, `${name.replaceAll(/\W+/g, '-')} ${stream}.log`)
}

function tellingLines(name: string): string[] {
  const files = [fileOf(name, 'stdout'), fileOf(name, 'stderr')].filter((file) => existsSync(file))
  const lines = files.flatMap((file) => stripVTControlCharacters(readFileSync(file, 'utf8')).split('\n'))
  const telling = lines.map((line) => line.trim()).filter((line) => TELLING.test(line) && !line.startsWith('✓'))
  return [...new Set(telling)].slice(-TELLING_LINES).map((line) => line.slice(0, TELLING_CHARACTERS))
}
