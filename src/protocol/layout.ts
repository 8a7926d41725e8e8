import { ProtocolError } from '../errors.ts'
import type { Api, Field, Fields, FieldType, Primitive } from './schema.ts'

/** A schema as one version sees it: every question about versions is answered, what is left is a walk over slots. */
export interface Layout {
  /** Compact lengths, and tagged fields at the end of every struct. */
  readonly isFlexible: boolean
  /** Every field of the schema, in the order of the wire. */
  readonly slots: readonly Slot[]
  /** Those of `slots` that have their fixed place in this version. */
  readonly body: readonly Slot[]
  /** Those of `slots` that are tagged in this version, tags ascending. */
  readonly tagged: readonly Slot[]
  /** Those of `slots` that this version lacks and that must not be lost: they must have their defaults. */
  readonly refused: readonly Slot[]
  /** Every field with its default: what a decoded struct starts as. */
  readonly defaults: Readonly<Record<string, unknown>>
  readonly minBytes: number
}

export interface Slot {
  readonly name: string
  readonly kind: Primitive | 'array' | 'struct'
  readonly place: 'body' | 'tagged' | 'absent'
  readonly tag: number
  readonly isNullable: boolean
  readonly isCompact: boolean
  readonly isIgnorable: boolean
  readonly mayBeOmitted: boolean
  readonly defaultValue: unknown
  /** What an array holds. */
  readonly element: Slot | null
  /** What a struct holds. */
  readonly layout: Layout | null
  /** The least that the value takes on the wire: bounds a hostile array count. */
  readonly minBytes: number
}

export type Direction = 'request' | 'response'

const cache = new WeakMap<Api, Record<Direction, Map<number, Layout>>>()

/** @throws {ProtocolError} `UNSUPPORTED_VERSION`: the schema does not describe this version. */
export function layoutOf(api: Api, direction: Direction, version: number): Layout {
  let layouts = cache.get(api)
  if (!layouts) cache.set(api, (layouts = { request: new Map(), response: new Map() }))
  let layout = layouts[direction].get(version)
  if (!layout) {
    checkVersion(api, version)
    layout = layOut(api[direction], version, version >= api.flexibleFrom)
    layouts[direction].set(version, layout)
  }
  return layout
}

/** The layout of `fields` in `version`. */
export function layOut(fields: Fields, version: number, isFlexible: boolean): Layout {
  const slots = Object.entries(fields).map(([name, field]) => slotOf(name, field, version, isFlexible))
  const body = slots.filter((slot) => slot.place === 'body')
  const tagged = slots.filter((slot) => slot.place === 'tagged').sort((a, b) => a.tag - b.tag)
  const refused = slots.filter((slot) => slot.place === 'absent' && !slot.isIgnorable)
  const defaults = Object.fromEntries(slots.map((slot) => [slot.name, slot.defaultValue]))
  const tagCountBytes = isFlexible ? 1 : 0
  const minBytes = body.reduce((sum, slot) => sum + slot.minBytes, tagCountBytes)
  return { isFlexible, slots, body, tagged, refused, defaults, minBytes }
}

/** What an array or struct slot holds inside; `layOut` gives it to every such slot. */
export function partOf<T>(inside: T | null): T {
  if (inside === null) throw new Error('a slot that should hold others holds nothing')
  return inside
}

function checkVersion({ name, minVersion, maxVersion }: Api, version: number): void {
  if (Number.isInteger(version) && version >= minVersion && version <= maxVersion) return
  throw new ProtocolError(
    'UNSUPPORTED_VERSION',
    `${name}: UNSUPPORTED_VERSION: version ${version} is not among ours, ${minVersion} to ${maxVersion}`,
  )
}

function slotOf(name: string, { spec }: Field, version: number, isFlexible: boolean): Slot {
  const isPresent = version >= spec.since && version <= spec.until
  return {
    ...shapeOf(spec.type, version, isFlexible, version >= spec.nullableSince),
    name,
    place: !isPresent ? 'absent' : spec.tag === null ? 'body' : 'tagged',
    tag: spec.tag ?? -1,
    isIgnorable: spec.isIgnorable,
    mayBeOmitted: spec.mayBeOmitted,
    defaultValue: spec.defaultValue,
  }
}

type Shape = Pick<Slot, 'kind' | 'isNullable' | 'isCompact' | 'element' | 'layout' | 'minBytes'>

function shapeOf(type: FieldType, version: number, isCompact: boolean, isNullable: boolean): Shape {
  const element = type.kind === 'array' ? elementOf(type.element, version, isCompact) : null
  const layout = type.kind === 'struct' ? layOut(type.fields, version, isCompact) : null
  const minBytes = layout ? (isNullable ? 1 : layout.minBytes) : minBytesOf(type.kind, isCompact)
  return { kind: type.kind, isNullable, isCompact, element, layout, minBytes }
}

/** An array's element is a slot without a name or a say in versions: elements are never null and never absent. */
function elementOf(type: FieldType, version: number, isCompact: boolean): Slot {
  return {
    ...shapeOf(type, version, isCompact, false),
    name: '',
    place: 'body',
    tag: -1,
    isIgnorable: false,
    mayBeOmitted: false,
    defaultValue: undefined,
  }
}

function minBytesOf(kind: Slot['kind'], isCompact: boolean): number {
  switch (kind) {
    case 'int8':
    case 'boolean':
      return 1
    case 'int16':
    case 'uint16':
      return 2
    case 'int32':
    case 'uint32':
      return 4
    case 'int64':
    case 'float64':
      return 8
    case 'uuid':
      return 16
    case 'string':
      return isCompact ? 1 : 2
    case 'bytes':
    case 'records':
    case 'array':
      return isCompact ? 1 : 4
    case 'struct':
      return 0 // its layout knows
  }
}
