import { readdirSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { BUNDLES, CONTENDERS } from './peers.ts'

const ROOT = path.join(CONTENDERS, '..', '..')

/** Node 20 runs no TypeScript, and a loader would be in the figures: contenders are bundled, the peers stay outside. */
export async function bundleContenders(): Promise<void> {
  const names = readdirSync(CONTENDERS).filter((name) => name.endsWith('.ts'))
  await build({
    entryPoints: names.map((name) => path.join(CONTENDERS, name)),
    ...{ outdir: BUNDLES, bundle: true, splitting: true, format: 'esm', platform: 'node', target: 'node20.19' },
    ...{ packages: 'external', logLevel: 'warning', allowOverwrite: true },
  })
}

/** headrace from its sources, with all its names: for profiles. @returns the URL of its index.js. */
export async function bundleHeadrace(): Promise<string> {
  const outdir = path.join(BUNDLES, 'headrace')
  await build({
    entryPoints: [path.join(ROOT, 'src', 'index.ts')],
    ...{ outdir, bundle: true, format: 'esm', platform: 'node', target: 'node20.19', keepNames: false },
    ...{ packages: 'external', logLevel: 'warning', sourcemap: false },
  })
  return pathToFileURL(path.join(outdir, 'index.js')).href
}
