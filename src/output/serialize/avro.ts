import { randomBytes } from 'node:crypto'
import { OptionError } from '../../index.ts'
import type { Column } from '../types/column-type.ts'
import { Trail } from '../types/trail.ts'
import type { Row } from '../types/value.ts'
import { BLOCK_BYTES, containerFile, containerHead, SYNC_BYTES } from './avro-container.ts'
import { AvroEncoder, AvroEncoders } from './avro-encoder.ts'
import { ChangingSchemas, FixedSchema, givenSchema, type AvroSchemas } from './avro-schemas.ts'
import { Avsc, type RequirePackage } from './avsc.ts'
import type { AvroSettings } from './avro-settings.ts'
import type { EncodedRow, MessageFormat } from './message-format.ts'

export interface AvroOptions extends AvroSettings {
  readonly columns: readonly Column[]
  readonly requirePackage?: RequirePackage
}

/** A message of rows that share a schema. */
interface AvroShapeOfMessage {
  readonly encoder: AvroEncoder
  readonly containerHead: Buffer
}

/**
 * Avro, one container a message, or one row a message as bare bytes or with Confluent's five bytes before them.
 *
 * The schema is given, or derived from the columns (`schemaJson`). Names that Avro does not allow are refused, not
 * changed: two columns could become one, and no consumer could tell which was meant.
 */
export class AvroFormat implements MessageFormat {
  readonly canPack: boolean
  readonly #framing: AvroSettings['framing']
  readonly #prefix: Buffer
  readonly #schemas: AvroSchemas
  readonly #trail = new Trail()
  readonly #syncMarker = randomBytes(SYNC_BYTES)
  #shape: AvroShapeOfMessage | null = null

  /** @throws {OptionError} avsc is not there, or `avroSchema` is no schema for rows. */
  constructor(options: AvroOptions) {
    const avsc = new Avsc(options.requirePackage)
    this.canPack = options.framing === 'container'
    this.#framing = options.framing
    this.#prefix = options.framing === 'confluent' ? confluentPrefix(options.schemaId ?? 0) : Buffer.alloc(0)
    this.#schemas = chooseSchemas(options, avsc)
  }

  /** The schema of the last row, as JSON: what a schema registry must know of `confluent`. */
  get schema(): string | null {
    return this.#shape?.encoder.schema ?? null
  }

  encodeRow(row: Row): EncodedRow {
    this.#trail.restart()
    const choice = this.#schemas.choose(row, this.#trail)
    const body = choice.encoder.encode(row, this.#trail)
    choice.commit()
    if (this.#shape?.encoder !== choice.encoder) {
      const head = this.canPack ? containerHead(choice.encoder.schema, this.#syncMarker) : Buffer.alloc(0)
      this.#shape = { encoder: choice.encoder, containerHead: head }
    }
    const bytes = this.#prefix.length === 0 ? body : Buffer.concat([this.#prefix, body])
    return { bytes, shape: this.#shape }
  }

  overhead(shape: unknown): { messageBytes: number; betweenBytes: number } {
    const { containerHead: head } = shape as AvroShapeOfMessage
    return { messageBytes: this.canPack ? head.length + BLOCK_BYTES : 0, betweenBytes: 0 }
  }

  assemble(rows: readonly EncodedRow[]): Uint8Array {
    const [first] = rows
    if (first === undefined) throw new RangeError('a message has at least one row')
    if (this.#framing !== 'container') return first.bytes
    return containerFile((first.shape as AvroShapeOfMessage).containerHead, rows, this.#syncMarker)
  }
}

/** Confluent's wire format: a zero, then the schema's id, big endian. */
function confluentPrefix(schemaId: number): Buffer {
  const prefix = Buffer.alloc(5)
  prefix.writeInt32BE(schemaId, 1)
  return prefix
}

function chooseSchemas({ schema, framing, columns }: AvroOptions, avsc: Avsc): AvroSchemas {
  if (schema !== null) return givenSchema(parseGiven(schema, avsc))
  const encoders = new AvroEncoders(avsc)
  return framing === 'container' ? new ChangingSchemas(columns, encoders) : new FixedSchema(columns, encoders)
}

function parseGiven(schema: string, avsc: Avsc): AvroEncoder {
  try {
    return new AvroEncoder(schema, avsc)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new OptionError('INVALID_OPTIONS', `KafkaOutput: INVALID_OPTIONS: avroSchema: not an Avro schema: ${why}`, {
      cause,
    })
  }
}
