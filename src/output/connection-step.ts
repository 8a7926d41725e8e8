export const connectionSteps = ['secrets', 'reachability', 'authentication', 'topic', 'permission'] as const
export type ConnectionStepName = (typeof connectionSteps)[number]

/** One question of `testConnection`, and its answer. */
export interface ConnectionStep {
  readonly step: ConnectionStepName
  /** Null: could not be found out, because of what failed before, or because the broker cannot tell without a write. */
  readonly ok: boolean | null
  /** For people: what was found; if it is a failure, what is wrong and what to try. No secrets. */
  readonly message: string
  /** Of what failed, that of the error that `write` would give; with `ok`, that of a warning. */
  readonly code?: string
  readonly ms: number
}
