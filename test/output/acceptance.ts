import type { AcceptanceRow } from '../support/acceptance-rows.ts'

const JSON_BYTES = 'test/output/serialize/json.test.ts'
const CSV = 'test/output/serialize/csv.test.ts'
const AVRO = 'test/output/serialize/avro.test.ts'
const ORACLE = 'test/oracle/output-formats.test.ts'
const BROKERS = 'test/brokers/output.test.ts'
const OPTIONS = 'test/output/options.test.ts'
const CLI = 'test/cli/output.test.ts'

/**
 * The acceptance rows of the output (destination-and-output.md part C), each with the tests that hold it:
 * `file > name of a test, or of its describe`. `acceptance.test.ts` looks whether they are there.
 */
export const ACCEPTANCE: readonly AcceptanceRow[] = [
  {
    id: 'asa-Z1',
    feature: 'JSON, line separated and array',
    tests: [
      `${JSON_BYTES} > asa-Z1: %s as array is its file without the blanks, byte for byte`,
      `${JSON_BYTES} > asa-Z1: %s line separated is a JSON document a line`,
      `${JSON_BYTES} > asa-Z1: integers have all their digits, datetimes seven, null is kept, order too`,
      'test/output/types/json-reader.test.ts > asa-Z1: keeps every digit, and what was a float',
      `${ORACLE} > asa-Z1: generated rows as JSON`,
      `${BROKERS} > asa-Z1, asa-Z2, asa-Z3: %s.json`,
    ],
  },
  {
    id: 'asa-Z2',
    feature: 'CSV',
    tests: [
      `${CSV} > asa-Z2: the words Record and Array, bit as true and false, null empty, an empty string quoted, numbers of no culture`,
      `${CSV} > asa-Z2: newline is an option, the last line has none; rows of the same columns share the header`,
      `${ORACLE} > asa-Z2: the fixtures as CSV with %j, by Python’s csv`,
      `${ORACLE} > asa-Z2: the CSV fixture, re-read and written again, is equal`,
      `${BROKERS} > asa-Z1, asa-Z2, asa-Z3: SensorDataSample.csv`,
    ],
  },
  {
    id: 'asa-Z3',
    feature: 'Avro',
    tests: [
      `${AVRO} > asa-Z3: and the bytes of a row are those of fastavro`,
      `${AVRO} > asa-Z3: a column that was only null takes the type of its first value; other columns are another schema`,
      `${AVRO} > asa-Z3: raw may not change: float after bigint, a new column, another type are conversion errors`,
      `${ORACLE} > asa-Z3: 2^53 + 1 and the ends of int64 are exact in every format`,
      `${ORACLE} > asa-Z3: generated rows as raw and Confluent Avro`,
      `${BROKERS} > asa-Z1, asa-Z2, asa-Z3: %s.json`,
    ],
  },
  {
    id: 'asa-Z4',
    feature: 'encoding, delimiter, format that are not allowed',
    tests: [
      'test/output/serialize/serialization.test.ts > asa-Z4: name every problem at once',
      `${OPTIONS} > asa-Z4: another encoding`,
      `${OPTIONS} > asa-Z4: another delimiter`,
      `${OPTIONS} > asa-Z4: another format`,
      `${CLI} > with the configuration: %j`,
    ],
  },
  {
    id: 'asa-Z5',
    feature: 'security protocols',
    tests: [`${BROKERS} > asa-Z5: each protocol, against its listener`, `${OPTIONS} > asa-Z5: OAuth, so called`],
  },
  {
    id: 'asa-Z6',
    feature: 'compression',
    tests: [`${BROKERS} > asa-Z6: compression %s is what the log has, and Kafka’s consumer reads it`],
  },
  {
    id: 'asa-Z7',
    feature: 'partitioning',
    tests: [
      'test/output/partitioning.test.ts > asa-Z7: goes to one partition after the other: counts differ by one at most, whatever a write is',
      'test/output/partitioning.test.ts > asa-Z7: and stays even when a leader moves in the middle',
      'test/output/partitioning.test.ts > asa-Z7: is the key of the record, and the same key goes to the same partition: that of Java',
      `${BROKERS} > asa-Z7: without a key rows rotate exactly; with one, each key has its partition, that of Java`,
    ],
  },
  {
    id: 'asa-Z8',
    feature: 'Key Vault',
    tests: [
      'test/output/secrets.test.ts > asa-Z8: secrets of a vault',
      'test/oracle/azure/key-vault.test.ts > asa-Z8: understands its challenge, and reads from it what we read',
      `${BROKERS} > asa-Z5: each protocol, against its listener`,
    ],
  },
  {
    id: 'asa-Z9',
    feature: 'error policy',
    tests: [
      'test/output/error-policy.test.ts > asa-Z9: counts a bad row, and the next ones flow',
      'test/output/error-policy.test.ts > asa-Z9: a bad row blocks those behind it, is tried at growing intervals, and goes when it is mended',
      `${CLI} > that cannot be converted: Drop counts them, and tells them as Stream Analytics does`,
      `${CLI} > that cannot be converted: Retry waits and says so; Ctrl-C ends it, with what came before`,
    ],
  },
  {
    id: 'asa-Z10',
    feature: 'at least once',
    tests: [
      'test/output/delivery.test.ts > asa-Z10: brokers that go away in the middle: every row there once, in order',
      `${BROKERS} > asa-Z10: the broker is down for`,
      `${BROKERS} > five times killed with SIGKILL: every row is there, twice only those that were announced`,
    ],
  },
  {
    id: 'asa-Z11',
    feature: 'the oldest broker',
    tests: [
      'test/output/old-brokers.test.ts > asa-Z11: brokers of Kafka 0.10',
      `${BROKERS} > asa-Z11: %s (%s) %s, and it says what the broker lacks`,
    ],
  },
  {
    id: 'asa-Z12',
    feature: 'test connection',
    tests: [
      'test/output/test-connection.test.ts > asa-Z12: testConnection',
      `${CLI} > --test-connection writes nothing, and says what it found`,
    ],
  },
  {
    id: 'asa-Z13',
    feature: 'data error log and metrics',
    tests: [
      'test/output/error-policy.test.ts > asa-Z13: a bad row is a record of B.7 as a line of JSON, and the metrics know',
      'test/output/types/row-typer.test.ts > asa-Z13: deep inside is named by its path, and the row by number; the value is not in the message',
      `${CLI} > are told, counted and skipped`,
    ],
  },
]
