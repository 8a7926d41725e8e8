/** `npm run simulate`: seeds of random faults in virtual time (test/simulation), judged by the oracles. */
import { Command, InvalidArgumentError } from 'commander'
import { simulate, type SimulationResult } from '../test/simulation/simulate.ts'

const EXAMPLES = `
Examples:
  npm run simulate -- --seeds 2000
  npm run simulate -- --from 5000 --seconds 90        as many as fit
  npm run simulate -- --seed 4711 --trace             one seed, and all that happened in it

Exit code: 0 nothing found, 1 violations, 2 wrong usage.
`

interface Options {
  readonly seeds: number
  readonly from: number
  readonly seconds: number
  readonly seed?: number
  readonly trace?: boolean
  readonly idempotent: boolean
  readonly lines: number
}

async function run({ seed, trace, idempotent, ...options }: Options): Promise<number> {
  if (seed !== undefined) return await replay(seed, idempotent, trace === true ? Infinity : options.lines)
  const startedMs = performance.now()
  const endMs = startedMs + options.seconds * 1000
  const totals = { seeds: 0, records: 0, delivered: 0, failed: 0, duplicated: 0, virtualMs: 0, turns: 0 }
  const bad: SimulationResult[] = []
  const kinds = new Map<string, number[]>()
  for (let at = options.from; at < options.from + options.seeds && performance.now() < endMs; at++) {
    const result = await simulate({ seed: at, idempotent, keptLines: options.lines })
    const { counts, virtualMs, turns, violations } = result
    totals.seeds++
    totals.records += counts.accepted
    totals.delivered += counts.delivered
    totals.failed += counts.failed
    totals.duplicated += counts.duplicated
    totals.virtualMs += virtualMs
    totals.turns += turns
    if (violations.length > 0) {
      bad.push(result)
      for (const kind of new Set(violations.map(kindOf))) kinds.set(kind, [...(kinds.get(kind) ?? []), at])
      if (bad.length <= 20) printViolations(result)
    }
  }
  const seconds = (performance.now() - startedMs) / 1000
  console.log(
    `${totals.seeds} seeds from ${options.from} in ${seconds.toFixed(1)} s (${((totals.seeds / seconds) * 60).toFixed(0)} a minute), ` +
      `${(totals.virtualMs / 3_600_000).toFixed(1)} virtual hours, ${totals.turns} turns\n` +
      `${totals.records} records: ${totals.delivered} delivered, ${totals.failed} failed, ${totals.duplicated} second copies\n` +
      `seeds with violations: ${bad.length}${
        bad.length === 0
          ? ''
          : ` (${bad
              .slice(0, 50)
              .map((result) => result.seed)
              .join(', ')})`
      }`,
  )
  for (const [kind, seeds] of [...kinds].sort(([, a], [, b]) => b.length - a.length)) {
    console.log(`${String(seeds.length).padStart(6)}  ${kind}  (${seeds.slice(0, 8).join(', ')})`)
  }
  return bad.length === 0 ? 0 : 1
}

/** A violation without what is different each time. */
function kindOf(violation: string): string {
  const [firstLine = ''] = violation.split('\n', 1)
  return firstLine.replaceAll(/\d+(\.\d+)?/g, '#').slice(0, 110)
}

async function replay(seed: number, idempotent: boolean, lines: number): Promise<number> {
  const result = await simulate({ seed, idempotent, keptLines: lines })
  console.log(JSON.stringify(result.plan, null, 1))
  for (const line of result.traceLines()) console.log(line)
  console.log(
    `${result.turns} turns, ${(result.virtualMs / 1000).toFixed(1)} virtual seconds, trace ${result.traceHash}`,
  )
  console.log(JSON.stringify(result.counts))
  printViolations(result)
  return result.violations.length === 0 ? 0 : 1
}

function printViolations({ seed, violations }: SimulationResult): void {
  for (const violation of violations.slice(0, 8)) console.log(`seed ${seed}: ${violation}`)
  if (violations.length > 8) console.log(`seed ${seed}: and ${violations.length - 8} more`)
}

function integer(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Expected a whole number.')
  return Number(text)
}

const program = new Command('simulate')
  .description('Thousands of seeds of random faults in virtual time; each is judged by the same oracles.')
  .option('--seeds <number>', 'how many', integer, 1_000_000_000)
  .option('--from <number>', 'the first one', integer, 1)
  .option('--seconds <number>', 'stop after that', integer, 60)
  .option('--seed <number>', 'only this one', integer)
  .option('--trace', 'with --seed: all that happened')
  .option('--lines <number>', 'with --seed: the last lines of it', integer, 200)
  .option('--no-idempotent', 'the weaker promise: second copies are allowed where a batch was tried again')
  .addHelpText('after', EXAMPLES)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))

program.parse()
process.exitCode = await run(program.opts<Options>())
