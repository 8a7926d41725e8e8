import type { VersionRanges } from '../protocol/negotiate.ts'

const [PRODUCE, FETCH, LIST_OFFSETS, METADATA, JOIN_GROUP, CREATE_TOPICS] = [0, 1, 2, 3, 11, 19]
const [INIT_PRODUCER_ID, ADD_PARTITIONS_TO_TXN, DESCRIBE_ACLS, DESCRIBE_CONFIGS, DESCRIBE_LOG_DIRS] = [
  ...[22, 24, 29, 32, 35],
] as const
/** Nobody lists it: the release cannot be told from the one before. */
const NOTHING = -1

/**
 * The first release whose brokers list this version of an API, oldest first.
 *
 * Source: the definitions in Kafka's jars (2.8.2, 3.9.1, 4.1.1, 4.2.0, 4.3.1), what brokers of 0.10.0 to 4.3 answer
 * (src/testing/served-apis.ts), and for those in between franz-go's pkg/kversion.
 */
// prettier-ignore
const MARKS: readonly (readonly [release: string, apiKey: number, version: number])[] = [
  ['0.10.0', PRODUCE, 2],
  ['0.10.1', METADATA, 2],
  ['0.10.2', CREATE_TOPICS, 1],
  ['0.11', PRODUCE, 3],
  ['1.0', PRODUCE, 5],
  ['1.1', FETCH, 7],
  ['2.0', PRODUCE, 6],
  ['2.1', PRODUCE, 7],
  ['2.2', LIST_OFFSETS, 5],
  ['2.3', METADATA, 8],
  ['2.4', PRODUCE, 8],
  ['2.5', INIT_PRODUCER_ID, 3],
  ['2.6', DESCRIBE_CONFIGS, 3],
  ['2.7', FETCH, 12],
  ['2.8', PRODUCE, 9],
  ['3.0', LIST_OFFSETS, 7],
  ['3.1', METADATA, 12],
  ['3.2', JOIN_GROUP, 9],
  ['3.3', DESCRIBE_ACLS, 3],
  ['3.4', NOTHING, 0],
  ['3.5', FETCH, 15],
  ['3.6', ADD_PARTITIONS_TO_TXN, 4],
  ['3.7', PRODUCE, 10],
  ['3.8', PRODUCE, 11],
  ['3.9', FETCH, 17],
  ['4.0', PRODUCE, 12],
  ['4.1', PRODUCE, 13],
  ['4.2', LIST_OFFSETS, 11],
  ['4.3', DESCRIBE_LOG_DIRS, 5],
]

/** The release of Kafka that a broker most likely is, or is made after: `2.8`, `2.2 to 2.4`, `4.3 or newer`. */
export function likelyKafka(versions: VersionRanges): string {
  const has = ([, apiKey, version]: (typeof MARKS)[number]): boolean => (versions.get(apiKey)?.max ?? -1) >= version
  const first = MARKS.findLastIndex(has)
  if (first < 0) return 'older than 0.10'
  // A broker that does not list an API says nothing about the releases that are known by it.
  const past = MARKS.findIndex(([, apiKey], i) => i > first && versions.has(apiKey))
  const [from, to] = [MARKS[first]?.[0] ?? '', MARKS.at(past < 0 ? -1 : past - 1)?.[0] ?? '']
  if (past < 0) return `${from} or newer`
  return from === to ? from : `${from} to ${to}`
}
