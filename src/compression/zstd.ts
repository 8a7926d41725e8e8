import { asBuffer } from '../bytes/as-buffer.ts'
import { promisify } from 'node:util'
import type { CodecKind } from './codec.ts'
import { loadPackage, type CodecSources } from './codec-sources.ts'
import { decompressZstd } from './zstd-format.ts'

const PACKAGE = '@mongodb-js/zstd'
/** Later ones download their binary when they are installed. */
const INSTALL = `${PACKAGE}@1.2`
const ASYNC_FROM_BYTES = 32 * 1024
/** Above, a kilobyte may take a millisecond. */
const MAX_SYNC_LEVEL = 9

/** `ZSTD_c_compressionLevel` (zstd.h), of which Node 20's types do not know. */
const LEVEL = 100

export const zstd: CodecKind = {
  id: 4,
  levels: { min: 1, max: 22 },
  decompress: decompressZstd,
  load(level, sources) {
    return sources.zstd === null ? ofPackage(level, sources) : ofNode(level, sources.zstd)
  },
}

type Loaded = ReturnType<CodecKind['load']>

function ofNode(level: number | undefined, { compressSync, compress }: NonNullable<CodecSources['zstd']>): Loaded {
  const options = { params: level === undefined ? {} : { [LEVEL]: level } }
  const compressAsync = promisify(compress)
  return {
    compressSync: (bytes) => compressSync(bytes, options),
    compress: (bytes) => compressAsync(bytes, options),
    asyncFromBytes: level !== undefined && level > MAX_SYNC_LEVEL ? 0 : ASYNC_FROM_BYTES,
  }
}

/** The package works off the event loop only. */
function ofPackage(level: number | undefined, sources: CodecSources): Loaded {
  const { compress } = (level === undefined ? load(sources) : loadWithLevels(sources)) as {
    compress: (bytes: Buffer, level?: number) => Promise<Uint8Array>
  }
  return {
    compress: (bytes) => compress(asBuffer(bytes), level),
    asyncFromBytes: 0,
  }
}

function load(sources: CodecSources): unknown {
  return loadPackage(sources, PACKAGE, INSTALL, ['compress'])
}

/** The door of 1.2.1 and 1.2.2 drops the level on its way to the binary; behind it, in `bindings.js`, there are levels. */
function loadWithLevels(sources: CodecSources): unknown {
  const door = load(sources)
  try {
    return sources.requirePackage(`${PACKAGE}/bindings.js`)
  } catch {
    return door // other versions: the door takes levels, and there may be no such file
  }
}
