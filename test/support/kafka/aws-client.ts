import { appendFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { quoted } from './broker-security.ts'
import type { RealCluster } from './cluster.ts'
import { startJavaProcess } from './java-process.ts'
import type { LineProcess } from './line-process.ts'
import { NEWEST_VERSION } from './versions.ts'

/** What a client signs with. */
export interface AwsKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

interface AsWhom {
  readonly keys: AwsKeys
  /** The name to dial; default: the broker's. */
  readonly host?: string
  readonly topic: string
}

interface Parts {
  readonly cluster: RealCluster
  readonly process: LineProcess
  /** The file in which the plug-in finds keys. */
  readonly credentials: string
  readonly host: string
}

/** Kafka's Java producer with AWS's own plug-in, in a JVM that finds Amazon's names on 127.0.0.1. */
export class AwsClient {
  readonly #parts: Parts
  #profiles = 0

  private constructor(parts: Parts) {
    this.#parts = parts
  }

  /** @param hosts the names that lead to 127.0.0.1; the first is the broker's. */
  static async start(cluster: RealCluster, plugin: string, hosts: readonly string[]): Promise<AwsClient> {
    const folder = path.dirname(cluster.files.ca ?? '')
    const file = path.join(folder, 'hosts')
    await writeFile(file, ['localhost', ...hosts].map((name) => `127.0.0.1 ${name}\n`).join(''))
    const credentials = path.join(folder, 'credentials')
    const flags = [`-Djdk.net.hosts.file=${file}`, `-Daws.sharedCredentialsFile=${credentials}`]
    const process = await startJavaProcess(NEWEST_VERSION, { flags, classPath: [plugin] })
    return new AwsClient({ cluster, process, credentials, host: hosts[0] ?? '' })
  }

  /** One record. @throws what Kafka's client says. */
  async produce({ topic, ...who }: AsWhom): Promise<void> {
    const records = [{ key: null, value: Buffer.from('by AWS').toString('base64'), headers: [] }]
    await this.#parts.process.ask('produce', { ...(await this.#at(who)), topic, records })
  }

  /** One record after the other until it has logged in again so often; returns how many. @throws when one fails. */
  async produceThrough({ topic, times, ...who }: AsWhom & { readonly times: number }): Promise<number> {
    const request = { ...(await this.#at(who)), topic, times, timeoutMs: 60_000 }
    return (await this.#parts.process.ask('produceThrough', request)).result as number
  }

  async close(): Promise<void> {
    await this.#parts.process.close()
  }

  async #at({ keys, host = this.#parts.host }: Omit<AsWhom, 'topic'>): Promise<object> {
    const { cluster, credentials } = this.#parts
    // Of all the places where the plug-in looks for keys this one can differ between two clients of a JVM.
    const profile = `profile-${++this.#profiles}`
    const { accessKeyId, secretAccessKey, sessionToken } = keys
    const lines = [`[${profile}]`, `aws_access_key_id=${accessKeyId}`, `aws_secret_access_key=${secretAccessKey}`]
    if (sessionToken !== undefined) lines.push(`aws_session_token=${sessionToken}`)
    await appendFile(credentials, `${lines.join('\n')}\n`, { mode: 0o600 })
    const login = `awsProfileName=${quoted(profile)} awsAddDefaultProviders="false"`
    const port = cluster.listeners.saslSsl?.split(':')[1]
    return {
      bootstrap: `${host}:${port}`,
      properties: {
        ...{ 'security.protocol': 'SASL_SSL', 'sasl.mechanism': 'AWS_MSK_IAM', 'max.block.ms': '20000' },
        'sasl.jaas.config': `software.amazon.msk.auth.iam.IAMLoginModule required ${login};`,
        'sasl.client.callback.handler.class': 'software.amazon.msk.auth.iam.IAMClientCallbackHandler',
        ...{ 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': cluster.files.ca },
      },
    }
  }
}
