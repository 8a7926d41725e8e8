import type { Reader } from '../bytes/reader.ts'
import { partOf, type Layout, type Slot } from './layout.ts'
import { MAX_STRING_BYTES } from './schema.ts'

/**
 * Reads a struct; every slot of the layout is in the result.
 *
 * The bytes are hostile: nothing is allocated by a count that they cannot hold, and every loop consumes some of them.
 */
export function decodeFields(layout: Layout, input: Reader): Record<string, unknown> {
  const fields: Record<string, unknown> = { ...layout.defaults } // one shape for all, and cheaper than field by field
  for (const slot of layout.body) fields[slot.name] = decodeValue(slot, input)
  if (layout.isFlexible) decodeTagged(layout.tagged, fields, input)
  return fields
}

/** Passes over the tagged fields of a struct that has none we know. */
export function skipTagged(input: Reader): void {
  decodeTagged([], {}, input)
}

/** Reads the tagged fields at the end of a struct into `fields`. Both sides are ascending, so this is a merge. */
function decodeTagged(slots: readonly Slot[], fields: Record<string, unknown>, input: Reader): void {
  const count = input.uvarint()
  if (count > input.remaining / 2) throw input.invalid(`${count} tagged fields in ${input.remaining} bytes`)
  let previousTag = -1
  let next = 0
  for (let i = 0; i < count; i++) {
    const tag = input.uvarint()
    if (tag <= previousTag) throw input.invalid(`tag ${tag} after tag ${previousTag}`)
    previousTag = tag
    const sizeBytes = input.uvarint()
    let slot = slots[next]
    while (slot && slot.tag < tag) slot = slots[++next]
    if (slot?.tag !== tag) {
      input.skip(sizeBytes)
      continue
    }
    const end = input.position + sizeBytes
    fields[slot.name] = decodeValue(slot, input)
    if (input.position !== end) throw input.invalid(`${slot.name}, of ${sizeBytes} bytes, does not end at byte ${end}`)
  }
}

function decodeValue(slot: Slot, input: Reader): unknown {
  switch (slot.kind) {
    case 'int32':
      return input.int32()
    case 'int16':
      return input.int16()
    case 'int64':
      return input.int64()
    case 'string': {
      const length = decodeLength(slot, input)
      if (length > MAX_STRING_BYTES) throw input.invalid(`${slot.name}: string of ${length} bytes`)
      return length === -1 ? null : input.utf8(length)
    }
    case 'records':
    case 'bytes': {
      const length = decodeLength(slot, input)
      return length === -1 ? null : input.bytes(length)
    }
    case 'array':
      return decodeArray(slot, input)
    case 'struct':
      return slot.isNullable && input.int8() < 0 ? null : decodeFields(partOf(slot.layout), input)
    case 'boolean':
      return input.int8() !== 0
    case 'uuid':
      return input.bytes(16).toString('base64url')
    case 'int8':
      return input.int8()
    case 'uint16':
      return input.uint16()
    case 'uint32':
      return input.uint32()
    case 'float64':
      return input.float64()
  }
}

function decodeArray(slot: Slot, input: Reader): unknown[] | null {
  const count = decodeLength(slot, input)
  if (count === -1) return null
  const element = partOf(slot.element)
  if (count * Math.max(element.minBytes, 1) > input.remaining) {
    throw input.invalid(`${slot.name}: ${count} elements in ${input.remaining} bytes`)
  }
  const values: unknown[] = []
  for (let i = 0; i < count; i++) values.push(decodeValue(element, input))
  return values
}

/** A length or count; -1 says null. */
function decodeLength(slot: Slot, input: Reader): number {
  const length = slot.isCompact ? input.uvarint() - 1 : slot.kind === 'string' ? input.int16() : input.int32()
  if (length < -1) throw input.invalid(`${slot.name}: negative length ${length}`)
  if (length === -1 && !slot.isNullable) throw input.invalid(`${slot.name}: null`)
  return length
}
