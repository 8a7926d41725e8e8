import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheDirectory, makeOnce } from './cache.ts'
import { BrokersUnavailable, needProgram } from './java-installation.ts'
import { LineProcess } from './line-process.ts'
import { runCommand } from './run-command.ts'

const SOURCES = fileURLToPath(new URL('kfake/', import.meta.url))
const BUILD_TIMEOUT_MS = 600_000

/** @throws {BrokersUnavailable} no Go, or the modules that `kfake/go.mod` pins cannot be fetched. */
export async function startKfake(nodes: number): Promise<LineProcess> {
  return new LineProcess(await ensureKfake(), [String(nodes)])
}

async function ensureKfake(): Promise<string> {
  const hash = createHash('sha256')
  for (const name of ['main.go', 'go.mod', 'go.sum']) hash.update(await readFile(path.join(SOURCES, name)))
  const home = path.join(cacheDirectory(), 'kfake', hash.digest('hex').slice(0, 20))
  await makeOnce(home, async (folder) => {
    const go = await needProgram('go', 'to build kfake', 'see https://go.dev/dl')
    const args = ['build', '-mod=readonly', '-o', path.join(folder, 'kfake'), '.']
    await runCommand(go, args, { cwd: SOURCES, timeoutMs: BUILD_TIMEOUT_MS }).catch((error: unknown) => {
      throw new BrokersUnavailable(`Go could not build kfake.\n${String(error)}`, { cause: error })
    })
  })
  return path.join(home, 'kfake')
}
