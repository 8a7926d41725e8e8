/**
 * dist/: one bundle per public door (shared code in chunks), the command line in one file with the libraries it uses,
 * and the types. Bundled because loading forty small files would cost an embedder more than the code in them.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type BuildOptions, type Metafile, type Plugin } from 'esbuild'
import { rollup } from 'rollup'
import { dts } from 'rollup-plugin-dts'
import { minify } from 'terser'
import { bundleLibrary } from './bundle-library.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const at = (...parts: string[]): string => join(root, ...parts)

const shared: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  outbase: 'src',
  outdir: 'dist',
  logLevel: 'warning',
  legalComments: 'none',
  minifyWhitespace: true,
  minifySyntax: true,
}

const doors = [
  ...['src/index.ts', 'src/protocol/protocol.ts', 'src/testing/test-cluster.ts', 'src/destination/destination.ts'],
  ...['src/output/output.ts', 'src/version.ts'],
]

/** The command line runs the same engine that everybody imports, not a copy of it: doors stay outside. */
const doorsStayOutside: Plugin = {
  name: 'doors-stay-outside',
  setup(bundling) {
    bundling.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path, resolveDir }) => {
      const source = relative(root, join(resolveDir, path))
      if (source.startsWith('src/cli/')) return null
      if (!doors.includes(source)) return { errors: [{ text: `${source} is no door of the package` }] }
      return { path: relative('src/cli', source).replace(/\.ts$/, '.js'), external: true }
    })
  },
}

/** Parts of packages that the command line never comes to, by the end of their path, and what stands there instead. */
const neverUsed: ReadonlyMap<RegExp, string> = new Map([
  // Exemplars, summaries, pushing and clusters of metrics.
  [/^@opentelemetry\/api$/, 'exports.trace = { getSpan() {} }; exports.context = { active() {} }'],
  [/^\.\/lib\/(summary|pushgateway|cluster)$/, ''],
  // Several progress bars, and other looks of one.
  [/^\.\/lib\/multi-bar$/, ''],
  [/^\.\/(legacy|rect|shades-grey)$/, ''],
  // How wide a character is: progress bars have no emoji.
  [/^emoji-regex$/, 'module.exports = () => /\\p{Extended_Pictographic}/gu'],
])
const withoutWhatIsNeverUsed: Plugin = {
  name: 'without-what-is-never-used',
  setup(bundling) {
    for (const [filter, contents] of neverUsed) {
      bundling.onResolve({ filter }, ({ path }) => ({ path, namespace: 'never-used', pluginData: contents }))
    }
    bundling.onLoad({ filter: /.*/, namespace: 'never-used' }, ({ pluginData }) => ({
      contents: pluginData as string,
      loader: 'js',
    }))
  },
}

rmSync(at('dist'), { recursive: true, force: true })
await bundleLibrary(root, Object.fromEntries(doors.map((door) => [nameOf(door), door])))
const cli = await build({
  ...shared,
  entryPoints: ['src/cli/headrace.ts'],
  // What only one command needs is loaded by it.
  ...{ splitting: true, chunkNames: 'cli/[name]-[hash]', metafile: true },
  // Most of it is other people's; what it reports is a message, not a stack.
  minify: true,
  plugins: [doorsStayOutside, withoutWhatIsNeverUsed],
  // commander and cli-progress are CommonJS: they ask for node's modules by require().
  banner: {
    js: "import { createRequire as headraceRequire } from 'node:module'; const require = headraceRequire(import.meta.url);",
  },
})
for (const file of Object.keys(cli.metafile.outputs)) await shorten(at(file))
chmodSync(at('dist/cli/headrace.js'), 0o755)
writeFileSync(at('dist/cli/LICENSES.txt'), licensesOf(cli.metafile))
execFileSync(process.execPath, [at('node_modules/typescript/bin/tsc'), '-p', at('tsconfig.build.json')], {
  stdio: 'inherit',
})
await bundleTypes()

/** What esbuild leaves of other people's code. */
async function shorten(file: string): Promise<void> {
  const { code } = await minify(readFileSync(file, 'utf8'), {
    module: true,
    ecma: 2020,
    compress: { passes: 3, keep_fargs: false },
  })
  writeFileSync(file, code ?? '')
}

/** In dist, without extension. */
function nameOf(door: string): string {
  return door.replace(/^src\//, '').replace(/\.ts$/, '')
}

/** One file of types per door, and what doors share: what no door leads to is not carried along. */
async function bundleTypes(): Promise<void> {
  const files = readdirSync(at('dist'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.d.ts'))
  const input = Object.fromEntries(doors.map(nameOf).map((name) => [name, at(`dist/${name}.d.ts`)]))
  const bundle = await rollup({ input, plugins: [dts()], external: /^node:/ })
  const { output } = await bundle.generate({ format: 'es', chunkFileNames: 'types/[name]-[hash].d.ts' })
  await bundle.close()
  for (const file of files) rmSync(at('dist', file))
  for (const file of output) {
    if (file.type !== 'chunk') continue
    const path = at('dist', file.fileName)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(
      path,
      file.code.replaceAll(/^( {4})+/gm, (indent) => '\t'.repeat(indent.length / 4)),
    )
  }
}

/** The licences of the packages that the command line carries inside. */
function licensesOf(metafile: Metafile): string {
  const packages = new Set<string>()
  const outputs = Object.values(metafile.outputs)
  const inputs = outputs.flatMap((output) => Object.entries(output.inputs).filter(([, part]) => part.bytesInOutput > 0))
  for (const [input] of inputs) {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1]
    if (name !== undefined) packages.add(name)
  }
  // Most have the same text, but for who wrote it.
  const namesByText = new Map<string, string[]>()
  const heads = [...packages].sort().map((name) => {
    const { version, license } = JSON.parse(readFileSync(at('node_modules', name, 'package.json'), 'utf8')) as Record<
      string,
      string
    >
    const lines = licenseText(name).replaceAll('\r\n', '\n').split('\n')
    const isCopyright = (line: string): boolean => /^\s*copyright (\(c\)|©|[0-9])/i.test(line)
    // The name of the licence, which some have as a title, is in the list.
    const isTitle = (line: string): boolean => /^\s*\(?(the )?(mit|isc|x11)( license)?( \(.*\))?\)?\s*$/i.test(line)
    const rest = lines.filter((line) => !isCopyright(line) && !isTitle(line)).join('\n')
    const text = rest.replaceAll(/\s+/g, ' ').replaceAll("'", '"').trim()
    const known = namesByText.get(text)
    if (known === undefined) namesByText.set(text, [name, rest.trim()])
    else known.splice(-1, 0, name)
    return [`${name} ${version ?? ''} (${license ?? ''})`, ...lines.filter(isCopyright)].join('\n  ')
  })
  const texts = [...namesByText.values()].map((each) => `${each.slice(0, -1).join(', ')}:\n\n${each.at(-1) ?? ''}`)
  const line = `\n\n${'-'.repeat(80)}\n\n`
  return [`headrace.js contains these packages:\n\n${heads.join('\n')}`, ...texts].join(line)
}

function licenseText(name: string): string {
  for (const file of ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license', 'LICENSE-MIT.txt']) {
    try {
      return readFileSync(at('node_modules', name, file), 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  throw new Error(`build: ${name} is bundled but has no licence file`)
}
