import { KAFKA_VERSIONS, kafkaVersion, type KafkaVersion } from './versions.ts'

// What CI runs: the oldest, the first with record batches, one from the middle, the newest. The rest is for `all`.
const DEFAULT_VERSIONS = ['0.10.0.1', '0.11.0.3', '2.8.2', '4.3.1']

/**
 * The Kafka versions that tests over versions run on, oldest first. HEADRACE_KAFKA_VERSIONS chooses: a comma-separated
 * list or `all`.
 *
 * @throws {RangeError} a version without a row: a test that silently left it out would be green for nothing.
 */
export function kafkaVersionsUnderTest(
  asked: string | undefined = process.env['HEADRACE_KAFKA_VERSIONS'],
): readonly KafkaVersion[] {
  const names = (asked ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  const oldestFirst = KAFKA_VERSIONS.toReversed()
  if (names.includes('all')) return oldestFirst
  const wanted = new Set((names.length === 0 ? DEFAULT_VERSIONS : names).map(kafkaVersion))
  return oldestFirst.filter((row) => wanted.has(row))
}
