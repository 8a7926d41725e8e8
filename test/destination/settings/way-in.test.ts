import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { toProducerOptions } from '../../../src/destination/settings/producer-options.ts'
import { KafkaError, Producer } from '../../../src/index.ts'
import { TestCluster, type TestClusterOptions } from '../../../src/testing/test-cluster.ts'
import { canarySecret } from '../../support/canary.ts'
import { Authority, type Issued } from '../../support/tls/authority.ts'

/** Settings lead to a producer that gets in, or says why not: each way against a listener on this machine. */
let authority: Authority
let broker: Issued
let client: Issued

beforeAll(async () => {
  authority = await Authority.root('destination')
  broker = await authority.issue()
  client = await authority.issue({ usage: 'clientAuth', commonName: 'writer' })
}, 60_000)

afterAll(async () => {
  await authority.remove()
})

const open: (() => unknown)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

const password = canarySecret('password of ann')

async function clusterOf(options: TestClusterOptions): Promise<TestCluster> {
  const cluster = await TestCluster.start({ topics: { t: 1 }, ...options })
  open.push(() => cluster.close())
  return cluster
}

/** Sends one record with these settings. @returns what the cluster has then, or the code of the error. */
async function outcome(cluster: TestCluster, settings: object): Promise<string> {
  const brokers = cluster.bootstrap
  const producer = new Producer({
    ...toProducerOptions({ clientId: 'a-client', brokers, ...settings }),
    maxBlockMs: 3000,
  })
  open.push(() => producer.close({ timeoutMs: 0 }))
  try {
    await producer.send({ topic: 't', value: 'hello' })
    return cluster
      .records('t')
      .map(({ value }) => String(value))
      .join()
  } catch (error) {
    return error instanceof KafkaError ? error.code : String(error)
  }
}

describe.each(['plain', 'scram-sha-256', 'scram-sha-512'])('seg-S4: %s', (mechanism) => {
  const login = { mechanism, username: 'ann', password }
  const sasl = { users: { ann: password } }

  test('gets in over TLS, by default', async () => {
    const cluster = await clusterOf({ tls: { ...broker }, sasl })
    expect(await outcome(cluster, { ...login, ssl_ca: authority.cert })).toBe('hello')
  })

  test('gets in without TLS, if that is switched off', async () => {
    expect(await outcome(await clusterOf({ sasl }), { ...login, ssl_enabled: false })).toBe('hello')
  })

  test('a wrong password is an error of authentication, at once', async () => {
    const wrong = { ...login, password: canarySecret('wrong password'), ssl_enabled: false }
    expect(await outcome(await clusterOf({ sasl }), wrong)).toBe('SASL_AUTHENTICATION_FAILED')
  })
})

describe('seg-S5: client-cert-auth', () => {
  const wanting = (): TestClusterOptions => ({
    tls: { ...broker, ca: authority.cert, requestCert: true, rejectUnauthorized: true },
  })
  const login = (): object => ({ mechanism: 'client-cert-auth', ssl_cert: client.cert, ssl_key: client.key })

  test('gets in with ssl_ca', async () => {
    expect(await outcome(await clusterOf(wanting()), { ...login(), ssl_ca: authority.cert })).toBe('hello')
  })

  test('gets in without ssl_ca', async () => {
    const settings = { ...login(), ssl_reject_unauthorized_ca: false }
    expect(await outcome(await clusterOf(wanting()), settings)).toBe('hello')
  })

  test('and nobody gets in there without a certificate', async () => {
    const settings = { mechanism: 'plain', username: 'ann', password, ssl_ca: authority.cert }
    expect(await outcome(await clusterOf(wanting()), settings)).toBe('CLIENT_CERTIFICATE_REQUIRED')
  })
})

describe('seg-S6: who the broker is', () => {
  const login = { mechanism: 'plain', username: 'ann', password }
  const options = (): TestClusterOptions => ({ tls: { ...broker }, sasl: { users: { ann: password } } })

  test('is checked by default', async () => {
    expect(await outcome(await clusterOf(options()), login)).toMatch(/^CERTIFICATE_/)
  })

  test('is not checked with ssl_reject_unauthorized_ca: false, without ssl_ca', async () => {
    const cluster = await clusterOf(options())
    expect(await outcome(cluster, { ...login, ssl_reject_unauthorized_ca: false })).toBe('hello')
  })
})
