import { readFileSync } from 'node:fs'
import { quoted } from './broker-security.ts'
import type { RealCluster } from './cluster.ts'

export type SaslListener = 'saslPlaintext' | 'saslSsl'

/** Settings with which Kafka's own clients log in, as alice if nobody else is named; OAUTHBEARER needs no password. */
export function javaSecurity(
  cluster: RealCluster,
  listener: SaslListener,
  mechanism: string,
  who: string | { readonly user: string; readonly password: string },
): Record<string, string> {
  return {
    'security.protocol': listener === 'saslSsl' ? 'SASL_SSL' : 'SASL_PLAINTEXT',
    ...javaSasl(mechanism, typeof who === 'string' ? { user: 'alice', password: who } : who),
    ...(listener === 'saslSsl' ? trust(cluster) : {}),
  }
}

/** The part that says who; with OAUTHBEARER the password is the token, and without one Kafka's client makes it itself. */
export function javaSasl(
  mechanism: string,
  { user, password }: { readonly user: string; readonly password: string },
): Record<string, string> {
  const modules: Record<string, string> = { PLAIN: 'plain.Plain', OAUTHBEARER: 'oauthbearer.OAuthBearer' }
  const login = `org.apache.kafka.common.security.${modules[mechanism] ?? 'scram.Scram'}LoginModule required`
  const named = `username=${quoted(user)} password=${quoted(password)}`
  const token = password === '' ? `unsecuredLoginStringClaim_sub=${quoted(user)}` : `token=${quoted(password)}`
  const isOwnToken = mechanism === 'OAUTHBEARER' && password !== ''
  return {
    'sasl.mechanism': mechanism,
    'sasl.jaas.config': `${login} ${mechanism === 'OAUTHBEARER' ? token : named};`,
    ...(isOwnToken ? { 'sasl.login.callback.handler.class': 'FixedToken' } : {}),
  }
}

/** Settings with which Kafka's own clients use the listener `ssl`, or with our client certificate `mtls`. */
export function javaTls(cluster: RealCluster, listener: 'ssl' | 'mtls'): Record<string, string> {
  const text = (file = '') => readFileSync(file, 'utf8')
  const { clientKey, clientCert } = cluster.files
  const identity = {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.key': text(clientKey),
    'ssl.keystore.certificate.chain': text(clientCert),
  }
  return { 'security.protocol': 'SSL', ...trust(cluster), ...(listener === 'mtls' ? identity : {}) }
}

function trust({ files }: RealCluster): Record<string, string> {
  return { 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': files.ca ?? '' }
}
