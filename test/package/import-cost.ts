import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What an import brings in; the same whenever it is counted, unlike the time that it takes. */
export interface ImportCost {
  /** Files of the package, and their bytes together. */
  readonly files: readonly string[]
  readonly bytes: number
  /** Node's own modules, those that are public, over what it has loaded anyway. */
  readonly builtins: readonly string[]
}

/** Imports a module in a process of its own that does nothing else. */
export async function importCost(specifier: string, cwd: string): Promise<ImportCost> {
  // Node itself says which files it has run.
  const folder = await mkdtemp(path.join(tmpdir(), 'headrace-import-'))
  try {
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', programFor(specifier)], {
      ...{ cwd, env: { ...process.env, NODE_V8_COVERAGE: folder } },
    })
    const files = await filesRun(folder)
    const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size))
    const builtins = (JSON.parse(stdout) as string[]).filter((name) => builtinModules.includes(name))
    return { files, bytes: sizes.reduce((sum, size) => sum + size, 0), builtins }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The first import brings in what Node needs for any. What is printed goes around the console, which would load more. */
function programFor(specifier: string): string {
  return `
    import { writeSync } from 'node:fs'
    await import('data:text/javascript,')
    const before = new Set(process.moduleLoadList)
    await import(${JSON.stringify(specifier)})
    const after = process.moduleLoadList.filter((name) => !before.has(name))
    writeSync(1, JSON.stringify(after.map((name) => name.replace('NativeModule ', ''))))`
}

async function filesRun(folder: string): Promise<string[]> {
  const urls: string[] = []
  for (const name of await readdir(folder)) {
    const { result } = JSON.parse(await readFile(path.join(folder, name), 'utf8')) as { result: { url: string }[] }
    urls.push(...result.map(({ url }) => url))
  }
  // The program itself is no file, although it has the name of one.
  return urls.filter((url) => /^file:.*\.m?js$/.test(url)).map((url) => fileURLToPath(url))
}
