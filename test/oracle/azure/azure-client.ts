/** Azure's `@azure/keyvault-secrets`, led to the vault emulator. It is installed in the cache, not in the repository. */
import { installPackages, type InstalledPackages } from '../../support/npm-packages.ts'
import type { Availability } from '../../support/kafka/available.ts'
import type { FakeVault } from '../../support/fake-vault.ts'

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
  const { availability, load } = await installPackages({
    name: 'azure-keyvault-secrets',
    folder: new URL('.', import.meta.url),
  })
  if (load !== null) modules = modulesOf(load)
  return availability
}

function modulesOf(load: NonNullable<InstalledPackages['load']>): AzureModules {
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
