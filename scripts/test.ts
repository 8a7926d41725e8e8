/**
 * `npm test`: everything that can be said about this checkout, one step after the other, with the time each took.
 *
 * Real brokers are part of it where Java and Maven are there; without them those tests are skipped, loudly, and with
 * HEADRACE_REQUIRE_BROKERS=1 their absence is a failure.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { brokersAvailable } from '../test/support/kafka/available.ts'

interface Step {
  readonly name: string
  readonly command: readonly [string, ...string[]]
  /** Not without Java and Maven. */
  readonly needsBrokers?: boolean
}

const bin = (name: string): string => join('node_modules', '.bin', name)

const steps: readonly Step[] = [
  { name: 'types', command: [bin('tsc'), '-p', 'tsconfig.json'] },
  { name: 'lint', command: [bin('eslint'), '.', '--max-warnings', '0'] },
  { name: 'format', command: [bin('prettier'), '--check', '--log-level', 'warn', '.'] },
  { name: 'layers', command: [bin('depcruise'), '--config', '.dependency-cruiser.cjs', 'src'] },
  { name: 'build', command: [bin('tsx'), 'scripts/build.ts'] },
  { name: 'unit tests', command: [bin('vitest'), 'run', '--project', 'unit'] },
  { name: "Kafka's own classes", command: [bin('vitest'), 'run', '--project', 'oracle'] },
  { name: 'fuzz, 60 s', command: ['npm', 'run', '-s', 'fuzz', '--', '--seconds', '60'] },
  { name: 'simulation, 75 s', command: ['npm', 'run', '-s', 'simulate', '--', '--seconds', '75'] },
  {
    name: 'simulation without idempotence, 15 s',
    command: ['npm', 'run', '-s', 'simulate', '--', '--no-idempotent', '--seconds', '15'],
  },
  { name: 'package', command: [bin('vitest'), 'run', '--project', 'package'] },
  { name: 'real brokers', command: [bin('vitest'), 'run', '--project', 'brokers'] },
  {
    name: 'chaos on real brokers, 3 min',
    command: ['npm', 'run', '-s', 'chaos', '--', '--minutes', '3', '--seed', '1'],
    needsBrokers: true,
  },
  {
    name: 'a login every second on real brokers, 1 min',
    command: [
      ...(['npm', 'run', '-s', 'chaos', '--', '--minutes', '1', '--seed', '1', '--faults', ''] as const),
      ...['--sasl', 'scram-sha-512', '--session-ms', '2100', '--small', 'true', '--records-per-second', '20000'],
    ],
    needsBrokers: true,
  },
]

const availability = await brokersAvailable()
const areBrokersRequired = process.env['HEADRACE_REQUIRE_BROKERS'] === '1'

const only = process.argv.slice(2)
const chosen = steps.filter(({ name, needsBrokers = false }) => {
  if (only.length > 0 && !only.includes(name)) return false
  if (!needsBrokers || availability.ok || areBrokersRequired) return true
  console.log(`\n== ${name}: SKIPPED, no real brokers: ${availability.reason}`)
  return false
})
const results = chosen.map(({ name, command: [program, ...args] }) => {
  console.log(`\n== ${name}`)
  const startedMs = performance.now()
  const { status, error } = spawnSync(program, args, { stdio: 'inherit' })
  if (error !== undefined) console.error(error.message)
  return { name, hasPassed: status === 0, seconds: (performance.now() - startedMs) / 1000 }
})

console.log('\n== steps')
for (const { name, hasPassed, seconds } of results) {
  console.log(`${hasPassed ? 'ok  ' : 'FAIL'} ${seconds.toFixed(1).padStart(6)} s  ${name}`)
}
const failed = results.filter(({ hasPassed }) => !hasPassed).length
console.log(`steps: ${results.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
