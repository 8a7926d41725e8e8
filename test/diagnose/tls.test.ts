import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { TlsOptions as ServerOptions } from 'node:tls'
import type { TlsOptions } from '../../src/index.ts'
import { TestCluster } from '../../src/testing/test-cluster.ts'
import { expectNoSecret } from '../support/canary.ts'
import { Authority, daysFromNow, type Issued } from '../support/tls/authority.ts'
import { Peer } from '../support/tls/tls-peer.ts'
import { failureOf, namesOf, stepsOf } from './steps.ts'

let authority: Authority
let foreign: Authority
let server: Issued
let client: Issued
let cluster: TestCluster | null = null

beforeAll(async () => {
  authority = await Authority.root('diagnosis authority')
  foreign = await Authority.root('foreign authority')
  server = await authority.issue({ to: daysFromNow(100.5) })
  client = await authority.issue({ usage: 'clientAuth', commonName: 'a client', to: daysFromNow(200) })
})

afterAll(async () => {
  await authority.remove()
  await foreign.remove()
})

afterEach(async () => {
  await cluster?.close()
  cluster = null
})

/** `host:port` of a broker that speaks TLS. */
async function broker(tls: ServerOptions = server): Promise<string> {
  cluster = await TestCluster.start({ tls, topics: { t: 1 } })
  return cluster.bootstrap
}

async function failureAt(brokers: string, tls: TlsOptions): ReturnType<typeof failureOf> {
  const failure = await failureOf({ brokers, tls })
  expect(failure.step).toBe('tls')
  expectNoSecret(failure)
  return failure
}

describe('diagnose, of TLS', () => {
  it('tells version, chain, names and when it ends', async () => {
    const brokers = await broker()
    const steps = await stepsOf({ brokers, tls: { ca: authority.cert } }, 't')
    expect(namesOf(steps)).toEqual(['resolve', 'tcp', 'tls', 'api-versions', 'metadata', 'topic', 'authorization'])
    const day = (days: number): string => daysFromNow(days).toISOString().slice(0, 10)
    expect(steps[2]?.message).toBe(
      `${brokers}: TLSv1.3; the broker's certificate "localhost" is for localhost, 127.0.0.1, expires on ${day(100.5)} ` +
        `(in 100 days), and is signed by "diagnosis authority" (until ${day(30)}). ` +
        `Warning: tls.ca: the certificate of "diagnosis authority" expires in 29 days, on ${day(30)}.`,
    )
    expect(steps[2]).toMatchObject({ ok: true, code: 'CERTIFICATE_EXPIRES' })
  })

  it.each([
    ['within a day', 0.5],
    ['in 1 day', 1.5],
    ['in 29 days', 29.9],
  ])('warns of a certificate that expires %s', async (when, days) => {
    const soon = await authority.issue({ to: daysFromNow(days) })
    const [, , tls] = await stepsOf({ brokers: await broker(soon), tls: { ca: authority.cert } })
    expect(tls).toMatchObject({ ok: true, code: 'CERTIFICATE_EXPIRES' })
    expect(tls?.message).toContain(`Warning: the certificate of "localhost" expires ${when}.`)
  })

  it('warns of our own certificate, and of brokers that nobody verifies, each time', async () => {
    const ours = await authority.issue({ usage: 'clientAuth', commonName: 'old client', to: daysFromNow(3.5) })
    const brokers = await broker({ ...server, requestCert: true, ca: authority.cert })
    for (let i = 0; i < 2; i++) {
      const [, , tls] = await stepsOf({ brokers, tls: { rejectUnauthorized: false, cert: ours.cert, key: ours.key } })
      expect(tls?.ok).toBe(true)
      expect(tls?.message).toContain('Warning: tls.rejectUnauthorized is false')
      expect(tls?.message).toContain('Warning: tls.cert: the certificate of "old client" expires in 3 days')
    }
  })

  it('tells what is good of TLS before what is wrong behind it', async () => {
    const peer = await Peer.tls(server) // an echo
    const steps = await stepsOf({ brokers: `127.0.0.1:${peer.port}`, tls: { ca: authority.cert } })
    await peer.close()
    expect(namesOf(steps)).toEqual(['resolve', 'tcp', 'tls', 'api-versions FAILED'])
    expect(steps[3]?.message).toContain('not the Kafka protocol: is this the port of another service?')
  })

  it('warns once where a connection is made anew', async () => {
    const brokers = await broker()
    const rule = cluster?.fail({ api: 'ApiVersions', closeBefore: true, times: 1 })
    const [, , tls] = await stepsOf({ brokers, tls: { rejectUnauthorized: false } })
    expect(rule?.hits).toBe(1)
    expect(tls?.message.match(/Warning: tls.rejectUnauthorized/g)).toHaveLength(1)
  })

  it('tells plaintext to a TLS port', async () => {
    const failure = await failureOf({ brokers: await broker() })
    expect(failure).toMatchObject({ step: 'tls', code: 'PEER_SPEAKS_TLS' })
    expect(failure.message).toContain(
      ': this port speaks TLS: set tls. true is enough where a public authority has signed the certificates of the brokers',
    )
  })

  it('tells an authority that is not ours', async () => {
    const failure = await failureAt(await broker(), { ca: foreign.cert })
    expect(failure.code).toMatch(/^CERTIFICATE_(UNTRUSTED|CHAIN_INCOMPLETE)$/)
    expect(failure.message).toContain('"diagnosis authority"')
    expect(failure.message).toContain('tls.ca')
    expect(failure.message).toContain('it has "foreign authority"')
  })

  it('tells a certificate that has signed itself', async () => {
    const failure = await failureAt(await broker(await authority.selfSigned('lonely')), { ca: authority.cert })
    expect(failure.code).toBe('CERTIFICATE_SELF_SIGNED')
    expect(failure.message).toContain('certificate ("lonely") is signed by itself and not in tls.ca')
  })

  it('tells one that has expired', async () => {
    const old = await authority.issue({ from: daysFromNow(-9), to: daysFromNow(-2) })
    const failure = await failureAt(await broker(old), { ca: authority.cert })
    expect(failure.code).toBe('CERTIFICATE_EXPIRED')
    expect(failure.message).toContain(`expired on ${daysFromNow(-2).toISOString().slice(0, 10)}`)
  })

  it('tells one that is for another host', async () => {
    const other = await authority.issue({ names: 'DNS:elsewhere.test,DNS:other.test' })
    const failure = await failureAt(await broker(other), { ca: authority.cert })
    expect(failure.code).toBe('CERTIFICATE_HOST_MISMATCH')
    expect(failure.message).toContain('is not for 127.0.0.1, but for elsewhere.test, other.test')
  })

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('tells a client certificate that is missing, under %s', async (version) => {
    const wanting = { ...server, minVersion: version, maxVersion: version, requestCert: true, ca: authority.cert }
    const peer = await authority.server(server, [version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3'], true)
    const failure = await failureAt(`127.0.0.1:${peer.port}`, { ca: authority.cert })
    await peer.close()
    expect(failure.code).toBe('CLIENT_CERTIFICATE_REQUIRED')
    expect(failure.message).toContain('the broker asks for a client certificate: set tls.cert and tls.key')
    // With one the handshake is good, and whatever fails is told as what it is.
    const steps = await stepsOf({ brokers: await broker(wanting), tls: { ca: authority.cert, ...client } })
    expect(steps.every(({ ok }) => ok)).toBe(true)
    expect(steps[2]?.message).toContain(version)
  })

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('tells one that is refused, under %s', async (version) => {
    const ours = await foreign.issue({ usage: 'clientAuth', commonName: 'nobody' })
    const peer = await authority.server(server, [version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3'], true)
    const failure = await failureAt(`127.0.0.1:${peer.port}`, { ca: authority.cert, ...ours })
    await peer.close()
    expect(failure.code).toBe('CLIENT_CERTIFICATE_REFUSED')
    expect(failure.message).toContain("is its authority in the broker's trust store, and is it valid?")
  })
})
