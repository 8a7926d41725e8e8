import { Writer } from '../bytes/writer.ts'
import { ProtocolError } from '../errors.ts'
import { partOf, type Layout, type Slot } from './layout.ts'
import { MAX_STRING_BYTES } from './schema.ts'

const MAX_INT32 = 0x7fffffff
const UUID_TEXT = /^[\w-]{21}[AQgw]$/ // 16 bytes: the last character holds 2 bits only

/**
 * Writes a struct; `where` names the message in errors.
 *
 * Values are checked before they reach the writer: whatever a caller hands in, a wrong type or range is refused with
 * the path to it.
 */
export function encodeFields(layout: Layout, fields: unknown, out: Writer, where: string): void {
  encodeStruct(layout, fields, out, new Trail(where))
}

function encodeStruct(layout: Layout, value: unknown, out: Writer, trail: Trail): void {
  if (!isObject(value)) throw trail.refuse(describe(value), 'an object')
  for (const slot of layout.body) encodeField(slot, value[slot.name], out, trail)
  for (const slot of layout.refused) {
    const field = value[slot.name]
    if (isDefault(slot, field)) continue
    trail.enter(slot.name)
    throw trail.refuse(describe(field), `${describe(slot.defaultValue)}, for this version does not have the field`)
  }
  if (layout.isFlexible) encodeTagged(layout.tagged, value, out, trail)
}

/** A tagged field that has its default is not sent at all. */
function encodeTagged(slots: readonly Slot[], fields: Record<string, unknown>, out: Writer, trail: Trail): void {
  let count = 0
  for (const slot of slots) if (!isDefault(slot, fields[slot.name])) count++
  out.uvarint(count)
  if (count === 0) return
  for (const slot of slots) {
    const field = fields[slot.name]
    if (isDefault(slot, field)) continue
    const content = new Writer()
    encodeField(slot, field, content, trail)
    out.uvarint(slot.tag)
    out.uvarint(content.size)
    for (const chunk of content.chunks()) out.bytes(chunk)
  }
}

function encodeField(slot: Slot, value: unknown, out: Writer, trail: Trail): void {
  trail.enter(slot.name)
  encodeValue(slot, value === undefined && slot.mayBeOmitted ? slot.defaultValue : value, out, trail)
  trail.leave()
}

function encodeValue(slot: Slot, value: unknown, out: Writer, trail: Trail): void {
  switch (slot.kind) {
    case 'int32':
      out.int32(integer(value, -0x80000000, MAX_INT32, trail))
      break
    case 'int16':
      out.int16(integer(value, -0x8000, 0x7fff, trail))
      break
    case 'int64':
      out.int64(bigInteger(value, trail))
      break
    case 'string':
      encodeString(slot, value, out, trail)
      break
    case 'records':
    case 'bytes':
      encodeBytes(slot, value, out, trail)
      break
    case 'array':
      encodeArray(slot, value, out, trail)
      break
    case 'struct':
      if (slot.isNullable) out.int8(value === null ? -1 : 1)
      if (!slot.isNullable || value !== null) encodeStruct(partOf(slot.layout), value, out, trail)
      break
    case 'boolean':
      if (typeof value !== 'boolean') throw trail.refuse(describe(value), 'a boolean')
      out.int8(value ? 1 : 0)
      break
    case 'uuid':
      if (typeof value !== 'string' || !UUID_TEXT.test(value))
        throw trail.refuse(describe(value), 'a uuid as base64url')
      out.bytes(Buffer.from(value, 'base64url'))
      break
    case 'int8':
      out.int8(integer(value, -0x80, 0x7f, trail))
      break
    case 'uint16':
      out.uint16(integer(value, 0, 0xffff, trail))
      break
    case 'uint32':
      out.uint32(integer(value, 0, 0xffffffff, trail))
      break
    case 'float64':
      if (typeof value !== 'number') throw trail.refuse(describe(value), 'a number')
      out.float64(value)
      break
  }
}

function encodeString(slot: Slot, value: unknown, out: Writer, trail: Trail): void {
  if (value === null && slot.isNullable) {
    encodeLength(slot, -1, out)
    return
  }
  if (typeof value !== 'string') throw trail.refuse(describe(value), 'a string')
  const byteLength = Buffer.byteLength(value)
  if (byteLength > MAX_STRING_BYTES) throw trail.refuse(describe(value), `at most ${MAX_STRING_BYTES} bytes of UTF-8`)
  // UTF-8 has no lone surrogates: they would arrive as U+FFFD, without a word.
  if (byteLength !== value.length && /\p{Surrogate}/u.test(value)) throw trail.refuse(describe(value), 'Unicode text')
  encodeLength(slot, byteLength, out)
  out.utf8(value, byteLength)
}

function encodeBytes(slot: Slot, value: unknown, out: Writer, trail: Trail): void {
  if (value === null && slot.isNullable) {
    encodeLength(slot, -1, out)
    return
  }
  // Named by its type only: the value may be a record or a credential.
  if (!(value instanceof Uint8Array)) throw trail.refuse(`of type ${typeof value}`, 'bytes')
  if (value.byteLength > MAX_INT32) throw trail.refuse(`${value.byteLength} bytes`, `at most ${MAX_INT32} bytes`)
  encodeLength(slot, value.byteLength, out)
  out.bytes(value)
}

function encodeArray(slot: Slot, value: unknown, out: Writer, trail: Trail): void {
  if (value === null && slot.isNullable) {
    encodeLength(slot, -1, out)
    return
  }
  if (!Array.isArray(value)) throw trail.refuse(describe(value), 'an array')
  if (value.length > MAX_INT32) throw trail.refuse(describe(value), `at most ${MAX_INT32} elements`)
  encodeLength(slot, value.length, out)
  const element = partOf(slot.element)
  for (let i = 0; i < value.length; i++) {
    trail.enter(i)
    encodeValue(element, value[i], out, trail)
    trail.leave()
  }
}

/** A length or count; -1 says null. */
function encodeLength(slot: Slot, length: number, out: Writer): void {
  if (slot.isCompact) out.uvarint(length + 1)
  else if (slot.kind === 'string') out.int16(length)
  else out.int32(length)
}

function integer(value: unknown, min: number, max: number, trail: Trail): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  throw trail.refuse(describe(value), `an integer from ${min} to ${max}`)
}

function bigInteger(value: unknown, trail: Trail): bigint {
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) return value
  throw trail.refuse(describe(value), 'a bigint of 64 bits')
}

/** Whether a field can be left out: for a struct, whether all of its fields can. */
function isDefault(slot: Slot, value: unknown): boolean {
  if (value === undefined) return slot.mayBeOmitted
  if (value === slot.defaultValue) return true
  if (value === null || slot.defaultValue === null) return false
  if (slot.kind === 'array') return Array.isArray(value) && value.length === 0
  if (slot.kind === 'struct' && isObject(value)) {
    return partOf(slot.layout).slots.every((inner) => isDefault(inner, value[inner.name]))
  }
  return value instanceof Uint8Array && value.byteLength === 0
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** Where in a message the encoder is, for its errors: `topicData[3].name`. */
class Trail {
  readonly #where: string
  readonly #steps: (string | number)[] = []

  constructor(where: string) {
    this.#where = where
  }

  enter(step: string | number): void {
    this.#steps.push(step)
  }

  leave(): void {
    this.#steps.pop()
  }

  /** The error for a value that this place cannot hold; the caller throws it. */
  refuse(found: string, wanted: string): ProtocolError {
    const path = this.#steps.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('')
    const place = path.slice(1) || 'the body'
    return new ProtocolError(
      'NOT_REPRESENTABLE',
      `${this.#where}: NOT_REPRESENTABLE: ${place} is ${found}, must be ${wanted}`,
    )
  }
}

/** A value in few words, without what is inside of objects. */
function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}...` : value)
    case 'undefined':
      return 'missing'
    case 'object':
      if (value === null) return 'null'
      return Array.isArray(value) ? `an array of ${value.length}` : 'an object'
    case 'number':
    case 'boolean':
      return String(value)
    default:
      return `of type ${typeof value}${typeof value === 'bigint' ? ` (${String(value).slice(0, 32)})` : ''}`
  }
}
