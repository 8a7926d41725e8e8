import { existsSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { InvalidArgumentError } from 'commander'
import { bundleHeadrace } from './bundle.ts'
import { CELLS, cellsNamed, SHORT_CELLS, variedCells, type Cell, type Variation } from './cells.ts'
import type { ComparePlan } from './compare.ts'
import { CONTENDERS, contendersNamed } from './contenders.ts'

/** Twenty minutes for all of it, two for a short one, on two cores. */
export const FULL = { rounds: 3, seconds: 1, warmSeconds: 0.7 }
export const SHORT = { rounds: 1, seconds: 0.8, warmSeconds: 0.6 }

/** What the command line said; undefined: nothing. */
export interface CompareFlags {
  readonly short?: boolean
  readonly cell?: readonly string[]
  readonly contender?: readonly string[]
  readonly rounds?: number
  readonly seed: number
  readonly seconds?: number
  readonly warmSeconds?: number
  readonly headrace: string
  readonly brokers?: string
  readonly out?: string
  readonly json?: string
  readonly target?: Cell['target']
  readonly valueBytes?: number
  readonly keyed?: boolean
  readonly compression?: Cell['compression']
  readonly partitions?: number
  readonly concurrency?: number
  readonly rate?: number
  readonly half?: boolean
}

export async function headraceAt(where: string): Promise<string> {
  if (where === 'src') return bundleHeadrace()
  const index = path.resolve(where, 'index.js')
  if (existsSync(index)) return pathToFileURL(index).href
  throw new InvalidArgumentError(`${index} is not there: npm run build (or --headrace src)`)
}

export async function planOf(flags: CompareFlags): Promise<ComparePlan> {
  const defaults = flags.short === true ? SHORT : FULL
  const { rounds = defaults.rounds, seconds = defaults.seconds, warmSeconds = defaults.warmSeconds } = flags
  return {
    cells: chosenCells(flags),
    contenders: flags.contender === undefined ? CONTENDERS : contendersNamed(flags.contender),
    ...{ rounds, seed: flags.seed, warmMs: warmSeconds * 1000, measureMs: seconds * 1000 },
    headrace: await headraceAt(flags.headrace),
    ...(flags.brokers === undefined ? {} : { brokers: flags.brokers }),
  }
}

/** Without a name, what is said of the work is said of the cell `small`. */
export function chosenCells(flags: Omit<CompareFlags, 'seed' | 'headrace'>): readonly Cell[] {
  const variation = variationOf(flags)
  const isVaried = Object.keys(variation).length > 0
  if (flags.cell !== undefined) return variedCells(cellsNamed(flags.cell), variation)
  if (isVaried) return variedCells(cellsNamed(['small']), variation)
  return flags.short === true ? cellsNamed(SHORT_CELLS) : CELLS
}

function variationOf(flags: Omit<CompareFlags, 'seed' | 'headrace'>): Variation {
  const { target, valueBytes, keyed, compression, partitions, concurrency, rate, half } = flags
  const load = half === true ? 'half' : rate !== undefined ? 'rate' : concurrency === 1 ? 'serial' : undefined
  const asked = { target, valueBytes, keyed, compression, partitions, concurrency, load, ratePerSecond: rate }
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined))
}
