/**
 * Our schemas beside Kafka's own definitions, field by field. The newest Kafka decides; of versions that it has dropped,
 * an older one does.
 */
import { isDeepStrictEqual } from 'node:util'
import { layoutOf, type Direction, type Layout, type Slot } from '../../src/protocol/layout.ts'
import { ZERO_UUID, type Api, type Field, type Fields, type FieldType } from '../../src/protocol/schema.ts'
import {
  intersection,
  NEVER,
  spanOf,
  type FieldDefinition,
  type MessageDefinition,
  type VersionSpan,
} from './definitions.ts'

/** The definitions of one message; `older` for the versions that `newest` lacks. */
export interface KafkaDefinitions {
  readonly newest: MessageDefinition
  readonly older: MessageDefinition
}

type Structs = ReadonlyMap<string, { readonly span: VersionSpan; readonly fields: readonly FieldDefinition[] }>

/** Every difference as a line that says where it is and what each side has; none: the schema is Kafka's. */
export function schemaDifferences(api: Api, direction: Direction, { newest, older }: KafkaDefinitions): string[] {
  const where = `${api.name} ${direction}`
  const lines: string[] = []
  compare(lines, `${where}: key`, api.key, newest.apiKey)
  compare(lines, `${where}: flexible from`, api.flexibleFrom, flexibleFrom(newest))
  const dropped = droppedVersions(api, newest)
  const all = { min: api.minVersion, max: Infinity }
  const onlyOlder = dropped.length === 0 ? new Map<string, FieldDefinition>() : fieldsBefore(older, newest)
  const struct = { fields: newest.fields, structs: structsOf(newest), span: all, onlyOlder }
  compareStruct(lines, where, api[direction], struct)
  for (const version of dropped) {
    if (version >= api.flexibleFrom !== version >= flexibleFrom(older))
      lines.push(`${where}: flexible from, by the older Kafka`)
    const ours = shapeOfLayout(layoutOf(api, direction, version))
    const theirs = shapeOfDefinition(older.fields, structsOf(older), version)
    if (!isDeepStrictEqual(ours, theirs))
      compare(lines, `${where}: v${version}`, JSON.stringify(ours), JSON.stringify(theirs))
  }
  return lines
}

/** Our versions that the newest Kafka lacks at the low end. */
export function droppedVersions(api: Api, newest: MessageDefinition): number[] {
  const { min } = spanOf(newest.validVersions)
  return Array.from({ length: Math.max(0, min - api.minVersion) }, (_, i) => api.minVersion + i)
}

export function flexibleFrom({ flexibleVersions = 'none' }: Partial<MessageDefinition>): number {
  return spanOf(flexibleVersions).min
}

interface StructToCompare {
  readonly fields: readonly FieldDefinition[]
  readonly structs: Structs
  /** The versions that the struct itself is there in. */
  readonly span: VersionSpan
  /** Fields by name that the dropped versions have, cut to those: the newest Kafka may not know them. */
  readonly onlyOlder: ReadonlyMap<string, FieldDefinition>
}

function compareStruct(lines: string[], where: string, ours: Fields, struct: StructToCompare): void {
  const { fields, onlyOlder } = struct
  const theirNames = fields.map(({ name }) => lowerFirst(name))
  const ourNames = Object.keys(ours)
  const shared = ourNames.filter((name) => theirNames.includes(name) || !onlyOlder.has(name))
  compare(lines, `${where}: fields in order`, shared.join(' '), theirNames.join(' '))
  for (const theirs of fields) {
    const name = lowerFirst(theirs.name)
    const field = ours[name]
    if (field !== undefined) compareField(lines, `${where} ${name}`, field, theirs, struct)
  }
  for (const name of ourNames.filter((known) => !theirNames.includes(known))) {
    const [field, theirs] = [ours[name], onlyOlder.get(name)]
    if (field && theirs) compareField(lines, `${where} ${name}`, field, theirs, struct)
  }
}

function compareField(
  lines: string[],
  where: string,
  { spec }: Field,
  theirs: FieldDefinition,
  { structs, span, onlyOlder }: StructToCompare,
): void {
  const kafka = intersection(spanOf(theirs.versions), span)
  const ours = intersection({ min: spec.since, max: spec.until }, span)
  compare(lines, `${where}: versions`, text(ours), text(kafka))

  const ourNull = intersection({ min: spec.nullableSince, max: Infinity }, ours)
  const theirNull = intersection(spanOf(theirs.nullableVersions ?? 'none'), kafka)
  compare(lines, `${where}: null in`, text(ourNull), text(theirNull))

  const theirTagged = intersection(spanOf(theirs.taggedVersions ?? 'none'), kafka)
  compare(lines, `${where}: tagged in`, text(spec.tag === null ? NEVER : ours), text(theirTagged))
  compare(lines, `${where}: tag`, spec.tag, theirs.tag ?? null)
  compare(lines, `${where}: ignorable`, spec.isIgnorable, theirs.ignorable ?? false)
  if (theirs.flexibleVersions !== undefined)
    lines.push(`${where}: has flexibleVersions of its own, which we cannot say`)

  const isEverywhere = isDeepStrictEqual(kafka, span)
  compare(lines, `${where}: may be left out`, spec.mayBeOmitted, theirs.default !== undefined || !isEverywhere)
  const inner = insideOf(theirs, structs)
  compare(lines, `${where}: type`, typeText(spec.type), typeTextOf(theirs.type, inner !== undefined))
  if (spec.mayBeOmitted && !theirs.type.startsWith('[]') && inner !== undefined) {
    // A struct's default is that of its fields, which are compared one by one.
    if (theirs.default !== undefined) lines.push(`${where}: a struct with a default of its own, which we cannot say`)
  } else if (theirs.type !== 'records') {
    compare(lines, `${where}: default`, defaultText(spec.defaultValue), defaultTextOf(theirs))
  }
  const innermost = spec.type.kind === 'array' ? spec.type.element : spec.type
  if (inner !== undefined && innermost.kind === 'struct') {
    const part = { fields: inner.fields, structs, span: intersection(inner.span, kafka), onlyOlder }
    compareStruct(lines, where, innermost.fields, part)
  }
}

function structsOf(definition: MessageDefinition): Structs {
  const all = { min: 0, max: Infinity }
  const structs = new Map<string, { span: VersionSpan; fields: readonly FieldDefinition[] }>()
  for (const { name, versions, fields } of definition.commonStructs ?? []) {
    structs.set(name, { span: intersection(spanOf(versions), all), fields })
  }
  return structs
}

/** What a field of a struct type, or of an array of it, holds. */
function insideOf(field: FieldDefinition, structs: Structs): ReturnType<Structs['get']> {
  if (field.fields !== undefined) return { span: { min: 0, max: Infinity }, fields: field.fields }
  return structs.get(field.type.replace('[]', ''))
}

/** The fields of `older`, at any depth, as far as they are in versions that `newest` lacks at the low end. */
function fieldsBefore(older: MessageDefinition, newest: MessageDefinition): Map<string, FieldDefinition> {
  const before = { min: 0, max: spanOf(newest.validVersions).min - 1 }
  const found = new Map<string, FieldDefinition>()
  const walk = (fields: readonly FieldDefinition[]): void => {
    for (const field of fields) {
      const versions = text(intersection(spanOf(field.versions), before))
      if (versions === 'none') continue
      found.set(lowerFirst(field.name), { ...field, versions })
      walk(insideOf(field, structsOf(older))?.fields ?? [])
    }
  }
  walk(older.fields)
  return found
}

/** A field as one version has it: name, type, whether null is legal, default and whether it may be lost, and its parts. */
type Shape = readonly [name: string, type: string, isNullable: boolean, tag: number, parts: readonly Shape[]]

function shapeOfLayout({ body, tagged }: Layout): Shape[] {
  return [...body, ...tagged].map(shapeOfSlot)
}

function shapeOfSlot(slot: Slot): Shape {
  const inner = slot.element ?? slot
  const type = slot.element === null ? slot.kind : `[]${slot.element.kind}`
  return [slot.name, type, slot.isNullable, slot.tag, inner.layout === null ? [] : shapeOfLayout(inner.layout)]
}

function shapeOfDefinition(fields: readonly FieldDefinition[], structs: Structs, version: number): Shape[] {
  const isIn = (versions = 'none') => spanOf(versions).min <= version && version <= spanOf(versions).max
  const present = fields.filter(({ versions }) => isIn(versions))
  const shapes = present.map((field): Shape => {
    const inner = insideOf(field, structs)
    const parts = inner === undefined ? [] : shapeOfDefinition(inner.fields, structs, version)
    const tag = isIn(field.taggedVersions) ? (field.tag ?? -1) : -1
    return [
      lowerFirst(field.name),
      typeTextOf(field.type, inner !== undefined),
      isIn(field.nullableVersions),
      tag,
      parts,
    ]
  })
  const tagged = shapes.filter(([, , , tag]) => tag >= 0).sort((a, b) => a[3] - b[3])
  return [...shapes.filter(([, , , tag]) => tag < 0), ...tagged]
}

function typeText(type: FieldType): string {
  return type.kind === 'array' ? `[]${typeText(type.element)}` : type.kind
}

function typeTextOf(type: string, isStruct: boolean): string {
  if (type.startsWith('[]')) return `[]${typeTextOf(type.slice(2), isStruct)}`
  return isStruct ? 'struct' : type === 'bool' ? 'boolean' : type
}

function defaultText(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'empty' : 'not empty'
  if (value instanceof Uint8Array) return value.length === 0 ? 'empty' : 'not empty'
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

/** Kafka writes defaults as JSON of their type or as text, and the zero of a type not at all. */
function defaultTextOf({ type, default: given }: FieldDefinition): string {
  if (given === 'null' || given === null) return 'null'
  if (type.startsWith('[]') || type === 'bytes') return given === undefined || given === '' ? 'empty' : 'not empty'
  if (type === 'string') return JSON.stringify(given ?? '')
  if (type === 'uuid') return JSON.stringify(given ?? ZERO_UUID)
  if (type === 'bool') return given === true || given === 'true' ? 'true' : 'false'
  return given === undefined ? '0' : String(BigInt(given as string | number))
}

function text({ min, max }: VersionSpan): string {
  if (min > max) return 'none'
  return max === Infinity ? `${min}+` : min === max ? `${min}` : `${min}-${max}`
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}

function compare(lines: string[], what: string, ours: string | number | boolean | null, kafka: typeof ours): void {
  if (ours !== kafka) lines.push(`${what}: ours ${String(ours)}, Kafka ${String(kafka)}`)
}
