import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32c } from '../../src/bytes/crc32c.ts'
import { ProtocolError } from '../../src/errors.ts'
import { decodeRecordBatch } from '../../src/protocol/record-batch.ts'
import { encodeRecordBatch } from '../../src/protocol/record-batch.ts'

interface SlowRecord {
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [string, string | null])[]
  readonly timestamp: bigint
  readonly offset: bigint
}

/**
 * A second decoder of record batches, as plain as the format's description and sharing nothing with the fast one: BigInt
 * everywhere, one byte at a time. It needs no trust in the other one, and is not meant to be quick.
 *
 * Source: the record batch layout in producer-semantics.md 3.18.
 */
class SlowBatch {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  decode(): SlowRecord[] {
    const baseOffset = this.#int(8)
    const length = Number(this.#int(4))
    if (length !== this.#bytes.length - 12) throw new Error('length')
    this.#int(4)
    if (this.#int(1) !== 2n) throw new Error('magic')
    if ((this.#int(4) & 0xffffffffn) !== BigInt(crc32c(this.#bytes, 21))) throw new Error('crc')
    const attributes = this.#int(2)
    if ((attributes & 7n) !== 0n) throw new Error('codec')
    const lastOffsetDelta = this.#int(4)
    const baseTimestamp = this.#int(8)
    const maxTimestamp = this.#int(8)
    this.#int(8)
    this.#int(2)
    this.#int(4)
    const count = this.#int(4)
    if (count < 1n || lastOffsetDelta !== count - 1n) throw new Error('count')
    const time = (attributes & 8n) === 0n ? null : maxTimestamp
    const records = Array.from({ length: Number(count > 1000n ? 1001n : count) }, (_, i) =>
      this.#record(BigInt(i), baseOffset, baseTimestamp, time),
    )
    if (this.#at !== this.#bytes.length) throw new Error('trailing')
    return records
  }

  #record(index: bigint, baseOffset: bigint, baseTimestamp: bigint, time: bigint | null): SlowRecord {
    const end = this.#varint(32) + BigInt(this.#at)
    this.#int(1)
    const timestamp = baseTimestamp + this.#varint(64)
    if (this.#varint(32) !== index) throw new Error('offset delta')
    const key = this.#text('hex')
    const value = this.#text('hex')
    const headerCount = this.#varint(32)
    if (headerCount < 0n) throw new Error('headers')
    const headers: [string, string | null][] = []
    for (let i = 0n; i < headerCount; i++) {
      const name = this.#text('utf8')
      if (name === null) throw new Error('header name')
      headers.push([name, this.#text('hex')])
    }
    if (BigInt(this.#at) !== end) throw new Error('record length')
    const at = time ?? timestamp
    if (at > BigInt(Number.MAX_SAFE_INTEGER) || at < BigInt(Number.MIN_SAFE_INTEGER)) throw new Error('timestamp')
    return { key, value, headers, timestamp: at, offset: baseOffset + index }
  }

  #text(encoding: 'hex' | 'utf8'): string | null {
    const length = this.#varint(32)
    if (length === -1n) return null
    if (length < 0n || length > BigInt(this.#bytes.length - this.#at)) throw new Error('text')
    const text = Buffer.from(this.#bytes.subarray(this.#at, this.#at + Number(length))).toString(encoding)
    this.#at += Number(length)
    return text
  }

  #int(size: number): bigint {
    let value = 0n
    for (let i = 0; i < size; i++) value = (value << 8n) | BigInt(this.#byte())
    return BigInt.asIntN(size * 8, value)
  }

  #varint(bits: 32 | 64): bigint {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = BigInt(this.#byte())
      value |= (byte & 0x7fn) << shift
      if (byte < 0x80n) break
      if (shift >= BigInt(bits)) throw new Error('varint')
    }
    if (value >= 1n << BigInt(bits)) throw new Error('varint')
    return (value >> 1n) ^ -(value & 1n)
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new Error('end')
    return byte
  }
}

const bytes = fc.uint8Array({ maxLength: 40 })
const record = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.array(fc.tuple(fc.string({ maxLength: 6 }), fc.option(bytes)), { maxLength: 3 }),
  timestamp: fc.oneof(fc.integer({ min: 0, max: 2 ** 31 }), fc.maxSafeNat()),
})

function fast(batch: Uint8Array): SlowRecord[] | null {
  try {
    const hex = (value: Buffer | null): string | null => value?.toString('hex') ?? null
    return decodeRecordBatch(batch).records.map(({ key, value, headers, timestamp, offset }) => ({
      key: hex(key),
      value: hex(value),
      headers: headers.map(([name, header]) => [name, hex(header)] as const),
      timestamp: BigInt(timestamp),
      offset,
    }))
  } catch (error) {
    if (error instanceof ProtocolError) return null
    throw error
  }
}

function slow(batch: Uint8Array): SlowRecord[] | null {
  try {
    return new SlowBatch(batch).decode()
  } catch {
    return null // whatever it met, it does not take the batch
  }
}

describe('two decoders of record batches', () => {
  it('agree on what was encoded', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 8 }), (records) => {
        const batch = encodeRecordBatch(records)
        const decoded = fast(batch)
        expect(decoded).not.toBeNull()
        expect(decoded).toEqual(slow(batch))
      }),
      { numRuns: 1000 },
    )
  })

  it('agree on whether to take a batch with changed bytes whose checksum is right, and on what is in it', () => {
    let taken = 0
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 3 }),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 2 }),
        (records, changes) => {
          const batch = Buffer.from(encodeRecordBatch(records))
          for (const [at, byte] of changes) batch[21 + (at % (batch.length - 21))] = byte
          batch.writeUInt32BE(crc32c(batch, 21), 17)
          const decoded = fast(batch)
          if (decoded !== null) taken++
          expect(decoded).toEqual(slow(batch))
        },
      ),
      { numRuns: 5000 },
    )
    expect(taken).toBeGreaterThan(100)
  })

  it('agree on a batch whose time the broker sets: what the records say of theirs is not looked at (found by CI)', () => {
    const timestamps = [0, 2 ** 48]
    const batch = Buffer.from(encodeRecordBatch(timestamps.map((timestamp) => ({ key: null, value: null, timestamp }))))
    batch.writeUInt16BE(8, 21) // LogAppendTime
    batch.writeBigInt64BE(BigInt(Number.MAX_SAFE_INTEGER), 27) // baseTimestamp: plus 2^48 is beyond what a number holds
    batch.writeUInt32BE(crc32c(batch, 21), 17)
    expect(fast(batch)).toHaveLength(2)
    expect(fast(batch)).toEqual(slow(batch))
  })
})
