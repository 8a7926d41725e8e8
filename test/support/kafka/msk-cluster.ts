import { randomBytes } from 'node:crypto'
import { AwsClient, type AwsKeys } from './aws-client.ts'
import { awsPluginJar } from './aws-plugin.ts'
import { quoted } from './broker-security.ts'
import { startCluster, type RealCluster } from './cluster.ts'
import { compileJava } from './java-classes.ts'
import { findJava } from './java-installation.ts'
import { ensureJars } from './jars.ts'
import { NEWEST_VERSION } from './versions.ts'

const REGION = 'us-east-1'
const HOST = `b-1.test.abcdef.c2.kafka.${REGION}.amazonaws.com`
const OTHER_HOST = `b-1.other.abcdef.c2.kafka.${REGION}.amazonaws.com`
const LISTENER = 'listener.name.sasl_ssl'
const HOUR_SECONDS = 3_600

export interface MskOptions {
  /** How long a session lasts at most, see `connections.max.reauth.ms`; default: as long as its signature, 900 s. */
  readonly sessionMs?: number
  /** Others that are let in; those of one role have one `principal`. */
  readonly keys?: readonly (AwsKeys & { readonly principal?: string })[]
}

export type { AwsKeys } from './aws-client.ts'

/** A broker that lets in by AWS_MSK_IAM as Amazon's do; its SASL server is ours: `java/msk`. */
export interface MskCluster {
  readonly cluster: RealCluster
  readonly region: string
  /** The broker's name: what it advertises, and what must be signed. */
  readonly host: string
  /** It has a certificate for this name as well, but takes nothing that is signed for it. */
  readonly otherHost: string
  readonly port: number
  /** Who is let in: with a secret, and with a session token as well. */
  readonly keys: { readonly lasting: AwsKeys; readonly temporary: AwsKeys }
  /** Its clock is an hour ahead when it judges the first of these, and an hour late for the second. */
  readonly misjudged: { readonly expired: AwsKeys; readonly future: AwsKeys }
  /** AWS's own client; ends with the cluster. */
  readonly aws: AwsClient
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** @throws {BrokersUnavailable} as `startCluster`; or AWS's plug-in cannot be downloaded. */
export async function startMskCluster(options: MskOptions = {}): Promise<MskCluster> {
  const [java, jars, plugin] = await Promise.all([findJava(), ensureJars(NEWEST_VERSION), awsPluginJar()])
  const classes = await compileJava('msk', java, jars)
  const keys = { lasting: newKeys('LASTING'), temporary: newKeys('TEMPORARY', true) }
  const misjudged = { expired: newKeys('EXPIRED'), future: newKeys('FUTURE') }
  const known = [...Object.values(keys), ...Object.values(misjudged), ...(options.keys ?? [])]
  const clocks = { [misjudged.expired.accessKeyId]: HOUR_SECONDS, [misjudged.future.accessKeyId]: -HOUR_SECONDS }
  const cluster = await startCluster({
    ...{ version: NEWEST_VERSION, nodes: 1, security: true, dnsNames: [HOST, OTHER_HOST], classPath: [classes] },
    advertisedHosts: { saslSsl: HOST },
    properties: {
      [`${LISTENER}.sasl.enabled.mechanisms`]: 'AWS_MSK_IAM',
      [`${LISTENER}.aws_msk_iam.sasl.server.callback.handler.class`]: 'MskAccounts',
      [`${LISTENER}.aws_msk_iam.sasl.jaas.config`]: jaasLine(known, clocks),
      ...(options.sessionMs === undefined
        ? {}
        : { [`${LISTENER}.aws_msk_iam.connections.max.reauth.ms`]: String(options.sessionMs) }),
    },
  })
  const aws = await AwsClient.start(cluster, plugin, [HOST, OTHER_HOST]).catch(async (error: unknown) => {
    await cluster.close()
    throw error
  })
  const close = async () => {
    await Promise.all([aws.close(), cluster.close()])
  }
  return {
    ...{ cluster, region: REGION, host: HOST, otherHost: OTHER_HOST, keys, misjudged, aws, close },
    port: Number(cluster.listeners.saslSsl?.split(':')[1]),
    [Symbol.asyncDispose]: close,
  }
}

/** With the characters that AWS's secrets and tokens have, and that must be encoded. */
export function newKeys(name: string, isTemporary = false): AwsKeys {
  const secretAccessKey = `${randomBytes(27).toString('base64')}/+=~`
  const sessionToken = `${randomBytes(240).toString('base64')}/+==`
  const accessKeyId = `${isTemporary ? 'ASIA' : 'AKIA'}${name}${randomBytes(4).toString('hex').toUpperCase()}`
  return { accessKeyId, secretAccessKey, ...(isTemporary ? { sessionToken } : {}) }
}

/** See `MskAccounts.java`. */
function jaasLine(
  keys: readonly (AwsKeys & { readonly principal?: string })[],
  clocks: Readonly<Record<string, number>>,
): string {
  const options: [string, string][] = [
    ['region', REGION],
    ['hosts', HOST],
    ...keys.flatMap(({ accessKeyId, secretAccessKey, sessionToken, principal }): [string, string][] => [
      [`secret_${accessKeyId}`, secretAccessKey],
      ...(sessionToken === undefined ? [] : [[`token_${accessKeyId}`, sessionToken] as [string, string]]),
      ...(principal === undefined ? [] : [[`principal_${accessKeyId}`, principal] as [string, string]]),
    ]),
    ...Object.entries(clocks).map(([key, seconds]): [string, string] => [`ahead_${key}`, String(seconds)]),
  ]
  return `MskLoginModule required ${options.map(([name, value]) => `${quoted(name)}=${quoted(value)}`).join(' ')};`
}
