import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { transform } from 'esbuild'
import { rollup, type GetManualChunk, type GetModuleInfo, type Plugin } from 'rollup'
import { minify } from 'terser'
import { lateBuiltins, standsIn } from './late-builtins.ts'

const TARGET = 'node20.19'

const typescript: Plugin = {
  name: 'typescript',
  async transform(code, id) {
    if (!id.endsWith('.ts')) return null
    const compilerOptions = { verbatimModuleSyntax: true, useDefineForClassFields: true }
    const { code: plain } = await transform(code, { loader: 'ts', target: TARGET, tsconfigRaw: { compilerOptions } })
    return { code: plain, map: null }
  },
}

/**
 * `dist/*.js`: a file per door; one with what the engine has in common with the other doors; one with the rest of it; and
 * what is loaded late. At import, every file costs half a millisecond, and every 30 kB one (`npm run bench -- import`).
 *
 * @param doors sources, by their name in dist.
 */
export async function bundleLibrary(root: string, doors: Readonly<Record<string, string>>): Promise<void> {
  const input = Object.fromEntries(Object.entries(doors).map(([name, source]) => [name, join(root, source)]))
  const bundle = await rollup({
    ...{ input, plugins: [lateBuiltins, typescript], treeshake: { moduleSideEffects: false } },
    external: (id) => id.startsWith('node:') && !standsIn(id),
    onLog: (level, { message }) => {
      if (level === 'warn') throw new Error(`build: ${message}`)
    },
  })
  const { output } = await bundle.generate({
    ...{ format: 'es', entryFileNames: '[name].js', chunkFileNames: 'shared/[name]-[hash].js' },
    manualChunks: commonChunk(input),
  })
  await bundle.close()
  for (const file of output) {
    if (file.type !== 'chunk') continue
    const path = join(root, 'dist', file.fileName)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, await shorten(file.code))
  }
}

/** The smaller doors do not load the engine, and whoever loads both loads nothing twice. */
function commonChunk(input: Readonly<Record<string, string>>): GetManualChunk {
  const reached = new Map<string, ReadonlySet<string>>()
  return (id, { getModuleInfo }) => {
    const isBehind = (door: string): boolean => {
      const modules = reached.get(door) ?? modulesBehind(input[door] ?? '', getModuleInfo)
      reached.set(door, modules)
      return modules.has(id)
    }
    const isCommon = isBehind('index') && ['protocol/protocol', 'testing/test-cluster', 'version'].some(isBehind)
    return isCommon ? 'common' : null
  }
}

function modulesBehind(entry: string, getModuleInfo: GetModuleInfo): ReadonlySet<string> {
  const seen = new Set([entry])
  for (const id of seen) for (const imported of getModuleInfo(id)?.importedIds ?? []) seen.add(imported)
  return seen
}

/** Names of functions, classes and members stay, and so do lines: a stack trace must mean something. */
async function shorten(bundled: string): Promise<string> {
  const options = { minifyWhitespace: true, minifySyntax: true, legalComments: 'none', target: TARGET } as const
  const { code: plain } = await transform(bundled, options)
  const { code = '' } = await minify(plain, {
    ...{ module: true, compress: false, mangle: { keep_fnames: true, keep_classnames: true } },
    // One character beyond Latin-1 doubles what a file takes in memory.
    format: { max_line_len: 500, ascii_only: true },
  })
  return code
}
