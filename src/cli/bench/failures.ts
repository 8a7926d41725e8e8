import { KafkaError } from '../../index.ts'

export interface FailureCount {
  readonly code: string
  count: number
  /** Of the first one. */
  readonly message: string
}

/** How many records failed for each reason. */
export class Failures {
  readonly #byCode = new Map<string, FailureCount>()

  get total(): number {
    return [...this.#byCode.values()].reduce((sum, { count }) => sum + count, 0)
  }

  /** Most frequent first. */
  get counts(): readonly FailureCount[] {
    return [...this.#byCode.values()].sort((a, b) => b.count - a.count)
  }

  add(error: unknown): void {
    const { code, message } = describe(error)
    const known = this.#byCode.get(code)
    if (known === undefined) this.#byCode.set(code, { code, count: 1, message })
    else known.count++
  }
}

function describe(error: unknown): { code: string; message: string } {
  if (error instanceof KafkaError) return error
  return error instanceof Error
    ? { code: error.name, message: error.message }
    : { code: 'Error', message: String(error) }
}
