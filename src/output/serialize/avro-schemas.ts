import type { Column } from '../types/column-type.ts'
import type { Trail } from '../types/trail.ts'
import type { Row } from '../types/value.ts'
import type { AvroEncoder, AvroEncoders } from './avro-encoder.ts'
import { schemaJson } from './avro-schema.ts'
import {
  checkName,
  conforms,
  declaredShape,
  isRecord,
  recall,
  record,
  refineRecord,
  remember,
  shapeOf,
  type AvroShape,
  type RecordShape,
} from './avro-shape.ts'

/** Which schema a row is written with. */
export interface AvroSchemas {
  /** @throws {ConversionError} Avro cannot hold the row, or not any more. */
  choose(row: Row, trail: Trail): AvroChoice
}

export interface AvroChoice {
  readonly encoder: AvroEncoder
  /** Call it when the row could be encoded: what it brought is known from then on. */
  commit(): void
}

export function givenSchema(encoder: AvroEncoder): AvroSchemas {
  const choice: AvroChoice = { encoder, commit: () => undefined }
  return { choose: () => choice }
}

/** A row may bring so many names that it makes no sense to remember them all. */
const MAX_REMEMBERED_COLUMNS = 10_000

/**
 * For object containers: each row has the schema of its own columns, with the types that rows before it gave them. A
 * schema that does not change is found again by comparing, without deriving it.
 */
export class ChangingSchemas implements AvroSchemas {
  readonly #encoders: AvroEncoders
  readonly #declared: RecordShape
  #known: AvroShape
  #last: { readonly shape: RecordShape; readonly choice: AvroChoice } | null = null

  constructor(columns: readonly Column[], encoders: AvroEncoders) {
    this.#encoders = encoders
    this.#declared = declaredShape(columns)
    this.#known = this.#declared
  }

  choose(row: Row, trail: Trail): AvroChoice {
    const last = this.#last
    if (last !== null && conforms(last.shape, row)) return last.choice
    const own = withColumns(shapeOf(row, trail), this.#declared, trail)
    const shape = recall(own, this.#known) as RecordShape
    const choice: AvroChoice = {
      encoder: this.#encoders.get(schemaJson(shape)),
      commit: () => {
        if (this.#last?.choice === choice) return
        this.#last = { shape, choice }
        const known = remember(this.#known, shape)
        this.#known = isRecord(known) && known.names.length > MAX_REMEMBERED_COLUMNS ? shape : known
      },
    }
    return choice
  }
}

/** For raw and Confluent framing, whose readers have one schema: fixed by `columns`, or else by the first row. */
export class FixedSchema implements AvroSchemas {
  readonly #encoders: AvroEncoders
  readonly #declared: RecordShape
  #shape: RecordShape | null
  #choice: AvroChoice | null = null

  constructor(columns: readonly Column[], encoders: AvroEncoders) {
    this.#encoders = encoders
    this.#declared = declaredShape(columns)
    this.#shape = columns.length > 0 ? this.#declared : null
  }

  choose(row: Row, trail: Trail): AvroChoice {
    const fixed = this.#shape
    if (fixed !== null && this.#choice !== null && conforms(fixed, row)) return this.#choice
    const own = shapeOf(row, trail)
    const shape = fixed === null ? own : refineRecord(fixed, own, trail)
    if (fixed !== null) for (const name of fixed.names) checkColumnName(name, trail)
    const choice: AvroChoice = {
      encoder: this.#encoders.get(schemaJson(shape)),
      commit: () => {
        this.#shape = shape
        this.#choice = choice
      },
    }
    return choice
  }
}

/** The declared columns first, in their order, whether the row has them or not. */
function withColumns(own: RecordShape, declared: RecordShape, trail: Trail): RecordShape {
  if (declared.names.length === 0) return own
  for (const name of declared.names) checkColumnName(name, trail)
  const names = [...new Set([...declared.names, ...own.names])]
  return record(
    names,
    names.map((name) => own.fields[own.names.indexOf(name)] ?? 'unknown'),
  )
}

function checkColumnName(name: string, trail: Trail): void {
  trail.enter(name)
  checkName(name, trail)
  trail.leave()
}
