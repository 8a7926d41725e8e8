import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ProducerOptions, SaslOptions } from '../../src/index.ts'
import { failureOf, namesOf, stepsOf } from '../diagnose/steps.ts'
import { canarySecret, expectNoSecret } from '../support/canary.ts'
import { startCluster, type RealCluster } from '../support/kafka/cluster.ts'
import { createTopic } from '../support/kafka/readers.ts'
import { describeBrokers } from '../support/kafka/require-brokers.ts'
import { allow, showCertificate } from '../support/kafka/security-admin.ts'
import { NEWEST_VERSION } from '../support/kafka/versions.ts'
import { kafkaVersionsUnderTest } from '../support/kafka/versions-under-test.ts'
import { Authority, daysFromNow, type Issued } from '../support/tls/authority.ts'

const CONTAINER = 'kafka_headrace_7'
const ELSEWHERE = '127.0.0.9'

/** The fourteen diagnoses, on a real Kafka: what somebody reads who has made that mistake. */
describeBrokers('what diagnose says of a real cluster', () => {
  let cluster: RealCluster
  let authority: Authority
  let foreign: Authority
  let good: Issued
  const [topic, closed] = [`orders-${randomUUID()}`, `closed-${randomUUID()}`]

  beforeAll(async () => {
    authority = await Authority.root('check authority')
    foreign = await Authority.root('foreign authority')
    good = await authority.issue({ rsaBits: 2048 })
    cluster = await startCluster({
      ...{ version: '4.3.1', nodes: 1, security: true, authorizer: true, serverCertificate: good },
      // A listener that advertises the name of a container, and one that advertises where nothing listens.
      advertisedHosts: { ssl: CONTAINER, mtls: ELSEWHERE },
      properties: {
        ...{ 'auto.create.topics.enable': 'false', 'connections.max.reauth.ms': '60000' },
        // Each thread of a listener has its certificate for itself: with one, all connections meet the same.
        'num.network.threads': '1',
      },
    })
    for (const name of [topic, closed]) {
      await createTopic({ ...cluster.at, topic: name, partitions: 3, replicationFactor: 1 })
    }
    await allow(cluster, { principal: 'User:alice', topic, operations: ['write'] })
    await allow(cluster, { principal: 'User:alice', topic: closed, operations: ['describe'] })
  })

  afterAll(async () => {
    await cluster.close()
    await authority.remove()
    await foreign.remove()
  })

  const at = (listener: 'ssl' | 'mtls' | 'saslPlaintext' | 'saslSsl'): string => cluster.listeners[listener] ?? ''
  const trusted = (): { ca: string } => ({ ca: authority.cert })
  const ours = (): { cert: string; key: string } => ({
    cert: readFileSync(cluster.files.clientCert ?? '', 'utf8'),
    key: readFileSync(cluster.files.clientKey ?? '', 'utf8'),
  })
  const alice = (): SaslOptions => ({
    ...{ mechanism: 'scram-sha-512', username: 'alice', password: cluster.users['alice'] ?? '' },
  })

  /** What fails, as `host:port: sentence`; in less than a second and without a secret. */
  async function said(
    options: ProducerOptions,
    wantedTopic?: string,
  ): Promise<[step: string, code: string, message: string]> {
    const { step, code = '', message, ms } = await failureOf(options, wantedTopic)
    expect(ms).toBeLessThan(1000)
    expectNoSecret(message, [...Object.values(cluster.users), ours().key])
    return [step, code, message]
  }

  it('is that all is well, where it is', async () => {
    const options = { brokers: at('saslSsl'), tls: trusted(), sasl: alice() }
    const steps = await stepsOf(options, topic)
    const way = ['resolve', 'tcp', 'tls', 'api-versions', 'sasl', 'metadata', 'topic', 'authorization']
    expect(namesOf(steps)).toEqual(way)
    const message = (step: string): string => steps.find((one) => one.step === step)?.message ?? ''
    expect(message('tls')).toContain(
      'TLSv1.3; the broker\'s certificate "localhost" is for localhost, 127.0.0.1, expires on',
    )
    expect(message('tls')).toContain('signed by "check authority"')
    expect(message('api-versions')).toMatch(/the broker answers, with \d\d APIs: most likely Kafka 4\.3 or newer$/)
    expect(message('sasl')).toMatch(
      /SCRAM-SHA-512, user "alice": the broker takes the login, for (59|60) s, then it is repeated$/,
    )
    expect(message('metadata')).toMatch(/: cluster "\S{22}" of 1 broker: 1 at 127\.0\.0\.1:\d+; controller 1$/)
    expect(message('topic')).toBe(`topic "${topic}" has 3 partitions, each with a leader`)
    expect(message('authorization')).toBe(`user "alice" may write to topic "${topic}"`)
    expectNoSecret(steps, Object.values(cluster.users))
  })

  it('1: the wrong port, where nothing listens or where HTTP is spoken', async () => {
    const brokers = '127.0.0.1:1'
    const [step, code, message] = await said({ brokers })
    expect([step, code]).toEqual(['tcp', 'CONNECTION_REFUSED'])
    expect(message).toMatch(
      /^127\.0\.0\.1:1: connection refused \(ECONNREFUSED\): nothing listens there\. Is the broker running/,
    )
    const server = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const http = await said({ brokers: `127.0.0.1:${(server.address() as AddressInfo).port}` })
    server.close()
    expect(http.slice(0, 2)).toEqual(['api-versions', 'PEER_SPEAKS_HTTP'])
    expect(http[2]).toContain('this port answers HTTP, not Kafka. Use the port of a Kafka listener')
  })

  it.each(['ssl', 'mtls', 'saslSsl'] as const)('2: plaintext on a TLS port, %s', async (listener) => {
    const [step, code, message] = await said({ brokers: at(listener) })
    expect([step, code]).toEqual(['tls', 'PEER_SPEAKS_TLS'])
    expect(message).toContain(
      `${at(listener)}: this port speaks TLS: set tls. true is enough where a public authority has signed`,
    )
  })

  it('3: TLS on a plaintext port', async () => {
    for (const brokers of [cluster.listeners.plaintext, at('saslPlaintext')]) {
      const [step, code, message] = await said({ brokers, tls: trusted() })
      expect([step, code]).toEqual(['tls', 'PEER_NOT_TLS'])
      expect(message).toContain('does not speak TLS: is this a plaintext listener? Leave out tls, or use the port of')
    }
  })

  it('4: the wrong CA', async () => {
    const [step, code, message] = await said({ brokers: at('saslSsl'), tls: { ca: foreign.cert }, sasl: alice() })
    expect([step, code]).toEqual(['tls', 'CERTIFICATE_CHAIN_INCOMPLETE'])
    expect(message).toContain(
      'is signed by "check authority", whose certificate is neither in tls.ca nor sent by the broker',
    )
    expect(message).toContain('if it is your own authority, set tls.ca to it (it has "foreign authority")')
  })

  it('5, 6, 7: a certificate that has signed itself, has expired, or is for another host', async () => {
    const asked = { brokers: at('saslSsl'), tls: trusted(), sasl: alice() }
    await showCertificate(cluster, await authority.selfSigned('localhost'))
    const selfSigned = await said(asked)
    expect(selfSigned.slice(0, 2)).toEqual(['tls', 'CERTIFICATE_SELF_SIGNED'])
    expect(selfSigned[2]).toContain('is signed by itself and not in tls.ca: if it is the right one, set tls.ca to it')
    const end = daysFromNow(-0.5)
    await showCertificate(cluster, await authority.issue({ to: end }))
    const expired = await said(asked)
    expect(expired.slice(0, 2)).toEqual(['tls', 'CERTIFICATE_EXPIRED'])
    expect(expired[2]).toContain(`("localhost") expired on ${end.toISOString().slice(0, 10)} (here it is `)
    expect(expired[2]).toContain('the broker needs a new one')
    await showCertificate(cluster, await authority.issue({ names: 'DNS:elsewhere.test' }))
    const wrongHost = await said(asked)
    expect(wrongHost.slice(0, 2)).toEqual(['tls', 'CERTIFICATE_HOST_MISMATCH'])
    expect(wrongHost[2]).toContain('is not for 127.0.0.1, but for elsewhere.test: dial and advertise a name')
    await showCertificate(cluster, good)
  })

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    '8, 9: a client certificate that is missing, or refused, %s',
    async (version) => {
      const tls = { ...trusted(), minVersion: version, maxVersion: version }
      const missing = await said({ brokers: at('mtls'), tls })
      expect(missing.slice(0, 2)).toEqual(['tls', 'CLIENT_CERTIFICATE_REQUIRED'])
      expect(missing[2]).toContain('the broker asks for a client certificate: set tls.cert and tls.key')
      const nobody = await foreign.issue({ usage: 'clientAuth', commonName: 'nobody', rsaBits: 2048 })
      const refused = await said({ brokers: at('mtls'), tls: { ...tls, ...nobody } })
      expect(refused.slice(0, 2)).toEqual(['tls', 'CLIENT_CERTIFICATE_REFUSED'])
      expect(refused[2]).toMatch(/our client certificate, tls\.cert/)
    },
  )

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)('10: a wrong password, %s', async (mechanism) => {
    const sasl = { mechanism, username: 'alice', password: canarySecret('wrong password of a check') }
    const [step, code, message] = await said({ brokers: at('saslPlaintext'), sasl })
    expect([step, code]).toEqual(['sasl', 'SASL_AUTHENTICATION_FAILED'])
    expect(message).toContain(`${mechanism.toUpperCase()}, user "alice": the broker says: Authentication failed`)
    expect(message).toContain('. Check user name and password.')
    if (mechanism !== 'plain') expect(message).toContain('A SCRAM user must exist for this very mechanism')
    expectNoSecret(message)
  })

  it('11: a mechanism that the broker does not have', async () => {
    const sasl: SaslOptions = {
      ...{ mechanism: 'aws-msk-iam', region: 'eu-west-1' },
      credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'example' },
    }
    const [step, code, message] = await said({ brokers: at('saslSsl'), tls: trusted(), sasl })
    expect([step, code]).toEqual(['sasl', 'UNSUPPORTED_SASL_MECHANISM'])
    expect(message).toMatch(/the broker does not have AWS_MSK_IAM on this listener; it has [A-Z0-9, -]*SCRAM-SHA-256/)
    expect(message).toContain('. Set sasl.mechanism to one that the listener has')
  })

  it('12: an advertised address that cannot be reached: the name of a container, or a port where nothing is', async () => {
    const [, port = ''] = at('ssl').split(':')
    const named = (await stepsOf({ brokers: at('ssl'), tls: trusted() })).at(-1)
    expect(named).toMatchObject({ step: `broker 1 at ${CONTAINER}:${port}`, ok: false, code: 'HOST_NOT_FOUND' })
    expect(named?.message).toContain(
      `broker 1 calls itself ${CONTAINER}:${port} (its advertised.listeners), and records for`,
    )
    expect(named?.message).toContain(
      'It looks like the name of a container or pod, which is known only inside of its own network',
    )
    const refused = (await stepsOf({ brokers: at('mtls'), tls: { ...trusted(), ...ours() } })).at(-1)
    const mtlsPort = at('mtls').split(':')[1] ?? ''
    expect(refused).toMatchObject({
      step: `broker 1 at ${ELSEWHERE}:${mtlsPort}`,
      ok: false,
      code: 'CONNECTION_REFUSED',
    })
    expect(refused?.message).toContain(
      'set advertised.listeners of broker 1 to a host and port that this machine can reach',
    )
  })

  it('13: a topic that is missing', async () => {
    const misspelt = topic.replace('orders', 'ordesr')
    const [step, code, message] = await said({ brokers: cluster.listeners.plaintext }, misspelt)
    expect([step, code]).toEqual(['topic', 'UNKNOWN_TOPIC_OR_PARTITION'])
    expect(message).toContain(`the cluster has no topic "${misspelt}"; did you mean "${topic}"? Check the spelling`)
  })

  it('14: no right to write, or even to see', async () => {
    const asked = { brokers: at('saslPlaintext'), sasl: alice() }
    const [step, code, message] = await said(asked, closed)
    expect([step, code]).toEqual(['authorization', 'TOPIC_AUTHORIZATION_FAILED'])
    expect(message).toContain(
      `user "alice" may not write to topic "${closed}": all it may do is DESCRIBE. Give it WRITE: kafka-acls.sh --add --allow-principal User:alice --producer --topic ${closed}`,
    )
    const hidden = await said(asked, `hidden-${topic}`)
    expect(hidden.slice(0, 2)).toEqual(['authorization', 'TOPIC_AUTHORIZATION_FAILED'])
    expect(hidden[2]).toContain('it has no right on it, not even to see whether it is there')
  })

  it('is, of a listener that wants a login from who has given none, just that', async () => {
    const [step, code, message] = await said({ brokers: at('saslPlaintext') })
    expect([step, code]).toEqual(['sasl', 'CONNECTION_CLOSED'])
    expect(message).toContain('does this listener want SASL? If it does, set sasl')
  })
})

/** The release in its words: `0.10.0`, but `2.8`. */
const releaseOf = (version: string): string =>
  version
    .split('.')
    .slice(0, version.startsWith('0.10') ? 3 : 2)
    .join('.')

describeBrokers('what diagnose says of brokers of every age', () => {
  it.each(kafkaVersionsUnderTest().map(({ version }) => version))('is which they are: %s', async (version) => {
    await using cluster = await startCluster({ version, nodes: 1 })
    const brokers = cluster.listeners.plaintext
    // These brokers create topics that are asked for: one that the first question had made would be there for the second.
    for (let i = 0; i < 2; i++) expect(await failureOf({ brokers }, 'nowhere')).toMatchObject({ step: 'topic' })
    const steps = await stepsOf({ brokers })
    const known = releaseOf(version) + (version === NEWEST_VERSION ? ' or newer' : '')
    expect(steps.find(({ step }) => step === 'api-versions')?.message).toMatch(
      new RegExp(` most likely Kafka ${known}$`),
    )
  })
})
