import { KafkaError } from '../../index.ts'

export type MappingErrorCode =
  | 'INVALID_MAPPING' // the mapping itself is wrong, whatever the event; found before any event
  | 'MAPPING_FAILED' // the mapping cannot be applied to this event; others may be fine
  | 'LIQUID_UNAVAILABLE' // @liquid needs a package that is not installed; the message has the command that installs it

/** A mapping that is wrong, or does not fit an event. `problems` has a sentence for each fault, beginning with its place. */
export class MappingError extends KafkaError {
  override readonly name = 'MappingError'
  readonly code: MappingErrorCode
  readonly problems: readonly string[]

  constructor(code: MappingErrorCode, problems: readonly string[], cause?: unknown) {
    super(`Mapping: ${code}: ${problems.join(' ')}`, { cause })
    this.code = code
    this.problems = problems
  }
}

/** Where in a mapping: the names of the fields and directives that lead there. */
export type MappingPath = readonly string[]

export function problemAt(path: MappingPath, what: string): string {
  return `/${path.join('/')} ${what}.`
}

export function mappingFailed(path: MappingPath, what: string, cause?: unknown): MappingError {
  return new MappingError('MAPPING_FAILED', [problemAt(path, what)], cause)
}
