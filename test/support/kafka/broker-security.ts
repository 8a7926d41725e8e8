import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Certificates } from './certificates.ts'
import type { ClusterPlan } from './cluster-plan.ts'
import { kafkaVersion } from './versions.ts'

type Properties = Record<string, string>

const SASL_LISTENERS = ['sasl_plaintext', 'sasl_ssl']
const LOGIN_MODULES = 'org.apache.kafka.common.security'
const SCRAM_MODULE = `${LOGIN_MODULES}.scram.ScramLoginModule required;`
const MECHANISMS_BEFORE_2_0 = 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512'

/** What a broker with `security` is told about its keys, its users and who may do what. */
export function securityProperties(plan: ClusterPlan): Properties {
  if (plan.certificates === undefined) return {}
  const sasl = hasJaasFile(plan) ? { 'sasl.enabled.mechanisms': MECHANISMS_BEFORE_2_0 } : saslProperties(plan)
  return { ...tls(plan.certificates), ...sasl, ...(plan.hasAuthorizer ? AUTHORIZER : {}) }
}

/** JVM flags of a broker that takes its login modules from a file: one before 1.1, which has no property for them. */
export function securityFlags(plan: ClusterPlan): string[] {
  if (!hasJaasFile(plan)) return []
  // The file is not for the broker's connection to ZooKeeper, which would look for itself in it.
  return [`-Djava.security.auth.login.config=${jaasFile(plan)}`, '-Dzookeeper.sasl.client=false']
}

export async function writeJaasFile(plan: ClusterPlan): Promise<void> {
  if (!hasJaasFile(plan)) return
  await writeFile(jaasFile(plan), `KafkaServer {\n${plainModule(plan)}\n${SCRAM_MODULE}\n};\n`, { mode: 0o600 })
}

function hasJaasFile({ version, certificates }: ClusterPlan): boolean {
  return certificates !== undefined && kafkaVersion(version).keyStore === 'pkcs12'
}

function jaasFile({ folder }: ClusterPlan): string {
  return path.join(folder, 'jaas.conf')
}

function tls({ storeType, keyStore, trustStore, password }: Certificates): Properties {
  const stores = { type: storeType, password: storeType === 'PEM' ? undefined : password }
  const settings = {
    ...{
      'ssl.keystore.type': stores.type,
      'ssl.keystore.location': keyStore,
      'ssl.keystore.password': stores.password,
    },
    'ssl.key.password': password,
    ...{ 'ssl.truststore.type': stores.type, 'ssl.truststore.location': trustStore },
    'ssl.truststore.password': stores.password,
    'listener.name.mtls.ssl.client.auth': 'required',
    // So that a running broker can be given a certificate with other names (KIP-978).
    ...{ 'ssl.allow.dn.changes': 'true', 'ssl.allow.san.changes': 'true' },
  }
  const isSet = (entry: [string, string | undefined]): entry is [string, string] => entry[1] !== undefined
  return Object.fromEntries(Object.entries(settings).filter(isSet))
}

/** Who has no certificate and no name, as we on the plain listener, may do all. */
const AUTHORIZER: Properties = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS',
}

function saslProperties(plan: ClusterPlan): Properties {
  const modules: Properties = {
    plain: plainModule(plan),
    'scram-sha-256': SCRAM_MODULE,
    'scram-sha-512': SCRAM_MODULE,
    // The broker itself has to log in with a token as well, whoever that is.
    oauthbearer: `${LOGIN_MODULES}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
  }
  const perListener = SASL_LISTENERS.flatMap((listener) =>
    Object.entries(modules).map(([mechanism, jaas]): [string, string] => [
      `listener.name.${listener}.${mechanism}.sasl.jaas.config`,
      jaas,
    ]),
  )
  return {
    'sasl.enabled.mechanisms': `${MECHANISMS_BEFORE_2_0},OAUTHBEARER`,
    ...Object.fromEntries(perListener),
  }
}

function plainModule({ users }: ClusterPlan): string {
  // A name may be quoted like a value, and must be where it has a comma or an equals sign in it.
  const options = Object.entries(users).map(([name, password]) => `${quoted(`user_${name}`)}=${quoted(password)}`)
  return `${LOGIN_MODULES}.plain.PlainLoginModule required ${options.join(' ')};`
}

/** A string of JAAS. */
export function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
