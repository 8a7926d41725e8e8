/**
 * The vocabulary of message definitions: one definition per API, for every version and both directions.
 *
 * A schema is frozen data. The codec interprets it, tests derive values from it and compare it field by field with
 * Kafka's own JSON definitions, so the modifiers carry that format's meaning: versions are inclusive, a field that a
 * version lacks reads as its default, and a default that is not given is the zero of the type.
 */

export type Primitive =
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'float64'
  | 'boolean'
  | 'string'
  | 'bytes'
  | 'records'
  | 'uuid'

export interface ArrayType {
  readonly kind: 'array'
  readonly element: FieldType
}

export interface StructType {
  readonly kind: 'struct'
  readonly fields: Fields
}

export type FieldType = { readonly kind: Primitive } | ArrayType | StructType

export interface FieldSpec<Value = unknown> {
  readonly type: FieldType
  /** What a version without this field reads as; never sent for a tagged field. */
  readonly defaultValue: Value
  /** An encoder's caller may leave the field out: it has a default of its own, or some version lacks it. */
  readonly mayBeOmitted: boolean
  /** First and last version that have the field. */
  readonly since: number
  readonly until: number
  /** First version in which null is legal; Infinity: none. */
  readonly nullableSince: number
  /** Number among the tagged fields of its struct, or null for a field that has its fixed place. */
  readonly tag: number | null
  /** Dropped without an error when a version cannot carry it. */
  readonly isIgnorable: boolean
}

/** The kinds that Kafka has a null of: FieldType.canBeNullable of its message generator. */
const canBeNull: ReadonlySet<FieldType['kind']> = new Set(['string', 'bytes', 'records', 'array', 'struct'] as const)

/** Carries types through a `Field`; has no value at run time. */
declare const types: unique symbol

/** One field of a message. Modifiers give a new field; the constants below are the types to start from. */
export class Field<Value = unknown, Input = unknown, Optional extends boolean = boolean> {
  declare readonly [types]?: { readonly value: Value; readonly input: Input; readonly optional: Optional }
  readonly spec: FieldSpec<Value>

  /** @throws {TypeError} null for a type of fixed size, which has no bytes to say it with. */
  constructor(spec: FieldSpec<Value>) {
    if (spec.nullableSince !== Infinity && !canBeNull.has(spec.type.kind)) {
      throw new TypeError(`${spec.type.kind} cannot be nullable`)
    }
    this.spec = Object.freeze(spec)
    Object.freeze(this)
  }

  /** Null is legal, from `sinceVersion` on. The default stays what it was. */
  nullable(sinceVersion = 0): Field<Value | null, Input | null, Optional> {
    return new Field<Value | null, Input | null, Optional>({ ...this.spec, nullableSince: sinceVersion })
  }

  /** Added in version `since`. */
  since(since: number, defaultValue: Value = this.spec.defaultValue): Field<Value, Input, true> {
    return new Field<Value, Input, true>({ ...this.spec, since, defaultValue, mayBeOmitted: true })
  }

  /** Removed after version `until`. */
  until(until: number): Field<Value, Input, true> {
    return new Field<Value, Input, true>({ ...this.spec, until, mayBeOmitted: true })
  }

  /** Added in version `since` as a tagged field: it takes room only where it is not the default. */
  tagged(tag: number, since: number, defaultValue: Value = this.spec.defaultValue): Field<Value, Input, true> {
    return new Field<Value, Input, true>({ ...this.spec, tag, since, defaultValue, mayBeOmitted: true })
  }

  ignorable(): Field<Value, Input, Optional> {
    return new Field<Value, Input, Optional>({ ...this.spec, isIgnorable: true })
  }

  default(defaultValue: Value): Field<Value, Input, true> {
    return new Field<Value, Input, true>({ ...this.spec, defaultValue, mayBeOmitted: true })
  }
}

/** The fields of a struct, in the order of the wire. */
export type Fields = Readonly<Record<string, Field>>

type ValueOf<F> = F extends Field<infer Value> ? Value : never
type InputOf<F> = F extends Field<unknown, infer Input> ? Input : never
type OmittableKey<F extends Fields> = {
  [K in keyof F]: F[K] extends Field<unknown, unknown, true> ? K : never
}[keyof F]

/** What decoding gives: every field of every version is there. */
export type Infer<F extends Fields> = { readonly [K in keyof F]: ValueOf<F[K]> }

/** What encoding takes: fields that have a default, or that some version lacks, may be left out. */
export type Input<F extends Fields> = { readonly [K in Exclude<keyof F, OmittableKey<F>>]: InputOf<F[K]> } & {
  readonly [K in OmittableKey<F>]?: InputOf<F[K]> | undefined
}

/** One API of the protocol. `flexibleFrom` is its first version with compact types and tagged fields; Infinity: none. */
export interface Api<Name extends string = string, Request extends Fields = Fields, Response extends Fields = Fields> {
  readonly name: Name
  readonly key: number
  readonly minVersion: number
  readonly maxVersion: number
  readonly flexibleFrom: number
  readonly request: Request
  readonly response: Response
}

/** The longest string that Kafka reads, in UTF-8, also where the length has room for more. */
export const MAX_STRING_BYTES = 0x7fff

/** The body of a request as an encoder takes it, and of a response as a decoder gives it. */
export type RequestInput<A extends Api> = Input<A['request']>
export type ResponseOf<A extends Api> = Infer<A['response']>

/** Kafka's text form of the id that stands for no id. */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

export const int8 = primitive('int8', 0)
export const int16 = primitive('int16', 0)
export const uint16 = primitive('uint16', 0)
export const int32 = primitive('int32', 0)
export const uint32 = primitive('uint32', 0)
export const int64 = primitive('int64', 0n)
export const float64 = primitive('float64', 0)
export const boolean = primitive('boolean', false)
export const string = primitive('string', '')
/** Decoded bytes are a view of the message, not a copy. */
export const bytes = primitive<Uint8Array>('bytes', Buffer.alloc(0))
/** Record batches: bytes that the encoder passes along by reference. */
export const records = primitive<Uint8Array>('records', Buffer.alloc(0))
/** 16 bytes, as Kafka's 22 characters of base64url. */
export const uuid = primitive('uuid', ZERO_UUID)

export function struct<const F extends Fields>(fields: F): Field<Infer<F>, Input<F>, false> {
  const defaults = Object.entries(fields).map(([name, field]) => [name, field.spec.defaultValue] as const)
  // Shared by every message that lacks the struct, therefore frozen.
  const defaultValue = Object.freeze(Object.fromEntries(defaults)) as Infer<F>
  return field({ kind: 'struct', fields: Object.freeze(fields) }, defaultValue)
}

/** An array of a field's type, or of the struct that `element` lists the fields of. */
export function array<Value, In>(element: Field<Value, In, false>): Field<readonly Value[], readonly In[], false>
export function array<const F extends Fields>(element: F): Field<readonly Infer<F>[], readonly Input<F>[], false>
export function array(element: Field | Fields): Field<readonly unknown[], readonly unknown[], false> {
  const { type } = element instanceof Field ? element.spec : struct(element).spec
  return field({ kind: 'array', element: type }, Object.freeze([]))
}

export function api<
  const Name extends string,
  const Request extends Fields,
  const Response extends Fields,
>(definition: {
  readonly name: Name
  readonly key: number
  readonly versions: readonly [min: number, max: number]
  readonly flexible: number
  readonly request: Request
  readonly response: Response
}): Api<Name, Request, Response> {
  const { name, key, versions, flexible, request, response } = definition
  const [minVersion, maxVersion] = versions
  return Object.freeze({ name, key, minVersion, maxVersion, flexibleFrom: flexible, request, response })
}

function primitive<Value>(kind: Primitive, zero: Value): Field<Value, Value, false> {
  return field<Value, Value>({ kind }, zero)
}

function field<Value, In = Value>(type: FieldType, defaultValue: Value): Field<Value, In, false> {
  return new Field<Value, In, false>({
    type: Object.freeze(type),
    defaultValue,
    mayBeOmitted: false,
    since: 0,
    until: Infinity,
    nullableSince: Infinity,
    tag: null,
    isIgnorable: false,
  })
}
