import fc, { type Arbitrary } from 'fast-check'
import type { Api, Field, Fields, FieldType, Infer } from '../../src/protocol/schema.ts'
import type { Direction } from '../../src/protocol/layout.ts'

/** Any body that `version` can carry: what the version lacks has its default. */
export function bodies<A extends Api, D extends Direction>(
  api: A,
  direction: D,
  version: number,
): Arbitrary<Infer<A[D]>> {
  return structs(api[direction], version) as Arbitrary<Infer<A[D]>>
}

/** Every version that a schema describes, as `[version]`. */
export function versionsOf(api: Api): number[] {
  return Array.from({ length: api.maxVersion - api.minVersion + 1 }, (_, i) => api.minVersion + i)
}

function structs(fields: Fields, version: number): Arbitrary<Record<string, unknown>> {
  const entries = Object.entries(fields).map(([name, field]) => [name, values(field, version)] as const)
  return fc.record(Object.fromEntries(entries), { noNullPrototype: true })
}

function values({ spec }: Field, version: number): Arbitrary<unknown> {
  if (version < spec.since || version > spec.until) return fc.constant(spec.defaultValue)
  const plain = typed(spec.type, version)
  const nullable = version >= spec.nullableSince ? fc.option(plain, { freq: 4 }) : plain
  return fc.oneof(
    { weight: 4, arbitrary: nullable },
    { weight: spec.tag === null ? 0 : 2, arbitrary: fc.constant(spec.defaultValue) },
  )
}

function integers(min: number, max: number): Arbitrary<number> {
  return fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, -1 < min ? min : -1, 0, max))
}

function bigints(): Arbitrary<bigint> {
  const [min, max] = [-(2n ** 63n), 2n ** 63n - 1n]
  return fc.oneof(fc.bigInt({ min, max }), fc.constantFrom(min, -1n, 0n, max))
}

function typed(type: FieldType, version: number): Arbitrary<unknown> {
  switch (type.kind) {
    case 'array': {
      const short = fc.array(typed(type.element, version), { maxLength: 4 })
      if (type.element.kind === 'struct') return short
      const long = fc.tuple(typed(type.element, version), fc.integer({ min: 125, max: 129 }))
      // Both sides of the length at which a compact count takes a second byte.
      const longs = long.map(([element, count]) => Array.from({ length: count }, () => element))
      return fc.oneof({ weight: 12, arbitrary: short }, { weight: 1, arbitrary: longs })
    }
    case 'struct':
      return structs(type.fields, version)
    case 'int8':
      return integers(-0x80, 0x7f)
    case 'int16':
      return integers(-0x8000, 0x7fff)
    case 'uint16':
      return integers(0, 0xffff)
    case 'int32':
      return integers(-(2 ** 31), 2 ** 31 - 1)
    case 'uint32':
      return integers(0, 2 ** 32 - 1)
    case 'int64':
      return bigints()
    case 'float64':
      return fc.double()
    case 'boolean':
      return fc.boolean()
    case 'string':
      // Both sides of the lengths at which a compact length takes a second byte.
      return fc.oneof(
        fc.string({ unit: 'grapheme', maxLength: 20 }),
        fc.integer({ min: 125, max: 129 }).map((n) => 'x'.repeat(n)),
      )
    case 'bytes':
    case 'records':
      // Below and above the size from which the writer passes bytes along by reference.
      return fc
        .oneof(
          fc.uint8Array({ maxLength: 40 }),
          fc.integer({ min: 510, max: 514 }).map((n) => new Uint8Array(n).fill(n)),
        )
        .map((bytes) => Buffer.from(bytes))
    case 'uuid':
      return fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64url'))
  }
}
