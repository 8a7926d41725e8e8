import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { codecSources, type CodecSources } from '../../src/compression/codec-sources.ts'
import { compressWith, isWorthwhile, type Codec } from '../../src/compression/codec.ts'
import { checkCompression, loadCodec } from '../../src/compression/load-codec.ts'
import { OptionError } from '../../src/errors.ts'
import { CODECS, events } from './inputs.ts'

function failureOf(work: () => unknown): OptionError {
  try {
    work()
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  }
  throw new Error('expected an OptionError')
}

/** No package is installed, and Node has no zstd. */
function withoutPackages(): CodecSources {
  return {
    requirePackage(name) {
      throw Object.assign(new Error(`Cannot find module '${name}'\nRequire stack:\n- /app/x.js`), {
        code: 'MODULE_NOT_FOUND',
      })
    },
    zstd: null,
  }
}

describe('loadCodec', () => {
  it.each(CODECS.map((name, i) => [name, i + 1] as const))('finds %s, number %i', async (name, id) => {
    const codec = loadCodec(name)
    expect([codec.name, codec.id]).toEqual([name, id])
    expect((await codec.compress(events(5000))).length).toBeLessThan(2500)
  })

  it.each([
    [
      'snappy',
      "Producer: CODEC_UNAVAILABLE: compression 'snappy' needs the package snappy, which is not installed: npm install snappy",
    ],
    [
      'lz4',
      "Producer: CODEC_UNAVAILABLE: compression 'lz4' needs the package lz4-napi, which is not installed: npm install lz4-napi",
    ],
    [
      'zstd',
      "Producer: CODEC_UNAVAILABLE: compression 'zstd' needs the package @mongodb-js/zstd, which is not installed: npm install @mongodb-js/zstd@1.2",
    ],
  ] as const)('says which package %s needs, and how to get it', (name, message) => {
    const error = failureOf(() => loadCodec(name, 'Producer', withoutPackages()))
    expect(error.code).toBe('CODEC_UNAVAILABLE')
    expect(error.message).toBe(message)
    expect(error.retriable).toBe(false)
    expect(String((error.cause as Error).cause)).toContain('Cannot find module')
  })

  it('meets the error that Node really gives', () => {
    const requirePackage = (name: string): unknown =>
      codecSources.requirePackage(name.replace('lz4-napi', '@headrace/none'))
    // The name differs, so this is a package that is there and misses one of its own.
    const broken = failureOf(() => loadCodec('lz4', 'Producer', { ...codecSources, requirePackage }))
    expect(broken.message).toContain("lz4-napi, which cannot be loaded (Cannot find module '@headrace/none'")
    expect(broken.message).toContain('npm install lz4-napi')
  })

  it('needs no package for gzip, nor for zstd where Node has it', async () => {
    expect(loadCodec('gzip', 'Producer', withoutPackages()).name).toBe('gzip')
    const calls: unknown[] = []
    const zstd: CodecSources['zstd'] = {
      compressSync: (bytes, options) => (calls.push(options), Buffer.from(bytes)),
      compress: (bytes, options, done) => {
        calls.push(options)
        done(null, Buffer.from(bytes))
      },
    }
    const codec = loadCodec({ codec: 'zstd', level: 7 }, 'Producer', { ...withoutPackages(), zstd })
    expect(codec.compressSync?.(Buffer.from('a'))).toEqual(Buffer.from('a'))
    expect(await codec.compress(Buffer.from('b'))).toEqual(Buffer.from('b'))
    expect(calls).toEqual([{ params: { 100: 7 } }, { params: { 100: 7 } }]) // 100: ZSTD_c_compressionLevel
  })

  it('says when a package is not what it should be', () => {
    const error = failureOf(() => loadCodec('snappy', 'Producer', { requirePackage: () => ({}), zstd: null }))
    expect(error.message).toContain('the snappy that is installed has no compressSync, compress')
  })

  it('asks the door of @mongodb-js/zstd for levels where there is no other', async () => {
    const levels: unknown[] = []
    const door = { compress: (bytes: Uint8Array, level: unknown) => (levels.push(level), Promise.resolve(bytes)) }
    const sources: CodecSources = {
      requirePackage(name) {
        if (name === '@mongodb-js/zstd') return door
        throw new Error(`no ${name}`)
      },
      zstd: null,
    }
    await loadCodec({ codec: 'zstd', level: 5 }, 'Producer', sources).compress(Buffer.from('a'))
    expect(levels).toEqual([5])
  })

  it.each([
    ['lzo', "compression: got codec \"lzo\", expected 'none', 'gzip'"],
    [{ codec: 'gzip', level: 0 }, 'compression: got level 0, expected an integer, 1 to 9 for gzip'],
    [{ codec: 'gzip', level: 10 }, 'got level 10, expected an integer, 1 to 9 for gzip'],
    [{ codec: 'zstd', level: 23 }, 'got level 23, expected an integer, 1 to 22 for zstd'],
    [{ codec: 'zstd', level: 1.5 }, 'got level 1.5, expected an integer, 1 to 22'],
    [{ codec: 'zstd', level: '3' }, 'got level "3", expected an integer'],
    [{ codec: 'lz4', level: 3 }, 'got level 3, lz4 has no levels here; bring a compress function of your own'],
    [{ codec: 'snappy', level: 1 }, 'snappy has no levels'],
    [{ codec: 'gzip', compress: 'fast' }, 'got compress "fast", expected a function'],
    [{ codec: 'gzip', lvl: 1 }, 'unknown key "lvl"'],
    [7, "compression: got 7, expected 'none'"],
    [null, 'compression: got null'],
    ['none', "'none' is no codec"],
  ])('refuses %j', (option, message) => {
    const error = failureOf(() => loadCodec(option as 'gzip'))
    expect(error.code).toBe('INVALID_OPTIONS')
    expect(error.message).toContain(message)
  })
})

describe('checkCompression', () => {
  it('knows that none is none', () => {
    for (const none of [undefined, 'none', { codec: 'none' }]) expect(checkCompression(none)).toEqual({ value: null })
  })

  it('loads nothing', () => {
    expect(checkCompression('lz4')).toEqual({ value: { codec: 'lz4', level: undefined, compress: undefined } })
  })
})

describe('a compress function of the user', () => {
  it('takes the place of the package, and gets the level', async () => {
    const levels: unknown[] = []
    const option = {
      codec: 'lz4' as const,
      level: 12,
      compress: (bytes: Uint8Array, level: number | undefined) => {
        levels.push(level)
        return Promise.resolve(bytes)
      },
    }
    const codec = loadCodec(option, 'Producer', withoutPackages())
    expect([codec.id, codec.compressSync]).toEqual([3, undefined])
    expect(await compressWith(codec, Buffer.from('abc'))).toEqual(Buffer.from('abc'))
    expect(levels).toEqual([12])
  })

  it('may answer out of memory of its own, which its next call overwrites', async () => {
    const scratch = Buffer.alloc(10)
    const codec = loadCodec({ codec: 'gzip', compress: (bytes) => scratch.fill(bytes[0] ?? 0).subarray(0, 5) })
    const all = [1, 2, 3].map((n) => codec.compress(Buffer.alloc(10, n)))
    expect((await Promise.all(all)).map((bytes) => [...bytes])).toEqual([1, 2, 3].map((n) => [n, n, n, n, n]))
  })

  it('may be synchronous, may fail, and must give bytes', async () => {
    const codecOf = (compress: () => unknown): Codec =>
      loadCodec({ codec: 'gzip', compress: compress as () => Uint8Array })
    expect(await codecOf(() => gzipSync('a')).compress(Buffer.alloc(1))).toEqual(gzipSync('a'))
    await expect(
      codecOf(() => {
        throw new Error('mine')
      }).compress(Buffer.alloc(1)),
    ).rejects.toThrow('mine')
    for (const wrong of ['text', undefined, Buffer.alloc(0)]) {
      const failure = codecOf(() => wrong).compress(Buffer.alloc(1))
      await expect(failure).rejects.toThrow('expected a Uint8Array that is not empty')
    }
  })
})

describe('compressWith', () => {
  it('answers at once below the threshold, and later from it on', () => {
    const codec = loadCodec('gzip')
    expect(compressWith(codec, events(codec.asyncFromBytes - 1))).toBeInstanceOf(Uint8Array)
    expect(compressWith(codec, events(codec.asyncFromBytes))).toBeInstanceOf(Promise)
  })

  it('keeps the event loop free of the high levels of zstd', () => {
    const zstd = { compressSync: (b: Uint8Array) => Buffer.from(b), compress: () => undefined }
    const at = (level: number): number =>
      loadCodec({ codec: 'zstd', level }, 'P', { ...codecSources, zstd }).asyncFromBytes
    expect([at(9) > 0, at(10)]).toEqual([true, 0])
  })
})

describe('isWorthwhile', () => {
  it('wants fewer bytes', () => {
    expect([isWorthwhile(10, 9), isWorthwhile(10, 10), isWorthwhile(10, 11)]).toEqual([true, false, false])
  })
})
