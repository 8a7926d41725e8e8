/** Other people's npm packages that tests compare with: installed in the cache when first needed, never in the repository. */
import { createHash } from 'node:crypto'
import { copyFile, mkdir, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Availability } from './kafka/available.ts'
import { cacheDirectory, makeOnce } from './kafka/cache.ts'
import { BrokersUnavailable, needProgram } from './kafka/java-installation.ts'
import { runCommand } from './kafka/run-command.ts'

export interface PackagesToInstall {
  /** For the folder in the cache, and for messages. */
  readonly name: string
  /** Where package.json and package-lock.json are. */
  readonly folder: URL
  /** A package whose dependencies are not wanted: its tarball alone is unpacked beside the others. */
  readonly bare?: BarePackage
}

export interface BarePackage {
  readonly name: string
  readonly version: string
  /** As a lock file has it. */
  readonly integrity: string
  /** What is taken out of it. */
  readonly paths: readonly string[]
}

const FILES = ['package.json', 'package-lock.json']

/** Null: not there; the reason is in `availability`. */
export interface InstalledPackages {
  readonly availability: Availability
  /** `require`, as a program beside these packages has it. */
  readonly load: ((name: string) => unknown) | null
  /** The folder that has them in its node_modules. */
  readonly home: string | null
}

/** Installs them where that was not done before for this very lock file. */
export async function installPackages(wanted: PackagesToInstall): Promise<InstalledPackages> {
  try {
    const home = await install(wanted)
    return { availability: { ok: true }, home, load: createRequire(path.join(home, 'package.json')) }
  } catch (error) {
    if (!(error instanceof BrokersUnavailable)) throw error
    return { availability: { ok: false, reason: error.message }, home: null, load: null }
  }
}

async function install({ name, folder: source, bare }: PackagesToInstall): Promise<string> {
  const files = FILES.map((file) => fileURLToPath(new URL(file, source)))
  const hash = createHash('sha256').update(JSON.stringify(bare ?? null))
  for (const file of files) hash.update(await readFile(file))
  const home = path.join(cacheDirectory(), 'npm', `${name}-${hash.digest('hex').slice(0, 12)}`)
  await makeOnce(home, async (folder) => {
    const npm = await needProgram('npm', `for ${name}`, 'it comes with Node')
    for (const file of files) await copyFile(file, path.join(folder, path.basename(file)))
    try {
      await runCommand(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder })
      if (bare !== undefined) await unpack(npm, folder, bare)
    } catch (error) {
      throw new BrokersUnavailable(`npm could not install ${name}.\n${String(error)}`, { cause: error })
    }
  })
  return home
}

async function unpack(npm: string, folder: string, { name, version, integrity, paths }: BarePackage): Promise<void> {
  const packed = await runCommand(npm, ['pack', `${name}@${version}`, '--json', '--ignore-scripts'], { cwd: folder })
  const [{ filename } = { filename: '' }] = JSON.parse(packed) as { filename: string }[]
  const tarball = path.join(folder, filename)
  const found = `sha512-${createHash('sha512')
    .update(await readFile(tarball))
    .digest('base64')}`
  if (found !== integrity) throw new Error(`${name}@${version} is not what it was: ${found}, expected ${integrity}`)
  const target = path.join(folder, 'node_modules', name)
  await mkdir(target, { recursive: true })
  const wanted = ['package.json', ...paths].map((one) => `package/${one}`)
  await runCommand('tar', ['-xzf', tarball, '-C', target, '--strip-components=1', ...wanted])
  await rm(tarball)
}
