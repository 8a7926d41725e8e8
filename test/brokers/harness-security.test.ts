import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { connect as tlsConnect } from 'node:tls'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startCluster, type RealCluster } from '../support/kafka/cluster.ts'
import { javaSecurity, javaTls } from '../support/kafka/java-security.ts'
import { hostAndPort } from '../support/kafka/probe.ts'
import * as readers from '../support/kafka/readers.ts'
import { describeBrokers } from '../support/kafka/require-brokers.ts'
import {
  allow,
  canLogIn,
  deleteUser,
  logIn,
  putUser,
  showCertificate,
  unsecuredToken,
} from '../support/kafka/security-admin.ts'
import { Authority, daysFromNow } from '../support/tls/authority.ts'

const CLIENT = 'User:CN=headrace-client'
const listener = 'saslPlaintext'
const RECORD = [{ value: Buffer.from('value') }]

describeBrokers('a real cluster with security', () => {
  let cluster: RealCluster
  let authority: Authority

  beforeAll(async () => {
    authority = await Authority.root('harness')
    cluster = await startCluster({
      ...{ version: '4.3.1', nodes: 1, security: true, authorizer: true },
      serverCertificate: await authority.issue({ to: daysFromNow(-0.5) }),
      properties: { 'connections.max.reauth.ms': '1000' },
    })
  })

  afterAll(async () => {
    await cluster.close()
    await authority.remove()
  })

  it.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])('lets in users with hard names by %s', async (mechanism) => {
    for (const user of ['co,mma', 'equ=als', 'both=,2C,=3D', 'carol']) {
      const password = cluster.users[user] ?? ''
      await logIn(cluster, { listener, mechanism, who: { user, password } })
    }
    // Carol's password is not ASCII: what a lossy encoding makes of it must not be the same.
    const password = (cluster.users['carol'] ?? '').replace('密', '码')
    expect(await canLogIn(cluster, { listener, mechanism, who: { user: 'carol', password } })).toBe(false)
  })

  it('gives a user a password, another one, and none', async () => {
    const user = 'da,ve='
    const isIn = (password: string) =>
      canLogIn(cluster, { listener, mechanism: 'SCRAM-SHA-512', who: { user, password } })
    await putUser(cluster, user, 'fïrst, =')
    await putUser(cluster, user, 'second')
    expect([await isIn('fïrst, ='), await isIn('second')]).toEqual([false, true])
    await deleteUser(cluster, user, 'second')
    expect(await isIn('second')).toBe(false)
  })

  it('takes an unsigned token while it is valid', async () => {
    const isIn = (password: string) =>
      canLogIn(cluster, { listener, mechanism: 'OAUTHBEARER', who: { user: '', password } })
    expect(await isIn(unsecuredToken({ sub: 'alice', lifetimeSeconds: 60 }))).toBe(true)
    expect(await isIn(unsecuredToken({ sub: 'alice', lifetimeSeconds: -60 }))).toBe(false)
  })

  it('shows the certificate that it was given', async () => {
    const { ssl = '', saslSsl = '', mtls = '' } = cluster.listeners
    const shown = (address = ssl) => handshake(address, authority.cert)
    expect([await shown(ssl), await shown(saslSsl), await shown(mtls)]).toEqual(Array(3).fill('CERT_HAS_EXPIRED'))
    await showCertificate(cluster, await authority.issue({ names: 'DNS:elsewhere.test' }))
    expect(await shown()).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    await showCertificate(cluster, await authority.selfSigned('localhost'))
    expect(await shown()).toBe('DEPTH_ZERO_SELF_SIGNED_CERT')
    const intermediate = await authority.intermediate('harness intermediate')
    const leaf = await intermediate.issue({ rsaBits: 2048 })
    await showCertificate(cluster, leaf)
    expect(await shown()).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
    await showCertificate(cluster, { ...leaf, cert: leaf.cert + intermediate.cert })
    expect(await shown()).toBe('TLSv1.3')
    await showCertificate(cluster, await authority.issue())
    expect([await shown(ssl), await shown(saslSsl), await shown(mtls)]).toEqual(Array(3).fill('TLSv1.3'))
  })

  it('lets whoever has our client certificate do what is allowed, and nothing else', async () => {
    const [open, closed] = [`open-${randomUUID()}`, `closed-${randomUUID()}`]
    for (const topic of [open, closed]) {
      await readers.createTopic({ ...cluster.at, topic, partitions: 1, replicationFactor: 1 })
    }
    const trusted = path.join(path.dirname(cluster.files.ca ?? ''), 'authority.pem')
    await writeFile(trusted, authority.cert)
    const properties = { ...javaTls(cluster, 'mtls'), 'ssl.truststore.location': trusted }
    const at = { ...cluster.at, bootstrap: cluster.listeners.mtls ?? '', properties }
    const outcome = async (topic: string) => readers.produce({ ...at, topic }, RECORD).then(() => 'written', String)
    expect(await outcome(open)).toMatch(/TopicAuthorizationException/)
    await allow(cluster, { principal: CLIENT, topic: open, operations: ['write'] })
    await expect.poll(() => outcome(open), { timeout: 30_000 }).toBe('written')
    expect(await outcome(closed)).toMatch(/TopicAuthorizationException/)
    expect(await readers.readTopic({ ...cluster.at, topic: open })).toHaveLength(1)
    // Nobody without a certificate gets as far as that.
    const anonymous = { ...at, properties: { ...javaTls(cluster, 'ssl'), 'ssl.truststore.location': trusted } }
    await expect(readers.produce({ ...anonymous, topic: open }, RECORD)).rejects.toThrow('SslAuthenticationException')
  })

  it('ends sessions, so that clients log in again while they produce', async () => {
    const topic = `sessions-${randomUUID()}`
    await readers.createTopic({ ...cluster.at, topic, partitions: 1, replicationFactor: 1 })
    await allow(cluster, { principal: 'User:alice', topic, operations: ['write'] })
    const properties = javaSecurity(cluster, 'saslPlaintext', 'SCRAM-SHA-256', cluster.users['alice'] ?? '')
    const at = { ...cluster.at, bootstrap: cluster.listeners.saslPlaintext ?? '', topic, properties }
    const helper = await readers.sharedJavaHelper()
    const { result } = await helper.ask('produceThrough', at, { topic, times: 2, timeoutMs: 30_000 })
    expect(await readers.readTopic({ ...cluster.at, topic })).toHaveLength(result as number)
  })
})

/** The protocol, or the code of what the client does not like. */
function handshake(address: string, ca: string): Promise<string | null | undefined> {
  return new Promise((resolve) => {
    const socket = tlsConnect({ ...hostAndPort(address), ca }, () => {
      resolve(socket.getProtocol())
      socket.destroy()
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
  })
}
