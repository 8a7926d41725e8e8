/**
 * dist/: one bundle per public door (shared code in chunks), the command line in one file with the libraries it uses,
 * and the types. Bundled because loading forty small files would cost an embedder more than the code in them.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type BuildOptions, type Metafile, type Plugin } from 'esbuild'
import { minify } from 'terser'

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

/** The command line runs the same engine that everybody imports, not a copy of it. */
const engineStaysOutside: Plugin = {
  name: 'engine-stays-outside',
  setup(bundling) {
    bundling.onResolve({ filter: /^\.\.\/.*\.ts$/ }, ({ path }) => ({
      path: path.replace(/\.ts$/, '.js'),
      external: true,
    }))
  },
}

const doors = [
  ...['src/index.ts', 'src/protocol/protocol.ts', 'src/testing/test-cluster.ts', 'src/destination/destination.ts'],
  ...['src/output/output.ts', 'src/version.ts'],
]

rmSync(at('dist'), { recursive: true, force: true })
const library = await build({
  ...shared,
  ...{ entryPoints: doors, splitting: true, chunkNames: 'shared/[name]-[hash]', metafile: true },
})
for (const file of Object.keys(library.metafile.outputs)) await shortenLocals(at(file))
const cli = await build({
  ...shared,
  entryPoints: ['src/cli/headrace.ts'],
  metafile: true,
  // Most of it is other people's; what it reports is a message, not a stack.
  minify: true,
  plugins: [engineStaysOutside],
  // commander and cli-progress are CommonJS: they ask for node's modules by require().
  banner: {
    js: "import { createRequire as headraceRequire } from 'node:module'; const require = headraceRequire(import.meta.url);",
  },
})
chmodSync(at('dist/cli/headrace.js'), 0o755)
writeFileSync(at('dist/cli/LICENSES.txt'), licensesOf(cli.metafile))
execFileSync(process.execPath, [at('node_modules/typescript/bin/tsc'), '-p', at('tsconfig.build.json')], {
  stdio: 'inherit',
})
dropUnreachableTypes()

/** Names of functions, classes and members stay, and so do lines: a stack trace must mean something. */
async function shortenLocals(file: string): Promise<void> {
  const { code } = await minify(readFileSync(file, 'utf8'), {
    ...{ compress: false, mangle: { keep_fnames: true, keep_classnames: true } },
    format: { max_line_len: 120 },
  })
  writeFileSync(file, code ?? '')
}

/** Types are one file per source file; most are of the inside, and no door leads to them. */
function dropUnreachableTypes(): void {
  const reachable = new Set<string>()
  const visit = (file: string): void => {
    if (reachable.has(file)) return
    reachable.add(file)
    for (const [, path = ''] of readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?'(\.[^']+)'/g)) {
      visit(join(dirname(file), path.replace(/\.[jt]s$/, '.d.ts')))
    }
  }
  for (const door of doors) visit(at(door.replace(/^src/, 'dist').replace(/\.ts$/, '.d.ts')))
  for (const file of readdirSync(at('dist'), { recursive: true, encoding: 'utf8' })) {
    if (file.endsWith('.d.ts') && !reachable.has(at('dist', file))) rmSync(at('dist', file))
  }
}

/** The licences of the packages that the command line carries inside. */
function licensesOf(metafile: Metafile): string {
  const packages = new Set<string>()
  for (const input of Object.keys(metafile.inputs)) {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1]
    if (name !== undefined) packages.add(name)
  }
  const texts = [...packages].sort().map((name) => {
    const { version, license } = JSON.parse(readFileSync(at('node_modules', name, 'package.json'), 'utf8')) as Record<
      string,
      string
    >
    return `${name} ${version ?? ''} (${license ?? ''})\n\n${licenseText(name)}`
  })
  return `headrace.js contains these packages:\n\n${texts.join(`\n${'-'.repeat(80)}\n\n`)}`
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
