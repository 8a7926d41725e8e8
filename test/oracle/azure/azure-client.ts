/** Azure's `@azure/keyvault-secrets`, led to the vault emulator. It is installed in the cache, not in the repository. */
import { copyFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Availability } from '../../support/kafka/available.ts'
import { cacheDirectory, makeOnce } from '../../support/kafka/cache.ts'
import { BrokersUnavailable, needProgram } from '../../support/kafka/java-installation.ts'
import { runCommand } from '../../support/kafka/run-command.ts'
import type { FakeVault } from '../../support/fake-vault.ts'

const FILES = ['package.json', 'package-lock.json']
const VERSION = '4.11.2'

/** What of the client is used here. */
export interface AzureClient {
  getSecret(name: string): Promise<AzureSecret>
  getDeletedSecret(name: string): Promise<{ readonly name: string; readonly recoveryId?: string }>
}

export interface AzureSecret {
  readonly name: string
  readonly value?: string
  readonly properties: {
    readonly version?: string
    readonly vaultUrl: string
    readonly contentType?: string
    readonly enabled?: boolean
    readonly expiresOn?: Date
  }
}

interface PipelineRequest {
  readonly url: string
  readonly method: string
  readonly headers: { toJSON(): Record<string, string> }
}

/** Azure's own exports, untyped: its types are not installed where `tsc` looks. */
interface AzureModules {
  readonly SecretClient: new (url: string, credential: object, options: object) => AzureClient
  readonly createHttpHeaders: (headers: Record<string, string>) => object
}

let modules: AzureModules | null = null

/** Whether it can run here; fetches it where that was not done before. */
export async function azureClientAvailable(): Promise<Availability> {
  try {
    modules = await install()
    return { ok: true }
  } catch (error) {
    if (error instanceof BrokersUnavailable) return { ok: false, reason: error.message }
    throw error
  }
}

async function install(): Promise<AzureModules> {
  const home = path.join(cacheDirectory(), 'npm', `azure-keyvault-secrets-${VERSION}`)
  await makeOnce(home, async (folder) => {
    const npm = await needProgram('npm', "for Azure's client", 'it comes with Node')
    for (const file of FILES) await copyFile(fileURLToPath(new URL(file, import.meta.url)), path.join(folder, file))
    try {
      await runCommand(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder })
    } catch (error) {
      throw new BrokersUnavailable(`npm could not install Azure's client.\n${String(error)}`, { cause: error })
    }
  })
  const load = createRequire(path.join(home, 'package.json'))
  const { SecretClient } = load('@azure/keyvault-secrets') as Pick<AzureModules, 'SecretClient'>
  const { createHttpHeaders } = load('@azure/core-rest-pipeline') as Pick<AzureModules, 'createHttpHeaders'>
  return { SecretClient, createHttpHeaders }
}

/** Azure's client before the emulator; `token` is what a managed identity has been given. It does not try again. */
export function azureClient(fake: FakeVault, token: () => Promise<string>): AzureClient {
  if (modules === null) throw new Error('not available')
  const { SecretClient, createHttpHeaders } = modules
  const credential = {
    getToken: async (): Promise<object> => ({ token: await token(), expiresOnTimestamp: Date.now() + 3_600_000 }),
  }
  const httpClient = {
    sendRequest: async (request: PipelineRequest): Promise<object> => {
      const response = await fake.fetch(request.url, { method: request.method, headers: request.headers.toJSON() })
      const headers = createHttpHeaders(Object.fromEntries(response.headers))
      return { request, status: response.status, headers, bodyAsText: await response.text() }
    },
  }
  const options = { serviceVersion: '7.4', httpClient, retryOptions: { maxRetries: 0 } }
  return new SecretClient(`https://${fake.host}`, credential, options)
}
