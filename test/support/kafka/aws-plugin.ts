import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { cacheDirectory, makeOnce } from './cache.ts'
import { BrokersUnavailable, findMaven } from './java-installation.ts'
import { withLock } from './lock.ts'
import { runCommand } from './run-command.ts'

export const AWS_PLUGIN_VERSION = '2.3.5'
/** With the SDK in it. */
const ARTIFACT = `software.amazon.msk:aws-msk-iam-auth:${AWS_PLUGIN_VERSION}:jar:all`
const DOWNLOAD_TIMEOUT_MS = 300_000

/**
 * The jar of AWS's own client for MSK, downloaded with Maven at the first call on this machine.
 *
 * @throws {BrokersUnavailable} no Maven, or it could not download.
 */
export async function awsPluginJar(): Promise<string> {
  const folder = path.join(cacheDirectory(), 'aws-msk-iam-auth', AWS_PLUGIN_VERSION)
  await withLock(path.join(cacheDirectory(), 'maven.lock'), () =>
    makeOnce(folder, async (to) => {
      const args = ['-q', '-B', 'dependency:copy', `-Dartifact=${ARTIFACT}`, `-DoutputDirectory=${to}`]
      await runCommand(await findMaven(), args, { cwd: to, timeoutMs: DOWNLOAD_TIMEOUT_MS }).catch((cause: unknown) => {
        throw new BrokersUnavailable(`Maven could not download ${ARTIFACT}. Is there a network?`, { cause })
      })
    }),
  )
  const [jar = ''] = (await readdir(folder)).filter((name) => name.endsWith('.jar'))
  return path.join(folder, jar)
}
