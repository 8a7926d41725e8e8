import type { RealCluster } from './cluster.ts'

/** Settings with which Kafka's own clients log in as alice; a token of OAUTHBEARER needs no password. */
export function javaSecurity(
  cluster: RealCluster,
  listener: 'saslPlaintext' | 'saslSsl',
  mechanism: string,
  password: string,
): Record<string, string> {
  const modules: Record<string, string> = { PLAIN: 'plain.Plain', OAUTHBEARER: 'oauthbearer.OAuthBearer' }
  const login = `org.apache.kafka.common.security.${modules[mechanism] ?? 'scram.Scram'}LoginModule required`
  const who =
    mechanism === 'OAUTHBEARER' ? 'unsecuredLoginStringClaim_sub="alice"' : `username="alice" password="${password}"`
  return {
    'security.protocol': listener === 'saslSsl' ? 'SASL_SSL' : 'SASL_PLAINTEXT',
    'sasl.mechanism': mechanism,
    'sasl.jaas.config': `${login} ${who};`,
    'ssl.truststore.type': 'PEM',
    ...(listener === 'saslSsl' ? { 'ssl.truststore.location': cluster.files.ca ?? '' } : {}),
  }
}
