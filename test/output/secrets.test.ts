import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { KafkaOutput, KafkaOutputOptions } from '../../src/output/output.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import { canarySecret, expectNoSecret } from '../support/canary.ts'
import { FakeClock, until } from '../support/fake-clock.ts'
import { FakeVault, throttled } from '../support/fake-vault.ts'
import { Authority, daysFromNow, type Issued } from '../support/tls/authority.ts'
import { heard, Lines, newOutput, outputError, rejection, startCluster } from './harness.ts'

let authority: Authority
let own: Issued
let renewed: Issued
let brokers: Issued
beforeAll(async () => {
  authority = await Authority.root('authority of the output')
  own = await authority.issue({ commonName: 'the output', usage: 'clientAuth' })
  renewed = await authority.issue({ commonName: 'the output, renewed', usage: 'clientAuth' })
  brokers = await authority.issue({ commonName: 'brokers' })
})
afterAll(() => authority.remove())

let vault: FakeVault
let clock: FakeClock
beforeEach(async () => {
  clock = new FakeClock()
  // Certificates are of today.
  const wallNow = (): number => Date.now()
  clock.wallNow = wallNow
  vault = new FakeVault(wallNow)
  await vault.listen()
  return () => vault.close()
})

/** Brokers that want a certificate of ours. */
async function startMutual(): Promise<TestCluster> {
  return await startCluster({
    tls: { cert: brokers.cert, key: brokers.key, ca: authority.cert, requestCert: true, rejectUnauthorized: true },
  })
}

function fill(issued = own): void {
  vault.set('kafka-ca', authority.cert)
  vault.set('kafka-client', issued.cert + issued.key)
}

function withVault(cluster: TestCluster, more: Partial<KafkaOutputOptions> = {}): KafkaOutput {
  const names = { truststoreSecret: 'kafka-ca', clientCertificateSecret: 'kafka-client' }
  return newOutput(cluster, {
    ...{ securityProtocol: 'mTLS', fetch: vault.fetch, clock },
    keyVault: { vaultName: 'team-vault', ...names },
    ...more,
  })
}

function names(cluster: TestCluster): (string | undefined)[] {
  return [...new Set(cluster.requests.filter(({ api }) => api === 'Produce').map(({ principal }) => principal))]
}

describe('asa-Z8: secrets of a vault', () => {
  it('are what the brokers are shown', async () => {
    fill()
    const cluster = await startMutual()
    const lines = new Lines()
    const output = withVault(cluster, { logger: lines.logger })
    expect(await vault.settle(clock, output.write([{ a: 1 }]))).toMatchObject({ delivered: 1 })
    expect(new X509Certificate(own.cert).subject).toContain('CN=the output')
    expect(vault.requestsTo().map(({ path }) => path)).toEqual(['/secrets/kafka-ca', '/secrets/kafka-client'])
    expectNoSecret(lines.all)
  })

  it.each<[string, (fake: FakeVault) => void]>([
    ['SECRET_NOT_FOUND', () => undefined],
    [
      'SECRET_DELETED',
      (fake) => {
        fill()
        fake.delete('kafka-client')
      },
    ],
    [
      'SECRET_DISABLED',
      (fake) => {
        fill()
        fake.disable('kafka-client')
      },
    ],
    ['IDENTITY_NOT_ALLOWED', (fake) => (fill(), void (fake.forbidden = 'ForbiddenByRbac'))],
    [
      'IDENTITY_NOT_FOUND',
      (fake) => {
        fill()
        fake.identities.clear()
      },
    ],
    ['VAULT_NOT_FOUND', (fake) => void fake.unreachable.set(fake.host, 'ENOTFOUND')],
    ['THROTTLED', (fake) => (fill(), void fake.faults.vault.push(...Array.from({ length: 20 }, () => throttled())))],
    ['KEY_MISSING', (fake) => (fill(), void fake.set('kafka-client', own.cert))],
  ])('that cannot be had end the first write before a row is read: %s', async (code, spoil) => {
    spoil(vault)
    const cluster = await startMutual()
    const lines = new Lines()
    const output = withVault(cluster, { logger: lines.logger })
    const error = await vault.settle(clock, rejection(output.write([{ a: 1 }])))
    expect(error).toMatchObject({ name: 'KeyVaultError', code })
    expect(output.metrics()['Input Events']).toBe(0)
    const tested = await vault.settle(clock, outputError(output.testConnection()))
    expect(tested.steps[0]).toMatchObject({ step: 'secrets', ok: false, code })
    expect(tested.steps.slice(1).every(({ ok }) => ok === null)).toBe(true)
    expectNoSecret([error, tested, lines.all])
  })

  it('that have expired end the first write, and the next one asks anew', async () => {
    const old = await authority.issue({ usage: 'clientAuth', from: daysFromNow(-10), to: daysFromNow(-1) })
    fill(old)
    const cluster = await startMutual()
    const output = withVault(cluster)
    const error = await vault.settle(clock, rejection(output.write([{ a: 1 }])))
    expect(error).toMatchObject({ name: 'KeyVaultError', code: 'CERTIFICATE_EXPIRED' })
    fill()
    expect(await vault.settle(clock, output.write([{ a: 1 }]))).toMatchObject({ delivered: 1 })
  })

  it('are looked at again without a restart, and new connections use the new ones', async () => {
    fill()
    const cluster = await startMutual()
    const told = heard('headrace:output:secrets')
    const names = { truststoreSecret: 'kafka-ca', clientCertificateSecret: 'kafka-client' }
    const output = withVault(cluster, { keyVault: { vaultName: 'team-vault', ...names, refreshIntervalMs: 60_000 } })
    await vault.settle(clock, output.write([{ a: 1 }]))
    vault.set('kafka-client', renewed.cert + renewed.key)
    await clock.advance(60_000)
    await cluster.stopBroker(1)
    await cluster.startBroker(1)
    expect(await vault.settle(clock, output.write([{ a: 2 }]))).toMatchObject({ delivered: 1 })
    await until(() => told.length > 0, 'the renewal is told')
    expect(told[0]).toMatchObject({ outputAlias: 'telemetry', refresh: { kind: 'renewed' } })
  })

  it('with a login on top: SASL_SSL with a truststore', async () => {
    fill()
    const password = canarySecret('password behind a truststore')
    const tls = { cert: brokers.cert, key: brokers.key }
    const cluster = await startCluster({ tls, sasl: { users: { ann: password } } })
    const output = withVault(cluster, {
      ...{ securityProtocol: 'SASL_SSL', username: 'ann', password },
      keyVault: { vaultName: 'team-vault', truststoreSecret: 'kafka-ca' },
    })
    await vault.settle(clock, output.write([{ a: 1 }]))
    expect(names(cluster)).toEqual(['User:ann'])
    const steps = await output.testConnection()
    expect(steps.map(({ step, ok }) => [step, ok])).toEqual([
      ...[
        ['secrets', true],
        ['reachability', true],
        ['authentication', true],
        ['topic', true],
        ['permission', null],
      ],
    ])
  })
})
