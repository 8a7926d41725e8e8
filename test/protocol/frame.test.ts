import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProtocolError } from '../../src/errors.ts'
import { decodeResponseFrame, describePeer, encodeRequestFrame, FrameReader } from '../../src/protocol/frame.ts'
import { apiVersions } from '../../src/protocol/messages/api-versions.ts'
import { produce } from '../../src/protocol/messages/produce.ts'
import { golden } from '../support/golden.ts'

const CAP_BYTES = 1_000_000
const CORRELATION_HEX = '00000001'

function framed(payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(4 + payload.byteLength)
  frame.writeInt32BE(payload.byteLength)
  frame.set(payload, 4)
  return frame
}

function drain(reader: FrameReader): string[] {
  const frames: string[] = []
  for (let frame = reader.next(); frame; frame = reader.next()) frames.push(frame.toString('hex'))
  return frames
}

function cut(stream: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  let at = 0
  for (const size of sizes) chunks.push(stream.subarray(at, (at += size)))
  return [...chunks, stream.subarray(at)]
}

const invalidFrame = expect.objectContaining({ name: 'ProtocolError', code: 'INVALID_FRAME' }) as Error
const payloads = fc.array(fc.uint8Array({ minLength: 4, maxLength: 40 }), { maxLength: 12 })

describe('FrameReader', () => {
  it('gives the same frames however the stream is cut', () => {
    fc.assert(
      fc.property(payloads, fc.array(fc.nat(50), { maxLength: 40 }), fc.boolean(), (frames, sizes, isDrainedLate) => {
        const reader = new FrameReader(CAP_BYTES)
        const seen: string[] = []
        for (const chunk of cut(Buffer.concat(frames.map(framed)), sizes)) {
          reader.push(chunk)
          if (!isDrainedLate) seen.push(...drain(reader))
        }
        seen.push(...drain(reader))
        expect(seen).toEqual(frames.map((frame) => Buffer.from(frame).toString('hex')))
        expect(reader.peek()).toHaveLength(0)
      }),
    )
  })

  it('splits a chunk of 100 frames into views of it', () => {
    const chunk = Buffer.concat(Array.from({ length: 100 }, (_, i) => framed(Buffer.alloc(4 + i, i))))
    const reader = new FrameReader(CAP_BYTES)
    reader.push(chunk)
    let at = 0
    for (let i = 0; i < 100; i++) {
      const frame = reader.next()
      at += 4
      expect(frame).toHaveLength(4 + i)
      expect([frame?.buffer, frame?.byteOffset]).toEqual([chunk.buffer, chunk.byteOffset + at])
      at += 4 + i
    }
    expect(reader.next()).toBeNull()
  })

  it('puts a frame together that comes byte by byte, and shows its first eight bytes as they come', () => {
    const reader = new FrameReader(CAP_BYTES)
    const frame = framed(Buffer.from('00000007aabbcc', 'hex'))
    for (let i = 0; i < frame.length; i++) {
      expect(reader.next()).toBeNull()
      expect(reader.peek()).toEqual(frame.subarray(0, Math.min(i, 8)))
      reader.push(frame.subarray(i, i + 1))
    }
    expect(reader.next()?.toString('hex')).toBe('00000007aabbcc')
    expect(reader.peek()).toHaveLength(0)
  })

  it('refuses a length at its fourth byte, and goes on refusing', () => {
    const reader = new FrameReader(CAP_BYTES)
    reader.push(Buffer.from('ffffff', 'hex'))
    expect(reader.next()).toBeNull()
    reader.push(Buffer.from('ff', 'hex'))
    expect(() => reader.next()).toThrow('frame: INVALID_FRAME: a length of -1, must be 4 to 1000000 bytes')
    reader.push(framed(Buffer.alloc(10)))
    expect(() => reader.next()).toThrow(invalidFrame)
  })

  it('gives the good frames before a bad one', () => {
    const reader = new FrameReader(CAP_BYTES)
    reader.push(Buffer.concat([framed(Buffer.alloc(5)), Buffer.alloc(4)]))
    expect(reader.next()).toHaveLength(5)
    expect(() => reader.next()).toThrow(invalidFrame)
  })

  it('takes a frame of just the cap, which may change between frames', () => {
    const reader = new FrameReader(10)
    reader.push(framed(Buffer.alloc(10)))
    expect(reader.next()).toHaveLength(10)
    reader.capBytes = 9
    reader.push(framed(Buffer.alloc(10)))
    expect(() => reader.next()).toThrow(invalidFrame)
  })

  it('keeps the cap that a frame began with', () => {
    const reader = new FrameReader(10)
    const frame = framed(Buffer.alloc(10))
    reader.push(frame.subarray(0, 6))
    expect(reader.next()).toBeNull()
    reader.capBytes = 4
    reader.push(frame.subarray(6))
    expect(reader.next()).toHaveLength(10)
  })

  it('allocates nothing for a length that is only declared', () => {
    const before = process.memoryUsage()
    const readers = Array.from({ length: 100 }, () => {
      const reader = new FrameReader(2 ** 31 - 1)
      reader.push(Buffer.from('7fffffff00000001', 'hex'))
      expect(reader.next()).toBeNull()
      return reader
    })
    const after = process.memoryUsage()
    expect(readers).toHaveLength(100)
    expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(10_000_000)
  })

  it('takes 8 MB in chunks of 16 bytes in linear time', () => {
    const payload = Buffer.alloc(8_000_000, 5)
    const frame = framed(payload)
    const reader = new FrameReader(payload.length)
    const frames: Buffer[] = []
    for (let at = 0; at < frame.length; at += 16) {
      reader.push(frame.subarray(at, at + 16))
      const next = reader.next()
      if (next) frames.push(next)
    }
    expect(frames).toHaveLength(1)
    expect(frames[0]?.equals(payload)).toBe(true)
  })
})

describe('hostile answers to a first request', () => {
  /** `<len>` is the length that is right for what follows, `<len=n>` the length n, `<C>` the correlation id. */
  function bytesOf(template: string): Buffer {
    const hex = template.replaceAll('<C>', CORRELATION_HEX)
    const [, declared, rest] = /^(?:<len(?:=(\d+))?>)?(.*)$/.exec(hex)!
    const body = Buffer.from(rest!, 'hex')
    if (!template.startsWith('<')) return body
    const frame = framed(body)
    if (declared !== undefined) frame.writeInt32BE(Number(declared))
    return frame
  }

  it.each(golden.hostileFrames.vectors)('$name is a ProtocolError', ({ hex }) => {
    const reader = new FrameReader(100_000_000)
    reader.push(bytesOf(hex))
    expect(() => {
      const frame = reader.next()
      // What is left to wait for would be the fault of the test: every vector proves itself with the bytes it has.
      if (frame === null) throw new Error('no complete frame')
      // Version 3, where counts are compact, is for the vector without an end; the others are read as v0 as well.
      decodeResponseFrame(apiVersions, hex.includes('7fffffff') ? 0 : 3, frame)
    }).toThrow(ProtocolError)
  })

  it('names the peer by its first bytes', () => {
    const http = golden.hostileFrames.vectors.find(({ name }) => name.startsWith('HTTP'))!
    const reader = new FrameReader(100_000_000)
    reader.push(bytesOf(http.hex))
    expect(() => reader.next()).toThrow(invalidFrame)
    expect(describePeer(reader.peek())).toBe('http')
  })
})

describe('describePeer', () => {
  it.each([
    ['HTTP/1.1', 'http'],
    ['<html>', 'http'],
    ['<!DOCTYPE', 'http'],
    ['<!doctype', 'http'],
    ['\x15\x03\x03\x00\x02\x02\x46', 'tls'],
    ['\x16\x03\x01\x02\x00', 'tls'],
    ['\x15\x04', null],
    ['\x00\x00\x00\x20', null],
    ['HTT', null],
    ['', null],
  ])('%j is %s', (text, peer) => {
    expect(describePeer(Buffer.from(text, 'latin1'))).toBe(peer)
  })
})

describe('a request frame', () => {
  it('has record batches by reference and knows its size', () => {
    const records = new Uint8Array(1000).fill(1)
    const body = { acks: 1, timeoutMs: 1, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] }
    const { chunks, sizeBytes } = encodeRequestFrame(produce, 9, { correlationId: 1, clientId: null }, body)
    expect(chunks).toContain(records)
    const whole = Buffer.concat(chunks)
    expect([whole.length, whole.readInt32BE(0)]).toEqual([sizeBytes, sizeBytes - 4])
  })

  it('refuses a header that does not fit, by name', () => {
    const body = { acks: 1, timeoutMs: 1, topicData: [] }
    expect(() => encodeRequestFrame(produce, 9, { correlationId: 2 ** 31, clientId: null }, body)).toThrow(
      'Produce v9 request header: NOT_REPRESENTABLE: correlationId is 2147483648, must be an integer',
    )
    expect(() => encodeRequestFrame(produce, 9, { correlationId: 1, clientId: 'x'.repeat(40_000) }, body)).toThrow(
      'Produce v9 request header: NOT_REPRESENTABLE: clientId is',
    )
  })
})
