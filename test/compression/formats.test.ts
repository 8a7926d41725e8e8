import { describe, expect, it } from 'vitest'
import { decompressGzip } from '../../src/compression/gzip-format.ts'
import { decompressLz4, lz4FrameForMagic0 } from '../../src/compression/lz4-format.ts'
import { loadCodec } from '../../src/compression/load-codec.ts'
import { decompressSnappy, frameXerial } from '../../src/compression/snappy-format.ts'
import { xxh32, xxh64 } from '../../src/compression/xxhash.ts'
import { decompressZstd } from '../../src/compression/zstd-format.ts'
import { golden } from '../support/golden.ts'
import { events, noise } from './inputs.ts'

const MIB = 1024 * 1024
const fromHex = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

const facts = golden as unknown as {
  lz4: {
    xxh32: { inputHex: string; hash: string }[]
    frames: { input: string; brokenKip57Checksum: boolean; hex: string }[]
  }
  snappyXerial: {
    header16Hex: string
    frames: { input: string; hex: string }[]
    rawSnappyAlsoAccepted: { input: string; hex: string }
  }
  codecMagic: { gzip: string; lz4Frame: string; zstd: string }
}

describe('xxHash', () => {
  it.each(facts.lz4.xxh32)('of $inputHex is $hash', ({ inputHex, hash }) => {
    expect(xxh32(fromHex(inputHex)).toString(16).padStart(8, '0')).toBe(hash)
  })

  it('of longer bytes is what the reference gives', () => {
    // xxhsum 0.8 of 'Nobody inspects the spammish repetition' (also in the documentation of python-xxhash).
    const spam = Buffer.from('Nobody inspects the spammish repetition')
    expect(xxh32(spam)).toBe(0xe2293b2f)
    expect(xxh64(spam)).toBe(0xfbcea83c8a378bf1n)
    expect(xxh64(Buffer.alloc(0))).toBe(0xef46db3751d8e999n)
    expect(xxh32(Buffer.concat([noise(3), spam]), 3)).toBe(0xe2293b2f)
  })
})

describe('gzip', () => {
  it('begins with its magic', () => {
    expect(Buffer.from(loadCodec('gzip').compressSync!(events(10))).toString('hex')).toContain(facts.codecMagic.gzip)
  })

  it('may have several members', () => {
    const { compressSync } = loadCodec('gzip')
    const two = Buffer.concat(['ab', 'cd'].map((part) => compressSync!(Buffer.from(part))))
    expect(text(decompressGzip(two, 4))).toBe('abcd')
    expect(() => decompressGzip(Buffer.concat([two, fromHex('00')]), 4)).toThrow('1 bytes after the last member')
  })
})

describe('snappy', () => {
  it.each(facts.snappyXerial.frames)('is framed as Xerial does: $input', ({ input, hex }) => {
    expect(Buffer.from(loadCodec('snappy').compressSync!(Buffer.from(input))).toString('hex')).toBe(hex)
    expect(text(decompressSnappy(fromHex(hex), 100))).toBe(input)
  })

  it('is read raw, too', () => {
    const { input, hex } = facts.snappyXerial.rawSnappyAlsoAccepted
    expect(text(decompressSnappy(fromHex(hex), 100))).toBe(input)
  })

  it('comes in blocks of 32 KiB', async () => {
    const codec = loadCodec('snappy')
    const bytes = noise(2 * 32_768 + 1)
    for (const framed of [codec.compressSync!(bytes), await codec.compress(bytes)]) {
      const frame = Buffer.from(framed)
      const sizes: number[] = []
      let at = 16
      for (; at < frame.length; at += 4 + frame.readInt32BE(at)) {
        sizes.push(decompressSnappy(frame.subarray(at + 4, at + 4 + frame.readInt32BE(at)), MIB).length)
      }
      expect([sizes, at]).toEqual([[32_768, 32_768, 1], frame.length])
    }
  })

  it('reads every kind of element', () => {
    // Copies with distances of 1, 2 and 4 bytes, all of which overlap themselves; literals with 0 to 4 bytes of length.
    for (const copy of ['15 03', '22 0300', '23 03000000']) {
      expect(text(decompressSnappy(fromHex(`0c 08 616263 ${copy}`), 99))).toBe('abcabcabcabc')
    }
    expect(text(decompressSnappy(fromHex('05 f0 00 61 0e 0100'), 99))).toBe('aaaaa')
    expect(text(decompressSnappy(fromHex('02 f4 0100 6162'), 99))).toBe('ab')
    expect(text(decompressSnappy(fromHex('02 f8 010000 6162'), 99))).toBe('ab')
    expect(text(decompressSnappy(fromHex('02 fc 01000000 6162'), 99))).toBe('ab')
  })

  it.each([
    ['a copy from before the start', '05 00 61 01 02', 'a copy from 2 bytes'],
    ['a copy from nowhere', '05 00 61 0e 0000', 'a copy from 0 bytes'],
    ['a literal that is not there', '05 10 61', 'a literal 5 bytes'],
    ['more than was announced', '01 04 6162', 'a literal 2 bytes'],
    ['less than was announced', '03 04 6162', '2 of 3 bytes'],
    ['4 GB in 2 bytes', 'ffffffff0f 00 61', '4294967295 bytes out of 2'],
    ['a framing of a later version', '82534e4150505900 00000002 00000002', 'version 2'],
    ['a block of negative length', '82534e4150505900 00000001 00000001 ffffffff', 'negative length'],
  ])('refuses %s', (_, hex, message) => {
    expect(() => decompressSnappy(fromHex(hex), MIB)).toThrow(message)
  })

  it('counts all blocks for the limit', () => {
    const block = fromHex('02 04 6162')
    const frame = frameXerial([block, block])
    expect(text(decompressSnappy(frame, 4))).toBe('abab')
    expect(() => decompressSnappy(frame, 3)).toThrow('more than 3 bytes')
  })
})

describe('lz4', () => {
  const [correct, broken] = [false, true].map((isBroken) =>
    fromHex(facts.lz4.frames.find(({ brokenKip57Checksum }) => brokenKip57Checksum === isBroken)!.hex),
  )

  it("is Kafka's frame, byte for byte", async () => {
    const codec = loadCodec('lz4')
    expect(Buffer.from(codec.compressSync!(Buffer.from('hello')))).toEqual(correct)
    expect(Buffer.from(await codec.compress(Buffer.from('hello')))).toEqual(correct)
  })

  it('has the checksum of then for magic 0, which a codec understands, for it is not told of magic (KIP-57)', () => {
    for (const codec of [loadCodec('lz4'), loadCodec({ codec: 'lz4', compress: () => correct! })]) {
      expect(text(codec.decompress(broken!, 5))).toBe('hello')
      expect(text(codec.decompress(correct!, 5))).toBe('hello')
      const neither = Buffer.from(broken!)
      neither[6]! ^= 1
      expect(() => codec.decompress(neither, 5)).toThrow('header checksum')
    }
  })

  it('has the checksum of then for magic 0, which is accepted only on demand', () => {
    expect(lz4FrameForMagic0(correct!)).toEqual(broken)
    expect(text(decompressLz4(broken!, 5, { allowKip57Checksum: true }))).toBe('hello')
    expect(text(decompressLz4(correct!, 5, { allowKip57Checksum: true }))).toBe('hello')
    expect(() => decompressLz4(broken!, 5)).toThrow('header checksum')
  })

  it.each([1000, 70_000, 300_000, MIB, 5 * MIB])('has independent blocks and a right header at %i bytes', (length) => {
    for (const bytes of [events(length), noise(length)]) {
      const frame = Buffer.from(loadCodec('lz4').compressSync!(bytes))
      expect(frame.toString('hex', 0, 5)).toBe(`${facts.codecMagic.lz4Frame}60`)
      expect(frame[6]).toBe((xxh32(frame, 4, 6) >>> 8) & 0xff)
      expect(Buffer.compare(decompressLz4(frame, length), bytes)).toBe(0)
    }
  })

  /** A frame with a correct header. */
  function frameOf(flags: number, descriptor: number, contentSize: string, rest: string): Buffer {
    const head = Buffer.concat([Buffer.of(flags, descriptor), fromHex(contentSize)])
    return Buffer.concat([fromHex('04224d18'), head, Buffer.of((xxh32(head) >>> 8) & 0xff), fromHex(rest)])
  }
  function le32(value: number): string {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(value)
    return bytes.toString('hex')
  }
  const hello = `05000080${Buffer.from('hello').toString('hex')}`
  const sum = le32(xxh32(Buffer.from('hello')))

  it('reads content sizes and checksums, and checks them', () => {
    expect(text(decompressLz4(frameOf(0x68, 0x40, '0500000000000000', `${hello}00000000`), 5))).toBe('hello')
    expect(() => decompressLz4(frameOf(0x68, 0x40, '0600000000000000', `${hello}00000000`), 9)).toThrow('header says 6')
    expect(text(decompressLz4(frameOf(0x64, 0x40, '', `${hello}00000000${sum}`), 5))).toBe('hello')
    expect(() => decompressLz4(frameOf(0x64, 0x40, '', `${hello}0000000000000000`), 5)).toThrow('checksum')
    expect(text(decompressLz4(frameOf(0x70, 0x40, '', `${hello}${sum}00000000`), 5))).toBe('hello')
    expect(() => decompressLz4(frameOf(0x70, 0x40, '', `${hello}0000000000000000`), 5)).toThrow('checksum')
  })

  it.each([
    [
      'a size beyond the limit before it reads a block',
      frameOf(0x68, 0x40, '0000000001000000', ''),
      'more than 1048576',
    ],
    ['dependent blocks, as Kafka does', frameOf(0x40, 0x40, '', `${hello}00000000`), 'flags 0x40'],
    ['a dictionary', frameOf(0x61, 0x40, '', `${hello}00000000`), 'flags 0x61'],
    ['another version', frameOf(0xa0, 0x40, '', `${hello}00000000`), 'flags 0xa0'],
    ['a block size that nobody has defined', frameOf(0x60, 0x30, '', `${hello}00000000`), 'descriptor 0x30'],
    ['a block over the frame’s own size', frameOf(0x60, 0x40, '', '01000180'), 'a block of 65537 bytes'],
    [
      'a block that grows over it',
      frameOf(0x60, 0x40, '', `06010000 1f 61 0100 ${'ff'.repeat(257)} 00 00000000`),
      'a block of more than 65536 bytes',
    ],
    ['a match before the block', frameOf(0x60, 0x40, '', `0400000010610200 00000000`), 'a match 2 bytes back'],
    ['a match of no distance', frameOf(0x60, 0x40, '', `0400000010610000 00000000`), 'a match 0 bytes back'],
    [
      'a block that ends with a match',
      frameOf(0x60, 0x40, '', `0400000010610100 00000000`),
      'before its last literals',
    ],
    ['what follows the frame', frameOf(0x60, 0x40, '', `${hello}0000000000`), '1 bytes after the frame'],
    ['what is no frame', Buffer.from('hello, world'), 'magic'],
  ])('refuses %s', (_, frame, message) => {
    expect(() => decompressLz4(frame, MIB)).toThrow(message)
  })

  it('does not let a match reach into the block before', () => {
    const second = '04000000 10 62 0200'
    expect(() => decompressLz4(frameOf(0x60, 0x40, '', `${hello}${second}00000000`), MIB)).toThrow(
      '2 bytes back, 1 are',
    )
  })
})

describe('zstd', () => {
  const hello = '28b52ffd 00 58 290000 68656c6c6f'

  it('begins with its magic', async () => {
    const compressed = Buffer.from(await loadCodec('zstd').compress(events(100)))
    expect(compressed.toString('hex', 0, 4)).toBe(facts.codecMagic.zstd)
  })

  it('may be several frames, some of which are to be passed over', () => {
    const skipped = '5a2a4d18 03000000 010203'
    expect(text(decompressZstd(fromHex(`${skipped}${hello}${skipped}${hello}`), 10))).toBe('hellohello')
    expect(() => decompressZstd(fromHex(`${hello}${hello}`), 9)).toThrow('more than 9 bytes')
    expect(decompressZstd(fromHex(skipped), 0).length).toBe(0)
  })

  // By hand, from RFC 8878. A literal 'a', then one sequence whose three codes are one symbol each (modes 54): one
  // literal, distance code and match of 3 bytes. Distance code 2 with bits 00 is 4, less 3: 1. Code 3 with 000 is 8: 5.
  const aaaa = '450000 08 61 01 54 01 02 00 04'
  const tooFar = '450000 08 61 01 54 01 03 00 08'

  it('executes a sequence', () => {
    expect(text(decompressZstd(fromHex(`28b52ffd 00 58 ${aaaa}`), 4))).toBe('aaaa')
    expect(() => decompressZstd(fromHex(`28b52ffd 00 58 ${aaaa}`), 3)).toThrow('more than 3 bytes')
  })

  it('does not let a match reach back beyond its frame', () => {
    for (const before of ['', hello]) {
      expect(() => decompressZstd(fromHex(`${before} 28b52ffd 00 58 ${tooFar}`), 99)).toThrow('a match 5 bytes back')
    }
  })

  it('wants every bit of its Huffman codes used', () => {
    // Symbols 0 and 1 of a bit each (weights 80 10); the stream is 0110 behind the bit that ends it, or 00110.
    const block = (stream: string): Buffer => fromHex(`28b52ffd 00 58 3d0000 42c000 80 10 ${stream} 00`)
    expect(decompressZstd(block('16'), 4)).toEqual(fromHex('00010100'))
    expect(() => decompressZstd(block('26'), 4)).toThrow('1 bits after the last literal')
    expect(() => decompressZstd(block('0e'), 4)).toThrow('-1 bits after the last literal')
    expect(() => decompressZstd(block('00'), 4)).toThrow('a bit stream without its end')
  })

  it('checks the checksum that a frame has', () => {
    // zlib.zstdCompressSync('hello', { params: { [ZSTD_c_checksumFlag]: 1 } }) of Node 24.21.
    const frame = fromHex('28b52ffd 24 05 290000 68656c6c6f a36d9f88')
    expect(text(decompressZstd(frame, 5))).toBe('hello')
    frame.writeUInt8((frame.at(-1) ?? 0) ^ 1, frame.length - 1)
    expect(() => decompressZstd(frame, 5)).toThrow('checksum')
  })

  it.each([
    ['a dictionary', '28b52ffd 21 07 05 290000 68656c6c6f', 'dictionary 7'],
    ['the reserved bit', '28b52ffd 08 58 290000 68656c6c6f', 'reserved bit'],
    ['a window over 128 MiB', '28b52ffd 00 89 290000 68656c6c6f', 'a window of'],
    ['a block of the reserved kind', '28b52ffd 00 58 2f0000 68656c6c6f', 'reserved kind'],
    ['a block over the window', '28b52ffd 00 00 094000 00', 'a block of 2049 bytes, over 1024'],
    ['a run over the limit', '28b52ffd 00 30 020008 61 030008 61', 'more than 65536 bytes'],
    ['a size that is not met', '28b52ffd 20 06 290000 68656c6c6f', '5 bytes, the header says 6'],
    ['a size over the limit', '28b52ffd a0 01000100 290000 68656c6c6f', 'more than 65536'],
    ['what follows the frame', `${hello} 00000000`, 'magic 0x0'],
    ['what is no frame', '68656c6c6f', 'magic'],
  ])('refuses %s', (_, hex, message) => {
    expect(() => decompressZstd(fromHex(hex), 65_536)).toThrow(message)
  })
})
