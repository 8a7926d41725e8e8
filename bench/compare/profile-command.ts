import { InvalidArgumentError, Option, type Command } from 'commander'
import { sharedJavaHelper } from '../../test/support/kafka/readers.ts'
import { cellsNamed } from './cells.ts'
import { contendersNamed } from './contenders.ts'
import type { Job, Measures } from './job.ts'
import { markdownTable } from './markdown.ts'
import { positive, wholeNumber } from './numbers.ts'
import { headraceAt } from './plan.ts'
import { instructionsIn, readUses, runInspected } from './profile.ts'
import { compileOwn } from './setup.ts'

interface ProfileFlags {
  readonly cell: string
  readonly contender: string
  readonly of: Exclude<Job['inspect'], 'none'>
  readonly top: number
  readonly seconds: number
  readonly headrace: string
}

async function profile(flags: ProfileFlags): Promise<void> {
  const [cell] = cellsNamed([flags.cell])
  const [contender] = contendersNamed([flags.contender])
  if (cell === undefined || contender === undefined) throw new InvalidArgumentError('one cell and one contender')
  if (contender.kind === 'native') throw new InvalidArgumentError(`${contender.name} does not run in Node`)
  await compileOwn()
  const headrace = await headraceAt(flags.headrace)
  const plan = { cell, contender, inspect: flags.of, warmMs: 1500, measureMs: flags.seconds * 1000, headrace }
  const measures = await runInspected(plan)
  if (cell.target !== 'sink') await (await sharedJavaHelper()).close()
  console.log(`${contender.title}, cell ${cell.name}, ${measures.records} records in ${measures.seconds.toFixed(1)} s`)
  if (flags.of === 'instructions') printInstructions(measures)
  else printUses(measures, flags.of, flags.top)
}

function printInstructions({ inspection = '', records }: Measures): void {
  const count = instructionsIn(inspection)
  if (count !== null) console.log(`${Math.round(count / records)} instructions a record, in user space`)
  else console.log(`This machine does not count instructions. perf says: ${inspection.split('\n')[0] ?? ''}`)
}

function printUses(measures: Measures, of: 'cpu' | 'heap', top: number): void {
  const uses = readUses(measures, of)
  const total = uses.reduce((sum, { amount }) => sum + amount, 0)
  const perRecord = of === 'cpu' ? 1000 / measures.records : 1 / measures.records
  const unit = of === 'cpu' ? 'ns a record' : 'bytes a record'
  const rows = uses
    .slice(0, top)
    .map(({ place, amount }) => [place, `${((amount / total) * 100).toFixed(1)} %`, (amount * perRecord).toFixed(1)])
  console.log(markdownTable([of === 'cpu' ? 'self time' : 'allocated by', 'share', unit], rows))
  console.log(`\nin all ${(total * perRecord).toFixed(0)} ${unit}; the whole profile: ${measures.inspection ?? ''}`)
}

export function addProfile(program: Command): void {
  program
    .command('profile')
    .description('where headrace spends CPU, memory or instructions: the functions that use most by themselves')
    .option('--cell <name>', 'the work; a short list is in `compare --help`', 'sink')
    .option('--contender <name>', 'any that runs in Node', 'headrace-send')
    .addOption(new Option('--of <what>', 'what is looked at').choices(['cpu', 'heap', 'instructions']).default('cpu'))
    .option('--top <n>', 'functions', wholeNumber, 25)
    .option('--seconds <n>', 'how long', positive, 3)
    .option('--headrace <folder>', 'a built headrace, or `src`: bundled with all its names', 'src')
    .action(profile)
}
