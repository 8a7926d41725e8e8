import type { Problems } from './problems.ts'
import { avroFramings, checkAvroSettings, type AvroSettings } from './serialize/avro-settings.ts'
import type { Newline } from './serialize/csv.ts'
import type { PackingLimits } from './serialize/message-packer.ts'
import { checkSerialization, type Serialization } from './serialize/serialization.ts'
import { checkColumns, type Column } from './types/column-type.ts'
import { isBlank } from './problems.ts'
import type { KafkaOutputOptions } from './output-options.ts'

/** How rows become messages. */
export interface ResolvedFormat extends PackingLimits {
  readonly serialization: Serialization
  readonly columns: readonly Column[]
  readonly header: boolean
  readonly newline: Newline
  readonly avro: AvroSettings
}

const DEFAULT_MAX_MESSAGE_BYTES = 1_000_000
/** A Kafka request is at most 100 MiB by a broker's default (`socket.request.max.bytes`). */
const MAX_MESSAGE_BYTES = 100 * 1024 * 1024
const MAX_ROWS = 1_000_000
const NO_AVRO: AvroSettings = { framing: avroFramings[0], schema: null, schemaId: null }
const ONLY_CSV = ['header', 'newline'] as const
const ONLY_AVRO = ['avroFraming', 'avroSchema', 'schemaId'] as const

type Given = Partial<Record<keyof KafkaOutputOptions, unknown>>

/** The properties that say how rows are written. */
export function resolveFormat(given: Given, problems: Problems): ResolvedFormat {
  const serialization = isBlank(given.serialization)
    ? missing(problems)
    : problems.take(checkSerialization(given.serialization))
  const columns = given.columns === undefined ? [] : (problems.take(checkColumns(given.columns)) ?? [])
  const avro = problems.take(checkAvroSettings(given)) ?? NO_AVRO
  if (serialization !== null) refuseForeign(given, serialization.type, problems)
  const maxMessageBytes = problems.int('maxMessageBytes', given.maxMessageBytes, {
    ...{ min: 1, max: MAX_MESSAGE_BYTES, fallback: DEFAULT_MAX_MESSAGE_BYTES },
  })
  const rowsPerMessage = problems.int('rowsPerMessage', given.rowsPerMessage, { min: 1, max: MAX_ROWS, fallback: 1 })
  if (rowsPerMessage > 1 && avro.framing !== 'container') {
    problems.refuse('rowsPerMessage', rowsPerMessage, `1: with avroFraming ${avro.framing} a message is one row`)
  }
  return {
    serialization: serialization ?? { type: 'Json', format: 'LineSeparated' },
    ...{ columns, avro, maxMessageBytes, rowsPerMessage },
    bytesPerMessage: problems.int('bytesPerMessage', given.bytesPerMessage, {
      ...{ min: 1, max: maxMessageBytes, fallback: maxMessageBytes },
    }),
    header: problems.bool('header', given.header, true),
    newline: checkNewline(given.newline, problems),
  }
}

function missing(problems: Problems): null {
  problems.add('serialization', 'required: one of Json, Csv, Avro, or the object of the REST API')
  return null
}

/** Whoever sets them believes that they do something. */
function refuseForeign(given: Given, type: Serialization['type'], problems: Problems): void {
  const foreign = [
    ...(type === 'Csv' ? [] : ONLY_CSV.map((name) => [name, 'Csv'] as const)),
    ...(type === 'Avro' ? [] : ONLY_AVRO.map((name) => [name, 'Avro'] as const)),
  ]
  for (const [name, of] of foreign) {
    if (!isBlank(given[name])) problems.add(name, `only serialization ${of} has it, and it is ${type}`)
  }
}

function checkNewline(value: unknown, problems: Problems): Newline {
  if (value === undefined || value === '\r\n') return '\r\n'
  if (value !== '\n') problems.refuse('newline', value, 'one of "\\r\\n", "\\n"')
  return '\n'
}
