import { createRequire } from 'node:module'

type Zstd = (bytes: Uint8Array, options: { params: Record<number, number> }) => Buffer
type ZstdAsync = (
  bytes: Uint8Array,
  options: { params: Record<number, number> },
  done: (error: Error | null, compressed: Buffer) => void,
) => void

/** Where codecs come from; tests bring their own. */
export interface CodecSources {
  /** As `require`. */
  requirePackage(name: string): unknown
  /** Node's own zstd: from 22.15 and 23.8 on. */
  readonly zstd: { readonly compressSync: Zstd; readonly compress: ZstdAsync } | null
}

export const codecSources: CodecSources = {
  requirePackage: (name) => createRequire(import.meta.url)(name) as unknown,
  get zstd() {
    // Asked of the Node that we run on: the one that builds dist may not have them, and Node 20's types do not know them.
    const { zstdCompressSync: compressSync, zstdCompress: compress } = process.getBuiltinModule('node:zlib') as {
      zstdCompressSync?: Zstd
      zstdCompress?: ZstdAsync
    }
    return compressSync === undefined || compress === undefined ? null : { compressSync, compress }
  },
}

/**
 * Loads a package with the functions that are named.
 *
 * @throws {Error} with a message that continues `compression 'x' ...`.
 */
export function loadPackage<Name extends string>(
  sources: CodecSources,
  packageName: string,
  install: string,
  functionNames: readonly Name[],
): Record<Name, (...args: unknown[]) => unknown> {
  let loaded: unknown
  try {
    loaded = sources.requirePackage(packageName)
  } catch (cause) {
    if (isNotFound(cause, packageName)) {
      throw new Error(`needs the package ${packageName}, which is not installed: npm install ${install}`, { cause })
    }
    const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)
    const advice = `install it on the machine where it runs: npm install ${install}`
    throw new Error(`needs the package ${packageName}, which cannot be loaded (${why}); ${advice}`, { cause })
  }
  const functions = loaded as Record<Name, (...args: unknown[]) => unknown>
  const missing = functionNames.filter((name) => typeof functions[name] !== 'function')
  if (missing.length === 0) return functions
  throw new Error(`needs ${install}; the ${packageName} that is installed has no ${missing.join(', ')}`)
}

function isNotFound(error: unknown, packageName: string): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  return code === 'MODULE_NOT_FOUND' && message.includes(`'${packageName}'`)
}
