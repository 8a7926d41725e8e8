import { once } from 'node:events'
import tls, { type TlsOptions } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { AuthenticationError, ConnectionError, type KafkaError } from '../../src/errors.ts'
import { secure, type SecureSocket } from '../../src/tls/connect-tls.ts'
import { tlsSource } from '../../src/tls/tls-settings.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { expectNoSecret } from '../support/canary.ts'
import { Authority, daysFromNow, type CertificateWish, type Issued } from '../support/tls/authority.ts'
import { Peer } from '../support/tls/tls-peer.ts'

/** Real TLS servers, real certificates: each fault is named, and nothing that would happen again is called retriable. */
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const
type Version = (typeof VERSIONS)[number]

type Dialled = Pick<Peer, 'port' | 'dial'>

let root: Authority
let other: Authority
let middle: Authority
let good: Issued
const open: (() => unknown)[] = []
const clock = new FakeClock()
clock.wallNow = () => Date.now() // certificates are judged by OpenSSL's clock, which is the system's

beforeAll(async () => {
  ;[root, other] = [await Authority.root('the root'), await Authority.root('another root')]
  middle = await root.intermediate('the intermediate')
  good = await root.issue()
})
afterAll(() => Promise.all([root.remove(), other.remove()]))
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function serverOf(version: Version, options: TlsOptions): Promise<Peer> {
  const peer = await Peer.tls({ minVersion: version, maxVersion: version, ...good, ...options })
  open.push(() => peer.close())
  return peer
}

/** Connects as a broker's host `localhost` is dialled; gives what `secure` gives. */
async function attempt(peer: Dialled, tls: object = {}, host = 'localhost'): Promise<SecureSocket> {
  const source = tlsSource({ ca: root.cert, ...tls })
  const raw = await peer.dial()
  const options = { source, host, port: peer.port, timeoutMs: 10_000 }
  const made = await secure(raw, options, new AbortController().signal, clock)
  open.push(() => made.socket.destroy())
  return made
}

async function failure(peer: Dialled, tls?: object, host?: string): Promise<KafkaError> {
  const error = await attempt(peer, tls, host).then(
    () => new Error('it connected'),
    (reason: unknown) => reason,
  )
  return checked(error, peer, host)
}

/** What a broker says after the handshake, when it is asked something. */
async function failureAfter(peer: Dialled, tls?: object): Promise<KafkaError> {
  const { socket, explain } = await bound(peer, tls)
  socket.write('a question')
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.resume()
  await closed
  return checked(explain(null, false), peer)
}

async function bound(peer: Dialled, tls?: object) {
  const made = await attempt(peer, tls)
  return { socket: made.socket, explain: made.explain.bind(made) }
}

function checked(error: unknown, peer: Dialled, host = 'localhost'): KafkaError {
  if (!(error instanceof ConnectionError || error instanceof AuthenticationError)) throw error as Error
  const address = host.includes(':') ? `[${host}]:${peer.port}` : `${host}:${peer.port}`
  expect(error.message.startsWith(`${address}: ${error.code}: `)).toBe(true)
  expectNoSecret(error, [good.key, root.key])
  return error
}

interface CertificateFault {
  readonly name: string
  readonly server: () => Promise<TlsOptions> | TlsOptions
  readonly tls?: () => object
  readonly host?: string
  readonly code: string
  readonly says: readonly (string | RegExp)[]
  readonly versions?: readonly Version[]
}

function issued(wish: CertificateWish): () => Promise<Issued> {
  return () => root.issue(wish)
}

const day = (days: number): string => daysFromNow(days).toISOString().slice(0, 10)

const CERTIFICATE_FAULTS: readonly CertificateFault[] = [
  {
    name: 'expired',
    server: issued({ from: daysFromNow(-10), to: daysFromNow(-1) }),
    code: 'CERTIFICATE_EXPIRED',
    says: [`the broker's certificate ("localhost") expired on ${day(-1)} (here it is ${day(0)})`],
  },
  {
    name: 'not yet valid',
    server: issued({ from: daysFromNow(10), to: daysFromNow(20) }),
    code: 'CERTIFICATE_NOT_YET_VALID',
    says: [`valid only from ${day(10)} (here it is ${day(0)}): are the clocks right?`],
  },
  {
    name: 'wrong host name',
    server: issued({ names: 'DNS:kafka-1.example,DNS:kafka-2.example' }),
    code: 'CERTIFICATE_HOST_MISMATCH',
    says: ['is not for localhost, but for kafka-1.example, kafka-2.example', 'tls.servername'],
  },
  {
    name: 'wrong host name: an address is dialled, and only names are in it',
    server: issued({ names: 'DNS:localhost' }),
    host: '127.0.0.1',
    code: 'CERTIFICATE_HOST_MISMATCH',
    says: ['is not for 127.0.0.1, but for localhost', 'a name instead of an address'],
  },
  {
    name: 'common name only',
    server: issued({ names: null }),
    code: 'CERTIFICATE_HOST_MISMATCH',
    says: ['only as common name ("localhost")', 'needs localhost as subjectAltName'],
  },
  {
    name: 'common name right, subjectAltName wrong',
    server: issued({ names: 'DNS:kafka.example' }),
    code: 'CERTIFICATE_HOST_MISMATCH',
    says: ['not for localhost, but for kafka.example'],
  },
  {
    name: 'unknown CA, its root sent',
    server: () => ({ ...good, cert: good.cert + root.cert }),
    tls: () => ({ ca: other.cert }),
    code: 'CERTIFICATE_UNTRUSTED',
    says: ['goes back to "the root", which is not trusted', 'set tls.ca', 'it has "another root"'],
  },
  {
    name: "unknown CA, its intermediate sent, the system's authorities",
    server: async () => {
      const leaf = await middle.issue()
      return { cert: leaf.cert + middle.cert, key: leaf.key }
    },
    tls: () => ({ ca: undefined }),
    code: 'CERTIFICATE_UNTRUSTED',
    says: ['goes back to "the root"', 'set tls.ca', 'it is not set'],
  },
  {
    name: 'unknown CA, nothing of it sent',
    server: () => good,
    tls: () => ({ ca: other.cert }),
    code: 'CERTIFICATE_CHAIN_INCOMPLETE',
    says: ['signed by "the root"', 'if it is your own authority, set tls.ca to it (it has "another root")'],
  },
  {
    name: 'self-signed leaf',
    server: () => selfSigned(),
    code: 'CERTIFICATE_SELF_SIGNED',
    says: ['("lonely") is signed by itself and not in tls.ca'],
  },
  {
    name: 'intermediate missing',
    server: () => middle.issue(),
    code: 'CERTIFICATE_CHAIN_INCOMPLETE',
    says: ['signed by "the intermediate"', 'the broker must send it', 'it has "the root"'],
  },
  {
    name: 'no server-auth usage',
    server: issued({ usage: 'clientAuth' }),
    code: 'CERTIFICATE_PURPOSE',
    says: ['not meant for servers', 'serverAuth'],
  },
  {
    name: "key too short for OpenSSL's minimum",
    server: async () => ({ ...(await root.issue({ rsaBits: 512 })), ciphers: 'DEFAULT@SECLEVEL=0' }),
    code: 'CERTIFICATE_TOO_WEAK',
    says: [/too weak for OpenSSL \(.*key too (weak|small)\)/],
    versions: ['TLSv1.2'], // 1.3 cannot sign with 512 bits
  },
]

async function selfSigned(): Promise<Issued> {
  const lonely = await root.selfSigned('lonely')
  return lonely
}

describe('a broker that cannot prove who it is', () => {
  for (const fault of CERTIFICATE_FAULTS) {
    it.each(fault.versions ?? VERSIONS)(`${fault.name}, %s`, async (version) => {
      const peer = await serverOf(version, await fault.server())
      const error = await failure(peer, fault.tls?.(), fault.host)
      expect(error).toBeInstanceOf(AuthenticationError)
      expect([error.code, error.retriable]).toEqual([fault.code, false])
      for (const words of fault.says) expect(error.message).toMatch(words)
    })
  }
})

describe('a broker that wants to know who we are', () => {
  const wanting = (version: Version): Promise<Peer> =>
    serverOf(version, { requestCert: true, rejectUnauthorized: true, ca: root.cert })

  it('takes the certificate of its own authority, 1.2 and 1.3', async () => {
    const own = await root.issue({ usage: 'clientAuth' })
    for (const version of VERSIONS) {
      const { socket } = await attempt(await wanting(version), own)
      socket.write('a question')
      expect(String((await once(socket, 'data'))[0])).toBe('a question')
    }
  })

  it('is sent the whole chain, whatever the order in which it was pasted', async () => {
    const own = await middle.issue({ usage: 'clientAuth' })
    const shuffled = { cert: root.cert + middle.cert + own.cert, key: own.key }
    const { socket } = await attempt(await wanting('TLSv1.2'), shuffled)
    expect(socket.authorized).toBe(true)
  })

  it('client certificate missing, 1.2: refused in the handshake', async () => {
    const error = await failure(await wanting('TLSv1.2'))
    expect([error.code, error.retriable]).toEqual(['CLIENT_CERTIFICATE_REQUIRED', false])
    expect(error.message).toContain('asks for a client certificate: set tls.cert and tls.key')
  })

  it('client certificate missing, 1.3: refused after the handshake', async () => {
    const error = await failureAfter(await wanting('TLSv1.3'))
    expect([error.code, error.retriable]).toEqual(['CLIENT_CERTIFICATE_REQUIRED', false])
    expect(error.message).toContain('asks for a client certificate: set tls.cert and tls.key')
  })

  it('client certificate of an unknown CA, 1.2: a bare close in the handshake', async () => {
    const error = await failure(await wanting('TLSv1.2'), await other.issue({ usage: 'clientAuth' }))
    expect([error.code, error.retriable]).toEqual(['CLIENT_CERTIFICATE_REFUSED', true])
    expect(error.message).toContain('in the TLS handshake: our client certificate, tls.cert, is probably refused')
  })

  it('client certificate of an unknown CA, 1.3: a bare close after the handshake', async () => {
    const error = await failureAfter(await wanting('TLSv1.3'), await other.issue({ usage: 'clientAuth' }))
    expect([error.code, error.retriable]).toEqual(['CLIENT_CERTIFICATE_REFUSED', true])
    expect(error.message).toContain('before its first answer: our client certificate, tls.cert, is probably refused')
  })

  it.each(VERSIONS)('client certificate of an unknown CA, %s: openssl says so in an alert', async (version) => {
    const server = await root.server(good, [version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3'], true)
    open.push(() => server.close())
    const own = await other.issue({ usage: 'clientAuth' })
    const error = await (version === 'TLSv1.2' ? failure : failureAfter)(server, own)
    expect([error.code, error.retriable]).toEqual(['CLIENT_CERTIFICATE_REFUSED', false])
    expect(error.message).toContain('refuses our client certificate, tls.cert (alert: unknown ca)')
  })

  it('after its first answer, a close is only a close', async () => {
    const own = await root.issue({ usage: 'clientAuth' })
    const made = await attempt(await wanting('TLSv1.3'), own)
    made.socket.destroy()
    expect(made.explain(null, true)).toMatchObject({ code: 'CONNECTION_CLOSED', retriable: true })
  })
})

describe('a peer that has nothing in common with us', () => {
  it('nothing above TLS 1.1', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    const before = tls.DEFAULT_MIN_VERSION
    tls.DEFAULT_MIN_VERSION = 'TLSv1' // as `node --tls-min-v1.0` does
    open.push(() => (tls.DEFAULT_MIN_VERSION = before))
    const error = await failure(await serverOf('TLSv1.2', old), { ciphers: 'DEFAULT@SECLEVEL=0' })
    expect([error.code, error.retriable]).toEqual(['TLS_VERSION_REFUSED', false])
    expect(error.message).toContain('TLS 1.2 is the least')
  })

  it('no cipher suite', async () => {
    const peer = await serverOf('TLSv1.2', { ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' })
    const error = await failure(peer, { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' })
    expect([error.code, error.retriable]).toEqual(['TLS_FAILED', false])
    expect(error.message).toContain('no cipher suite, group or signature in common')
  })

  it('a plaintext peer that answers', async () => {
    const peer = await plain((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')))
    const error = await failure(peer)
    expect([error.code, error.retriable]).toEqual(['PEER_NOT_TLS', false])
    expect(error.message).toContain('does not speak TLS: is this a plaintext listener?')
  })

  it('a plaintext peer that hangs up without a word, as Kafka does: likely, not certain', async () => {
    for (const hangUp of ['end', 'destroy', 'resetAndDestroy'] as const) {
      const peer = await plain((socket) => socket.once('data', () => void socket[hangUp]()))
      const error = await failure(peer)
      expect([error.code, error.retriable]).toEqual(['PEER_NOT_TLS', true])
      expect(error.message).toContain('does not speak TLS: is this a plaintext listener?')
    }
  })

  async function plain(onClient: Parameters<typeof Peer.plain>[0]): Promise<Peer> {
    const peer = await Peer.plain(onClient)
    open.push(() => peer.close())
    return peer
  }
})
