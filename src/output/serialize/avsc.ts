import { createRequire } from 'node:module'
import { OptionError } from '../../index.ts'
import { decodeLong, encodeLongBriefly, isInt64 } from './avro-long.ts'

/** What we use of a type of avsc 5.7. Written down here: headrace's own types must not need avsc's. */
export interface AvroType {
  readonly typeName: string
  readonly name?: string | undefined
  readonly branchName?: string | undefined
  /** Of a union. */
  readonly types?: readonly AvroType[]
  /** Of a record. */
  readonly fields?: readonly { readonly name: string; readonly type: AvroType; defaultValue(): unknown }[]
  /** Of an array. */
  readonly itemsType?: AvroType
  /** Of a map. */
  readonly valuesType?: AvroType
  /** Of an enum. */
  readonly symbols?: readonly string[]
  toBuffer(value: unknown): Buffer
  fromBuffer(bytes: Buffer): unknown
}

interface Package {
  readonly Type: { forSchema(schema: unknown, options: object): AvroType }
  readonly types: { readonly LongType: { __with(methods: object, noUnpack: boolean): AvroType } }
}

/** As `require`; tests bring their own. */
export type RequirePackage = (name: string) => unknown

const INSTALL = 'npm install avsc@5.7.9'

/** avsc, an optional peer, with a `long` of its own: avsc's is a JavaScript number and ends at 2^53. */
export class Avsc {
  readonly #package: Package
  readonly #long: AvroType

  /** @throws {OptionError} `CODEC_UNAVAILABLE` with the command that installs it. */
  constructor(requirePackage: RequirePackage = createRequire(import.meta.url)) {
    this.#package = load(requirePackage)
    this.#long = this.#package.types.LongType.__with(
      {
        toBuffer: encodeLongBriefly,
        fromBuffer: decodeLong,
        fromJSON: BigInt,
        toJSON: String,
        isValid: isInt64,
        compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1),
      },
      true,
    )
  }

  /** @throws {Error} of avsc: not a schema. */
  parse(schema: unknown): AvroType {
    const isLong = (it: unknown): boolean =>
      typeof it === 'object' && it !== null && (it as { type?: unknown }).type === 'long'
    return this.#package.Type.forSchema(schema, {
      registry: { long: this.#long },
      typeHook: (it: unknown) => (isLong(it) ? this.#long : undefined),
      omitRecordMethods: true,
    })
  }
}

function load(requirePackage: RequirePackage): Package {
  let loaded: unknown
  try {
    loaded = requirePackage('avsc')
  } catch (cause) {
    if ((cause as { code?: unknown } | null)?.code === 'MODULE_NOT_FOUND') {
      throw unavailable(`is not installed: ${INSTALL}`, cause)
    }
    // As where code generation from strings is forbidden: avsc compiles its record types.
    const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)
    throw unavailable(`cannot be loaded (${why}); ${INSTALL}`, cause)
  }
  const { Type, types } = loaded as Partial<Package>
  if (typeof Type?.forSchema === 'function' && typeof types?.LongType.__with === 'function') return { Type, types }
  throw unavailable(`is installed in a version that does not fit: ${INSTALL}`, undefined)
}

function unavailable(what: string, cause: unknown): OptionError {
  return new OptionError(
    'CODEC_UNAVAILABLE',
    `KafkaOutput: CODEC_UNAVAILABLE: serialization Avro needs the package avsc, which ${what}`,
    { cause },
  )
}
