import { InvalidArgumentError } from 'commander'
import { UNBOUNDED, type Compression, type Load } from './job.ts'

export type TargetName = 'kafka' | 'kafka-3' | 'sink'

/** One kind of work. All contenders do it in turn, on a topic of its own each time. */
export interface Cell {
  readonly name: string
  /** For the reader of the table. */
  readonly title: string
  /** One Kafka node, three of them, or the null sink. */
  readonly target: TargetName
  readonly valueBytes: number
  readonly keyed: boolean
  readonly compression: Compression
  readonly partitions: number
  readonly concurrency: number
  readonly load: Load
  readonly ratePerSecond: number
}

const common: Omit<Cell, 'name' | 'title'> = {
  ...{ target: 'kafka', valueBytes: 100, keyed: false, compression: 'none', partitions: 6 },
  ...{ concurrency: UNBOUNDED, load: 'closed', ratePerSecond: 0 },
}

/** The work that is always measured. Any other is a combination of options. */
export const CELLS: readonly Cell[] = [
  { ...common, name: 'small', title: 'records of 100 B' },
  { ...common, name: 'medium', title: 'records of 1 KiB', valueBytes: 1024 },
  { ...common, name: 'large', title: 'records of 10 KiB', valueBytes: 10_240 },
  { ...common, name: 'keyed', title: 'three nodes, 100 B with keys', target: 'kafka-3', keyed: true, partitions: 100 },
  { ...common, name: 'lz4', title: '1 KiB, lz4', valueBytes: 1024, compression: 'lz4' },
  { ...common, name: 'zstd', title: '1 KiB, zstd', valueBytes: 1024, compression: 'zstd' },
  { ...common, name: 'hundred', title: '100 B, one hundred under way', concurrency: 100 },
  {
    ...{ ...common, name: 'one-by-one', title: '100 B, each awaited' },
    ...{ concurrency: 1, partitions: 1, load: 'serial' },
  },
  { ...common, name: 'half', title: '100 B at half of its own maximum', load: 'half' },
  {
    ...common,
    name: 'steady',
    title: '1 KiB, zstd, at 10 000 a second',
    valueBytes: 1024,
    compression: 'zstd',
    load: 'rate',
    ratePerSecond: 10_000,
  },
  { ...common, name: 'sink', title: 'null sink, 100 B, 1 partition', target: 'sink', partitions: 1 },
  { ...common, name: 'sink-10k', title: 'null sink, 100 B, 10 000 partitions', target: 'sink', partitions: 10_000 },
]

/** What a short run leaves of them. */
export const SHORT_CELLS: readonly string[] = ['small', 'medium', 'half', 'sink']

export function cellsNamed(names: readonly string[]): Cell[] {
  return names.map((name) => {
    const cell = CELLS.find((each) => each.name === name)
    if (cell !== undefined) return cell
    throw new InvalidArgumentError(
      `no cell ${JSON.stringify(name)}; there are ${CELLS.map((each) => each.name).join(', ')}`,
    )
  })
}

/** What `--value-bytes` and the like say about a cell; the rest is the cell `small`. */
export type Variation = Partial<Omit<Cell, 'name' | 'title'>>

export function variedCells(cells: readonly Cell[], variation: Variation): readonly Cell[] {
  if (Object.keys(variation).length === 0) return cells
  return cells.map((cell) => {
    const varied = { ...cell, ...variation }
    return { ...varied, name: `${cell.name}*`, title: describeCell(varied) }
  })
}

export function describeCell(cell: Cell): string {
  const { target, valueBytes, keyed, compression, partitions, concurrency } = cell
  const where = { kafka: 'one Kafka node', 'kafka-3': 'three Kafka nodes', sink: 'null sink' }[target]
  const parts = [where, `${valueBytes} B`, keyed ? 'keys' : 'no keys', compression, `${partitions} partitions`]
  return [...parts, `${concurrency} under way`, describeLoad(cell)].join(', ')
}

function describeLoad({ load, ratePerSecond }: Cell): string {
  if (load === 'closed') return 'as fast as it goes'
  if (load === 'serial') return 'each awaited'
  return load === 'half' ? 'half of its own maximum' : `${ratePerSecond} records a second`
}
