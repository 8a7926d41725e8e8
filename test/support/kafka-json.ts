/**
 * Kafka's JSON form of messages (its `*JsonConverter` classes), as the golden vectors have it, to ours: int64 is a
 * number there, bytes are base64, records `hex:` text; fields that a version lacks are left out.
 */
import type { Fields, FieldType } from '../../src/protocol/schema.ts'

type Json = Readonly<Record<string, unknown>>

/** The body as decoding gives it: fields that the JSON leaves out have their defaults. */
export function decodedFromKafkaJson(fields: Fields, json: Json): Record<string, unknown> {
  return fromJson(fields, json, true)
}

/** The body as a caller of the encoder writes it: only what the JSON says. */
export function inputFromKafkaJson(fields: Fields, json: Json): Record<string, unknown> {
  return fromJson(fields, json, false)
}

function fromJson(fields: Fields, json: Json, isFilled: boolean): Record<string, unknown> {
  for (const name of Object.keys(json)) if (!(name in fields)) throw new Error(`no field ${name} in the schema`)
  const body: Record<string, unknown> = {}
  for (const [name, { spec }] of Object.entries(fields)) {
    if (name in json) body[name] = fromJsonValue(spec.type, json[name], isFilled)
    else if (isFilled) body[name] = spec.defaultValue
  }
  return body
}

function fromJsonValue(type: FieldType, value: unknown, isFilled: boolean): unknown {
  if (value === null) return null
  switch (type.kind) {
    case 'array':
      return (value as unknown[]).map((element) => fromJsonValue(type.element, element, isFilled))
    case 'struct':
      return fromJson(type.fields, value as Json, isFilled)
    case 'int64':
      return BigInt(value as number)
    case 'bytes':
      return Buffer.from(value as string, 'base64')
    case 'records':
      return Buffer.from((value as string).slice('hex:'.length), 'hex')
    default:
      return value
  }
}

/** The body as Kafka's own classes read it in `version`: JSON text, for int64 has more digits than a JavaScript number. */
export function toKafkaJson(fields: Fields, version: number, body: Json): string {
  const members: string[] = []
  for (const [name, { spec }] of Object.entries(fields)) {
    if (version < spec.since || version > spec.until) continue
    members.push(`${JSON.stringify(name)}:${toKafkaJsonValue(spec.type, version, body[name])}`)
  }
  return `{${members.join(',')}}`
}

function toKafkaJsonValue(type: FieldType, version: number, value: unknown): string {
  if (value === null) return 'null'
  switch (type.kind) {
    case 'array':
      return `[${(value as unknown[]).map((element) => toKafkaJsonValue(type.element, version, element)).join(',')}]`
    case 'struct':
      return toKafkaJson(type.fields, version, value as Json)
    case 'int64':
      return (value as bigint).toString()
    case 'bytes':
    case 'records':
      return `"${(value as Buffer).toString('base64')}"`
    default:
      return JSON.stringify(value)
  }
}
