import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { ServerIdentity } from './certificates.ts'
import type { RealCluster } from './cluster.ts'
import type { At } from './java-helper.ts'
import { javaSecurity, type SaslListener } from './java-security.ts'
import { sharedJavaHelper } from './readers.ts'
import { awaitCertificate } from './shown-certificate.ts'
import { alterUsers, awaitLogin, logsIn, type Who } from './scram-users.ts'

/** What an administrator does to a cluster with `security` while it runs, by Kafka's own clients and tools. */
const TLS_LISTENERS = ['ssl', 'mtls', 'sasl_ssl']

/** Lets `user` in by SCRAM, with this password from now on; resolves when the brokers do. */
export async function putUser(cluster: RealCluster, user: string, password: string): Promise<void> {
  await alterUsers(cluster.at, [[user, password]])
  await awaitLogin(atSasl(cluster), { user, password }, true)
}

/** Takes the SCRAM credentials of `user` away, whose password was this one; resolves when no broker lets it in any more. */
export async function deleteUser(cluster: RealCluster, user: string, password: string): Promise<void> {
  await alterUsers(cluster.at, [[user, null]])
  await awaitLogin(atSasl(cluster), { user, password }, false)
}

function atSasl({ at, listeners }: RealCluster): At {
  return { ...at, bootstrap: listeners.saslPlaintext ?? '' }
}

interface Login {
  readonly listener: SaslListener
  readonly mechanism: string
  readonly who: Who
}

/** By Kafka's own client. @throws it does not get in. */
export async function logIn(cluster: RealCluster, login: Login): Promise<void> {
  await (await sharedJavaHelper(cluster.version)).ask('login', atLogin(cluster, login))
}

/** Whether Kafka's own client gets in; of brokers before 1.0 ask that only where it does not, see `logsIn`. */
export async function canLogIn(cluster: RealCluster, login: Login): Promise<boolean> {
  return logsIn(atLogin(cluster, login))
}

function atLogin(cluster: RealCluster, { listener, mechanism, who }: Login): At {
  const properties = javaSecurity(cluster, listener, mechanism, who)
  return { ...cluster.at, bootstrap: cluster.listeners[listener] ?? '', properties }
}

export interface Permission {
  /** Such as `User:CN=headrace-client`. */
  readonly principal: string
  readonly topic: string
  /** Kafka's names: write, describe, read... Write includes describe. */
  readonly operations: readonly string[]
}

/** Lets this principal do that on a cluster with `authorizer`; brokers hear of it a moment later. */
export async function allow({ at, version }: RealCluster, permission: Permission): Promise<void> {
  await (await sharedJavaHelper(version)).ask('allow', at, permission)
}

/**
 * Resolves when every node shows this certificate on its TLS listeners: in a tenth of a second, where another cluster
 * would take seconds. Connections that are there are not asked again. Newest versions only (3.7 and later).
 */
export async function showCertificate(cluster: RealCluster, { cert, key }: ServerIdentity): Promise<void> {
  const folder = path.dirname(cluster.files.ca ?? '')
  // Another name each time: a broker looks into a file again only when its name is another.
  const file = path.join(folder, `shown-${randomUUID()}.pem`)
  await writeFile(file, key + cert)
  const listeners = TLS_LISTENERS.map((listener) => [`listener.name.${listener}.ssl.keystore.location`, file])
  const helper = await sharedJavaHelper(cluster.version)
  for (const node of cluster.pids.keys()) {
    await helper.ask('alterBroker', cluster.at, { node: String(node + 1), configs: Object.fromEntries(listeners) })
  }
  const { ssl = '', mtls = '', saslSsl = '' } = cluster.listeners
  for (const address of [ssl, mtls, saslSsl].join().split(',')) await awaitCertificate(address, cert)
}

export interface Claims {
  readonly sub: string
  readonly lifetimeSeconds: number
}

/** A token that nobody signed, as brokers of this harness take it for OAUTHBEARER: RFC 7515, appendix A.5. */
export function unsecuredToken({ sub, lifetimeSeconds }: Claims): string {
  const issuedAtSeconds = Math.floor(Date.now() / 1000)
  const claims = { sub, iat: issuedAtSeconds, exp: issuedAtSeconds + lifetimeSeconds }
  const parts = [{ alg: 'none' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  return `${parts.join('.')}.`
}
