import { partOf, type Layout, type Slot } from '../../src/protocol/layout.ts'

/** A number in an input that decides about other bytes: a length, a count, a tag. Its bytes are `[at, at + size)`. */
export interface Site {
  readonly kind: 'int16' | 'int32' | 'uvarint' | 'varint'
  readonly at: number
  readonly size: number
}

/** The tagged fields at the end of a struct. */
export interface TagSection {
  readonly countAt: number
  readonly countSize: number
  readonly count: number
  /** From the tag to the end of its value. */
  readonly fields: readonly { readonly start: number; readonly end: number }[]
}

/** Where in an input the structure is, as far as it could be followed. */
export interface FieldMap {
  readonly sites: Site[]
  readonly tags: TagSection[]
}

/** Thrown inside of a map only: what follows cannot be understood. */
class Lost extends Error {}

/** Walks over bytes and notes what it finds; none of the decoders' code is in it, so it can be wrong on its own. */
class Mapper {
  readonly map: FieldMap = { sites: [], tags: [] }
  readonly bytes: Buffer
  at: number

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes
    this.at = at
  }

  skip(count: number): void {
    if (count < 0 || this.at < 0 || this.at + count > this.bytes.length) throw new Lost()
    this.at += count
  }

  uvarint(kind: 'uvarint' | 'varint' = 'uvarint'): number {
    const start = this.at
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      this.skip(1)
      const byte = this.bytes[this.at - 1]!
      value |= (byte & 0x7f) << shift
      if (byte >= 0x80) continue
      this.map.sites.push({ kind, at: start, size: this.at - start })
      return value >>> 0
    }
    throw new Lost()
  }

  varint(): number {
    const raw = this.uvarint('varint')
    return (raw >>> 1) ^ -(raw & 1)
  }

  fixed(kind: 'int16' | 'int32'): number {
    const at = this.at
    const size = kind === 'int16' ? 2 : 4
    this.skip(size)
    this.map.sites.push({ kind, at, size })
    return this.bytes.readIntBE(at, size)
  }

  struct(layout: Layout): void {
    for (const slot of layout.body) this.value(slot)
    if (layout.isFlexible) this.tagged(layout.tagged)
  }

  tagged(slots: readonly Slot[]): void {
    const countAt = this.at
    const count = this.uvarint()
    const countSize = this.at - countAt
    const fields: { start: number; end: number }[] = []
    for (let i = 0; i < count; i++) {
      const start = this.at
      const tag = this.uvarint()
      const size = this.uvarint()
      const end = this.at + size
      const known = slots.find((slot) => slot.tag === tag)
      if (known) this.value(known)
      this.at = end
      this.skip(0)
      fields.push({ start, end })
    }
    this.map.tags.push({ countAt, countSize, count, fields })
  }

  value(slot: Slot): void {
    switch (slot.kind) {
      case 'string':
      case 'records':
      case 'bytes':
        this.skip(Math.max(0, this.length(slot)))
        break
      case 'array': {
        const count = this.length(slot)
        for (let i = 0; i < count; i++) this.value(partOf(slot.element))
        break
      }
      case 'struct':
        if (slot.isNullable) {
          this.skip(1)
          if (this.bytes.readInt8(this.at - 1) < 0) return
        }
        this.struct(partOf(slot.layout))
        break
      default:
        this.skip(slot.minBytes)
    }
  }

  length(slot: Slot): number {
    return slot.isCompact ? this.uvarint() - 1 : this.fixed(slot.kind === 'string' ? 'int16' : 'int32')
  }
}

function mapped(bytes: Buffer, at: number, walk: (mapper: Mapper) => void): FieldMap {
  const mapper = new Mapper(bytes, at)
  try {
    walk(mapper)
  } catch (error) {
    if (!(error instanceof Lost)) throw error
  }
  return mapper.map
}

/** Of a body, after `start` bytes of something else. */
export function mapBody(layout: Layout, bytes: Buffer, start = 0): FieldMap {
  return mapped(bytes, start, (mapper) => mapper.struct(layout))
}

/** Of frames one after the other. */
export function mapFrames(bytes: Buffer): FieldMap {
  return mapped(bytes, 0, (mapper) => {
    while (mapper.at < bytes.length) mapper.skip(mapper.fixed('int32'))
  })
}

/** Of a request frame without its length, as far as the header goes. */
export function mapRequestHeader(bytes: Buffer): FieldMap {
  return mapped(bytes, 0, (mapper) => {
    mapper.fixed('int16')
    mapper.fixed('int16')
    mapper.skip(4)
    mapper.skip(Math.max(0, mapper.fixed('int16')))
  })
}

/** Of record batches one after the other; the records only where they are not compressed. */
export function mapBatches(bytes: Buffer): FieldMap {
  return mapped(bytes, 0, (mapper) => {
    while (mapper.at < bytes.length) {
      mapper.skip(8)
      const end = mapper.at + 4 + mapper.fixed('int32')
      mapper.skip(9)
      const attributes = mapper.fixed('int16')
      mapper.fixed('int32')
      mapper.skip(16 + 8 + 2 + 4)
      const count = mapper.fixed('int32')
      for (let i = 0; (attributes & 7) === 0 && i < count; i++) mapRecord(mapper)
      mapper.at = end
      mapper.skip(0)
    }
  })
}

function mapRecord(mapper: Mapper): void {
  mapper.varint()
  mapper.skip(1)
  mapper.varint() // the timestamp's delta, where it is short
  mapper.varint()
  mapper.skip(Math.max(0, mapper.varint()))
  mapper.skip(Math.max(0, mapper.varint()))
  const headers = mapper.varint()
  for (let i = 0; i < 2 * headers; i++) mapper.skip(Math.max(0, mapper.varint()))
}

/** Of a message set, whose wrappers stay closed. */
export function mapMessages(bytes: Buffer): FieldMap {
  return mapped(bytes, 0, (mapper) => {
    while (mapper.at < bytes.length) {
      mapper.skip(8)
      mapper.fixed('int32')
      mapper.skip(6)
      if (bytes[mapper.at - 2] === 1) mapper.skip(8)
      mapper.skip(Math.max(0, mapper.fixed('int32')))
      mapper.skip(Math.max(0, mapper.fixed('int32')))
    }
  })
}

/** Of what nobody has a map for. */
export function mapNothing(): FieldMap {
  return { sites: [], tags: [] }
}
