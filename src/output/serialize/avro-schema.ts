import type { AvroShape, RecordShape } from './avro-shape.ts'

/**
 * The schema of rows of a shape, as JSON: a record named `Row` of `["null", T]`, fields in the order of the columns
 * (B.9 item 4).
 *
 * Nested records are named after where they are, as namespaces (`Row.machine`, `Row.readings.item`), so that no two
 * share a name. Where only null was seen the type is `["null"]`.
 */
export function schemaJson(shape: RecordShape): string {
  return JSON.stringify(recordSchema(shape, 'Row', null))
}

function recordSchema(shape: RecordShape, name: string, namespace: string | null): object {
  const inner = namespace === null ? name : `${namespace}.${name}`
  const fields = shape.names.map((field, index) => ({
    name: field,
    type: nullable(shape.fields[index] ?? 'unknown', field, inner),
    default: null,
  }))
  return { type: 'record', name, ...(namespace === null ? {} : { namespace }), fields }
}

function nullable(shape: AvroShape, name: string, namespace: string): unknown[] {
  if (shape === 'unknown') return ['null']
  if (typeof shape === 'string') return ['null', shape]
  if (shape.kind === 'record') return ['null', recordSchema(shape, name, namespace)]
  return ['null', { type: 'array', items: nullable(shape.items, 'item', `${namespace}.${name}`) }]
}
