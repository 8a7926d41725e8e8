import { describe, expect, it } from 'vitest'
import type { ConnectionStep } from '../../src/output/output.ts'
import { canarySecret, expectNoSecret } from '../support/canary.ts'
import { FakeClock, until } from '../support/fake-clock.ts'
import { heard, newOutput, outputError, rejection, startCluster } from './harness.ts'

const password = canarySecret('password of a connection test')
const login = { securityProtocol: 'SASL_PLAINTEXT', username: 'ann', password } as const
const users = { ann: password }

/** Step to `yes`, `no` or `?`. */
function outcome(steps: readonly ConnectionStep[]): Record<string, string> {
  return Object.fromEntries(steps.map(({ step, ok }) => [step, ok === null ? '?' : ok ? 'yes' : 'no']))
}

describe('asa-Z12: testConnection', () => {
  it('says of each step that it is fine', async () => {
    const cluster = await startCluster({ sasl: { users } })
    const steps = await newOutput(cluster, login).testConnection()
    // The brokers of a TestCluster have no authorizer, and do not say.
    expect(outcome(steps)).toEqual({ reachability: 'yes', authentication: 'yes', topic: 'yes', permission: '?' })
    expect(steps.map(({ message }) => message).join('\n')).toMatch(/PLAIN, user "ann".*\n.*topic "t" has 3 partitions/)
    expect(cluster.requests.filter(({ api }) => api === 'Produce')).toEqual([])
    expectNoSecret(steps)
  })

  it('tells brokers that cannot be reached from all the rest', async () => {
    const error = await outputError(newOutput({ bootstrap: '127.0.0.1:1' }).testConnection())
    expect(outcome(error.steps)).toEqual({ reachability: 'no', authentication: '?', topic: '?', permission: '?' })
    expect(error.message).toMatch(/^output telemetry: CONNECTION_TEST_FAILED: reachability: CONNECTION_REFUSED: /)
  })

  it('tells a wrong password', async () => {
    const cluster = await startCluster({ sasl: { users } })
    const wrong = canarySecret('wrong password of a connection test')
    const error = await outputError(newOutput(cluster, { ...login, password: wrong }).testConnection())
    expect(outcome(error.steps)).toEqual({ reachability: 'yes', authentication: 'no', topic: '?', permission: '?' })
    expect(error.steps[1]?.code).toBe('SASL_AUTHENTICATION_FAILED')
    expectNoSecret(error)
  })

  it('tells a login that is missing', async () => {
    const cluster = await startCluster({ sasl: { users } })
    const error = await outputError(newOutput(cluster).testConnection())
    expect(outcome(error.steps)).toMatchObject({ authentication: 'no' })
  })

  it('tells a topic that is not there, with names like it', async () => {
    const cluster = await startCluster({ autoCreateTopics: false })
    const error = await outputError(newOutput(cluster, { topic: 'tt' }).testConnection())
    expect(outcome(error.steps)).toEqual({ reachability: 'yes', authentication: 'yes', topic: 'no', permission: '?' })
    expect(error.steps[2]).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  })

  it('tells that we may not write', async () => {
    const cluster = await startCluster()
    cluster.fail({ api: 'Metadata', times: 100, topic: 't', error: 'TOPIC_AUTHORIZATION_FAILED' })
    const error = await outputError(newOutput(cluster).testConnection())
    expect(outcome(error.steps)).toEqual({ reachability: 'yes', authentication: 'yes', topic: '?', permission: 'no' })
    expect(error.steps[3]).toMatchObject({ code: 'TOPIC_AUTHORIZATION_FAILED' })
  })

  it('takes a dead bootstrap address for a warning, where another one leads in', async () => {
    const cluster = await startCluster()
    const steps = await newOutput({ bootstrap: `127.0.0.1:1,${cluster.bootstrap}` }).testConnection()
    expect(steps[0]).toMatchObject({ ok: true, code: 'CONNECTION_REFUSED' })
    expect(steps[0]?.message).toContain('127.0.0.1:1')
  })

  it('says something within half a minute, whatever the brokers do', async () => {
    const cluster = await startCluster()
    const clock = new FakeClock()
    const rule = cluster.fail({ api: 'ApiVersions', times: 100, silent: true })
    const tested = outputError(newOutput(cluster, { clock }).testConnection())
    await until(() => rule.hits > 0, 'a broker is asked')
    await clock.advance(30_000)
    expect(outcome((await tested).steps)).toMatchObject({ reachability: 'no', topic: '?' })
  })

  it('can be repeated, and says no when the output is closed', async () => {
    const cluster = await startCluster()
    const output = newOutput(cluster)
    expect(await output.testConnection()).toEqual(await output.testConnection().then((steps) => steps.map(anyTime)))
    await output.close()
    expect(await rejection(output.testConnection())).toMatchObject({ code: 'CLOSED' })
    expect(heard('headrace:output:started')).toEqual([])
  })
})

describe('asa-Z5: protocols', () => {
  it.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])('SASL_PLAINTEXT writes with %s', async (saslMechanism) => {
    const cluster = await startCluster({ sasl: { users } })
    await newOutput(cluster, { ...login, saslMechanism }).write([{ a: 1 }])
    expect(cluster.requests.find(({ api }) => api === 'Produce')?.principal).toBe('User:ann')
  })

  it('SASL_SSL writes with authorities from producer.tls', async () => {
    const cluster = await startCluster({ sasl: { users }, tls: true })
    const output = newOutput(cluster, {
      ...login,
      securityProtocol: 'SASL_SSL',
      producer: { tls: { ca: cluster.ca! } },
    })
    expect(await output.write([{ a: 1 }])).toMatchObject({ delivered: 1 })
  })

  it('SASL_SSL trusts the authorities of the system, and so not everybody', async () => {
    const cluster = await startCluster({ sasl: { users }, tls: true })
    const output = newOutput(cluster, { ...login, securityProtocol: 'SASL_SSL' })
    const error = await outputError(output.testConnection())
    expect(outcome(error.steps)).toMatchObject({ reachability: 'no', authentication: '?' })
    expect(error.steps[0]?.code).toMatch(/^CERTIFICATE_/)
  })
})

function anyTime(step: ConnectionStep): ConnectionStep {
  return { ...step, ms: expect.any(Number) as number, message: expect.any(String) as string }
}
