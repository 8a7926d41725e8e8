import path from 'node:path'
import { makeCertificates, type ServerIdentity } from './certificates.ts'
import { listenersOf, zookeeperAddress, type ClusterPlan } from './cluster-plan.ts'
import type { At } from './java-helper.ts'
import { alterUsers, awaitLogin } from './scram-users.ts'
import { KAFKA_VERSIONS, kafkaVersion } from './versions.ts'

/** What of a cluster's options its `security` has to do with; see `ClusterOptions`. */
interface SecurityOptions {
  readonly version: string
  readonly security?: boolean
  readonly authorizer?: boolean
  readonly serverCertificate?: ServerIdentity
  readonly dnsNames?: readonly string[]
}

/** @throws {RangeError} a broker of this version cannot have that. */
export function checkSecurity({ version, security = false, authorizer = false }: SecurityOptions): void {
  const { keyStore, mode } = kafkaVersion(version)
  if (security && keyStore === 'none') {
    const first = KAFKA_VERSIONS.filter((row) => row.keyStore !== 'none').at(-1)
    const why = 'has neither SCRAM nor listeners with names'
    throw new RangeError(`Kafka ${version} ${why}: \`security\` needs ${first?.version ?? 'a version'} or newer`)
  }
  if (authorizer && (!security || mode !== 'kraft')) throw new RangeError('`authorizer` needs `security`, and KRaft')
}

/** With keys for its brokers and its clients, made on the spot. */
export async function withCertificates(plan: ClusterPlan, options: SecurityOptions): Promise<ClusterPlan> {
  const { keyStore } = kafkaVersion(plan.version)
  const wish = { keyStore: keyStore === 'none' ? 'pem' : keyStore, server: options.serverCertificate } as const
  const certificates = await makeCertificates(path.join(plan.folder, 'tls'), { ...wish, dnsNames: options.dnsNames })
  return { ...plan, certificates }
}

/** Lets in by SCRAM whoever is in the plan; resolves when every broker does. */
export async function addUsers(plan: ClusterPlan): Promise<void> {
  const users = Object.entries(plan.users)
  const [last] = users.slice(-1)
  if (last === undefined) return
  await alterUsers(atCluster(plan), users)
  // They are all told at once: who knows one knows all.
  const [user, password] = last
  await awaitLogin({ ...atCluster(plan), bootstrap: listenersOf(plan).saslPlaintext ?? '' }, { user, password }, true)
}

/** For Kafka's own clients and tools. */
export function atCluster(plan: ClusterPlan): At {
  const zookeeper = zookeeperAddress(plan)
  return {
    ...{ bootstrap: listenersOf(plan).plaintext, version: plan.version },
    ...(zookeeper === undefined ? {} : { zookeeper }),
  }
}
