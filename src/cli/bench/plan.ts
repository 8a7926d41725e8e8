import type { LoadLimits } from './load.ts'

/** What the command line asks for. */
export interface BenchPlan {
  readonly topic: string
  readonly warmupSeconds: number
  readonly load: LoadLimits
  readonly valueBytes: number
  /** How many different ones; 0: no keys. */
  readonly keys: number
  readonly svgFile: string | null
  readonly isJson: boolean
}
