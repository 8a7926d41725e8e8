/** `npm run bench`: headrace and its peers, side by side. */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Option, type Command } from 'commander'
import { sharedJavaHelper } from '../../test/support/kafka/readers.ts'
import { bundleContenders } from './bundle.ts'
import { CELLS, describeCell, type Cell } from './cells.ts'
import { compare, type Comparison, type ComparePlan } from './compare.ts'
import { CONTENDERS, type Contender } from './contenders.ts'
import { describeMachine, loadText } from './machine.ts'
import { markdown } from './markdown.ts'
import { positive, wholeNumber } from './numbers.ts'
import { FULL, planOf, SHORT, type CompareFlags } from './plan.ts'
import { plotSvg } from './plot.ts'
import { startProgress } from './progress.ts'
import { compileOwn, setUp } from './setup.ts'
import { summarize } from './summary.ts'

const RESULTS = fileURLToPath(new URL('../results', import.meta.url))
const DIST = fileURLToPath(new URL('../../dist', import.meta.url))

async function benchCompare(flags: CompareFlags): Promise<void> {
  const plan = await planOf(flags)
  const loadBefore = loadText()
  await bundleContenders()
  await compileOwn()
  const progress = startProgress()
  const comparison = await compare(plan, progress.report).finally(progress.stop)
  await (await sharedJavaHelper()).close()
  await writeReport(flags, plan, comparison, loadBefore)
  if (comparison.results.some(({ stored, acked }) => stored !== acked)) process.exitCode = 1
}

async function writeReport(
  flags: CompareFlags,
  plan: ComparePlan,
  comparison: Comparison,
  loadBefore: string,
): Promise<void> {
  const machine = await describeMachine(loadBefore)
  const summaries = summarize(plan.cells, plan.contenders, comparison.results)
  const name = flags.out ?? `${machine.date.slice(0, 10)}${flags.short === true ? '-short' : ''}`
  const caption = `${machine.date}, ${machine.processor}, ${machine.cores} cores, ${machine.runtimes[0] ?? ''}; medians of ${plan.rounds} rounds, lines from least to most`
  const svg = plotSvg(summaries, caption)
  const text = markdown({ plan, machine, comparison, summaries, plot: svg === null ? null : `${name}.svg` })
  process.stdout.write(text)
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(path.join(RESULTS, `${name}.md`), text)
  if (svg !== null) writeFileSync(path.join(RESULTS, `${name}.svg`), svg)
  else process.stderr.write('No plot: echarts is not installed (npm run bench -- setup)\n')
  if (flags.json !== undefined) writeFileSync(flags.json, JSON.stringify({ machine, plan, ...comparison }))
  process.stderr.write(`Written: ${path.relative(process.cwd(), path.join(RESULTS, name))}.md\n`)
}

const names = (text: string): string[] => text.split(',').map((name) => name.trim())

const list = (items: readonly (Cell | Contender)[], describe: (item: never) => string): string =>
  items.map((item) => `  ${item.name.padEnd(18)} ${describe(item as never)}`).join('\n')

export function addCompare(program: Command): void {
  program
    .command('compare', { isDefault: true })
    .description(
      'headrace and its peers side by side: records/s, CPU a record, latency; a table and a plot in bench/results/',
    )
    .option('--short', 'four cells, one round: two minutes', false)
    .option('--cell <names>', 'only these cells', names)
    .option('--contender <names>', 'only these; `name@24` runs one in Node on the newer Node of the set-up', names)
    .option('--rounds <n>', `how often each is run (default: ${FULL.rounds}, short: ${SHORT.rounds})`, wholeNumber)
    .option('--seed <n>', 'of the order within the rounds', wholeNumber, 1)
    .option('--seconds <n>', `how long each is measured (default: ${FULL.seconds}, short: ${SHORT.seconds})`, positive)
    .option(
      '--warm-seconds <n>',
      `after a warm-up of so long (default: ${FULL.warmSeconds}, short: ${SHORT.warmSeconds})`,
      positive,
    )
    .option('--headrace <folder>', 'a built headrace, or `src` to bundle the sources', DIST)
    .option('--brokers <host:port>', 'a Kafka that runs already, for the cells on Kafka (default: one is started)')
    .option('--out <name>', 'of the files in bench/results/ (default: the date)')
    .option('--json <file>', 'every single run, for machines')
    .optionsGroup('Any other work (of the cell --cell names, else of `small`):')
    .addOption(new Option('--target <name>', 'where to').choices(['kafka', 'kafka-3', 'sink']))
    .option('--value-bytes <n>', 'length of a value', wholeNumber)
    .option('--keyed', 'ten thousand keys in turn')
    .addOption(new Option('--compression <codec>', 'what the client compresses with').choices(['none', 'lz4', 'zstd']))
    .option('--partitions <n>', 'of the topic', wholeNumber)
    .option('--concurrency <n>', 'records under way at once; 1: each awaited, with its latency', wholeNumber)
    .option('--rate <n>', 'records a second, offered on time; with latencies', positive)
    .option('--half', 'offered at half of what each client can do; with latencies')
    .addHelpText(
      'after',
      () =>
        `\nCells:\n${list(CELLS, describeCell)}\n\nContenders:\n${list(CONTENDERS, ({ title }: Contender) => title)}`,
    )
    .action(benchCompare)
  program.command('setup').description('installs and builds the peers; again: only what is missing').action(setUp)
}
