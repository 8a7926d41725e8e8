import type { Trail } from '../types/trail.ts'
import type { Row } from '../types/value.ts'
import { toAvro } from './avro-value.ts'
import type { Avsc, AvroType } from './avsc.ts'

/** Writes rows of one schema. */
export class AvroEncoder {
  readonly schema: string
  readonly #type: AvroType

  /** @throws {Error} of avsc: not a schema. */
  constructor(schema: string, avsc: Avsc) {
    this.schema = schema
    this.#type = avsc.parse(JSON.parse(schema))
  }

  /** @throws {ConversionError} and nothing else. */
  encode(row: Row, trail: Trail): Buffer {
    trail.restart()
    const value = toAvro(row, this.#type, trail)
    try {
      return this.#type.toBuffer(value)
    } catch {
      // Not expected after toAvro. The message of avsc would quote the value.
      trail.restart()
      throw trail.fail('row', 'avsc could not encode it with this schema')
    }
  }
}

/** Encoders of derived schemas, of which rows may bring many. */
export class AvroEncoders {
  readonly #avsc: Avsc
  readonly #known = new Map<string, AvroEncoder>()

  constructor(avsc: Avsc) {
    this.#avsc = avsc
  }

  get(schema: string): AvroEncoder {
    const known = this.#known.get(schema)
    if (known !== undefined) return known
    const encoder = new AvroEncoder(schema, this.#avsc)
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    this.#known.set(schema, encoder)
    return encoder
  }
}

const MAX_KNOWN = 100
