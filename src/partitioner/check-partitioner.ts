import { nearestNames } from '../nearest.ts'
import type { Checked } from '../options.ts'
import { isPartitionerName, partitionerNames, type PartitionerName } from './named.ts'

/** The names as they are written in the documentation. */
export const quotedPartitionerNames = partitionerNames.map((name) => `'${name}'`).join(', ')

/** The option `partitioner`: a name, or a function of type `F` of the user's own. */
export function checkPartitioner<F extends (...args: never[]) => unknown>(
  value: unknown,
): Checked<PartitionerName | F> {
  if (value === undefined) return { value: 'default' }
  if (isPartitionerName(value)) return { value }
  if (typeof value === 'function') return { value: value as F }
  const [nearest] = typeof value === 'string' ? nearestNames(value, partitionerNames) : []
  const hint = nearest === undefined ? '' : `; did you mean '${nearest}'?`
  return { expected: `${quotedPartitionerNames} or a function${hint}` }
}
