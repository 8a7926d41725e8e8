import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** Programs of this folder as they would be in `dist`: a loader would give every closure its name, which is counted, too. */
export class Programs {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'headrace-hot-path-'))

  async build(name: string): Promise<void> {
    await build({
      entryPoints: [fileURLToPath(new URL(`${name}.ts`, import.meta.url))],
      ...{ outdir: this.#folder, outExtension: { '.js': '.mjs' }, bundle: true, packages: 'external' },
      ...{ format: 'esm', platform: 'node', target: 'node20.19', logLevel: 'warning' },
    })
  }

  file(name: string): string {
    return path.join(this.#folder, `${name}.mjs`)
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
