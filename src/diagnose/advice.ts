import type { KafkaError, ProtocolErrorCode } from '../errors.ts'
import type { MechanismName } from '../sasl/options.ts'
import type { ConnectStepName } from './way.ts'

const NOT_KAFKA: ReadonlySet<string> = new Set<ProtocolErrorCode>([
  ...(['INVALID_FRAME', 'CORRELATION_MISMATCH', 'TRUNCATED', 'TRAILING_BYTES', 'INVALID_VALUE'] as const),
])

/**
 * What to try, for somebody who reads it at night: whole sentences, or nothing, where the error says it all. What is wrong
 * with certificates has its advice where it is told (tls/tls-sentences.ts).
 */
export function adviceFor({ code }: KafkaError, step: ConnectStepName, mechanism: MechanismName | undefined): string {
  if (code === 'CONNECT_TIMEOUT') return TIMEOUTS[step]
  if (code === 'SASL_AUTHENTICATION_FAILED' && mechanism !== undefined) return LOGINS[mechanism]
  if (NOT_KAFKA.has(code)) return 'What came back is not the Kafka protocol: is this the port of another service?'
  return ADVICE[code] ?? ''
}

const ADVICE: Readonly<Record<string, string>> = {
  HOST_NOT_FOUND:
    "Is it spelled right, and does this machine's DNS know it? Names of containers and of Kubernetes services are known only inside of their own network.",
  CONNECTION_REFUSED:
    'Is the broker running, is this the port of one of its listeners, and does that listen on this address, and not on localhost only?',
  PEER_SPEAKS_HTTP:
    'Use the port of a Kafka listener (often 9092 to 9096): this one belongs to a web console, a REST proxy, a schema registry or the like.',
  PEER_SPEAKS_TLS:
    'true is enough where a public authority has signed the certificates of the brokers; with one of your own give tls.ca.',
  UNSUPPORTED_SASL_MECHANISM:
    'Set sasl.mechanism to one that the listener has, or use the port of a listener that has this one.',
  UNSUPPORTED_VERSION: 'headrace needs Kafka 0.10 or newer.',
}

const SCRAM =
  'Check user name and password. A SCRAM user must exist for this very mechanism: kafka-configs.sh --describe --entity-type users shows for which.'

const LOGINS: Readonly<Record<MechanismName, string>> = {
  PLAIN: 'Check user name and password.',
  'SCRAM-SHA-256': SCRAM,
  'SCRAM-SHA-512': SCRAM,
  OAUTHBEARER: "Check the token: issuer, audience, scope and expiry, and this machine's clock.",
  AWS_MSK_IAM:
    "Check whose credentials these are, the region, this machine's clock, and that a policy allows kafka-cluster:Connect.",
}

const TIMEOUTS: Readonly<Record<ConnectStepName, string>> = {
  resolve: "This machine's name servers do not answer: /etc/resolv.conf, VPN.",
  tcp: 'Packets are lost without a word: a firewall or security group, the wrong network (VPN, VPC peering), or a machine that is down.',
  tls: '',
  'api-versions':
    'The port takes connections, and nobody answers: the broker is stuck or still starting, a proxy or load balancer has no broker behind it, or it is the port of another service.',
  sasl: 'The broker answers, but the login hangs: is what it checks the login with (LDAP, an OAuth server) there, and is our own function for the secret quick?',
}
