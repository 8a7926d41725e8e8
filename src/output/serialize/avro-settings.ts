import { showOption, type CheckedOption } from '../types/column-type.ts'

export const avroFramings = ['container', 'raw', 'confluent'] as const
export type AvroFraming = (typeof avroFramings)[number]

/** The options that only Avro has, checked. */
export interface AvroSettings {
  readonly framing: AvroFraming
  /** A record schema as JSON; null: derived from the columns. */
  readonly schema: string | null
  /** Of `confluent`: the id under which the registry knows the schema. */
  readonly schemaId: number | null
}

const MAX_SCHEMA_ID = 2 ** 31 - 1

/** Checks `avroFraming`, `avroSchema` (JSON text or the object itself) and `schemaId`. */
export function checkAvroSettings(options: {
  avroFraming?: unknown
  avroSchema?: unknown
  schemaId?: unknown
}): CheckedOption<AvroSettings> {
  const problems: string[] = []
  const { avroFraming = 'container', avroSchema, schemaId } = options
  const framing = avroFramings.find((name) => typeof avroFraming === 'string' && name === avroFraming.toLowerCase())
  if (framing === undefined) {
    problems.push(`avroFraming: got ${showOption(avroFraming)}, expected one of ${avroFramings.join(', ')}`)
  }
  const isId = typeof schemaId === 'number' && Number.isInteger(schemaId) && schemaId >= 0 && schemaId <= MAX_SCHEMA_ID
  if (framing === 'confluent' ? !isId : schemaId !== undefined) {
    const expected =
      framing === 'confluent' ? `an integer, 0 to ${MAX_SCHEMA_ID}` : "nothing unless avroFraming is 'confluent'"
    problems.push(`schemaId: got ${showOption(schemaId)}, expected ${expected}`)
  }
  const schema = avroSchema === undefined ? null : recordSchema(avroSchema)
  if (schema === undefined) {
    problems.push(
      `avroSchema: got ${showOption(avroSchema)}, expected an Avro schema of a record, as an object or as JSON`,
    )
  }
  if (problems.length > 0 || framing === undefined || schema === undefined) return { problems }
  return { value: { framing, schema, schemaId: isId ? schemaId : null } }
}

/** @returns undefined: it is not the schema of a record. Whether it is a good one, avsc says. */
function recordSchema(given: unknown): string | undefined {
  try {
    const schema: unknown = typeof given === 'string' ? JSON.parse(given) : given
    const isRecord = typeof schema === 'object' && schema !== null && (schema as { type?: unknown }).type === 'record'
    return isRecord ? JSON.stringify(schema) : undefined
  } catch {
    return undefined
  }
}
