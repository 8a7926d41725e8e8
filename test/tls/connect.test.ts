import { once } from 'node:events'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { checkServerIdentity, type TLSSocket, type TlsOptions } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { secure, type SecureOptions, type SecureSocket } from '../../src/tls/connect-tls.ts'
import { tlsSource } from '../../src/tls/tls-settings.ts'
import { TlsWarnings } from '../../src/tls/warnings.ts'
import { FakeClock, turns, until } from '../support/fake-clock.ts'
import { Authority, type Issued } from '../support/tls/authority.ts'
import { Peer } from '../support/tls/tls-peer.ts'

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const
const TIMEOUT_MS = 10_000

let root: Authority
let good: Issued
let clock: FakeClock
const open: (() => unknown)[] = []

beforeAll(async () => {
  root = await Authority.root('the root')
  good = await root.issue()
})
afterAll(() => root.remove())
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function tlsPeer(options: TlsOptions = {}, onClient?: (socket: TLSSocket) => void): Promise<Peer> {
  const peer = await Peer.tls({ ...good, ...options }, onClient)
  open.push(() => peer.close())
  return peer
}

async function plainPeer(onClient: (socket: Socket) => void): Promise<Peer> {
  const peer = await Peer.plain(onClient)
  open.push(() => peer.close())
  return peer
}

interface Attempt extends Partial<SecureOptions> {
  readonly tls?: unknown
  readonly raw?: Duplex
  readonly signal?: AbortSignal
}

/** Begins a handshake as with `localhost`; its outcome is awaited later, or never. */
async function begin(peer: Pick<Peer, 'port' | 'dial'>, attempt: Attempt = {}) {
  const { tls = {}, raw = await peer.dial(), signal = new AbortController().signal, ...more } = attempt
  clock = new FakeClock()
  const source = tlsSource(typeof tls === 'object' ? { ca: root.cert, ...tls } : tls)
  const options = { source, host: 'localhost', port: peer.port, timeoutMs: TIMEOUT_MS, ...more }
  const made = secure(raw, options, signal, clock)
  made.then(
    ({ socket }) => open.push(() => socket.destroy()),
    () => undefined,
  )
  return {
    raw,
    made,
    failed: made.then(
      () => new Error('it connected'),
      (error: unknown) => error as Error,
    ),
  }
}

async function connected(peer: Pick<Peer, 'port' | 'dial'>, attempt?: Attempt): Promise<SecureSocket> {
  return await (
    await begin(peer, attempt)
  ).made
}

async function asks(socket: TLSSocket): Promise<string> {
  socket.write('a question')
  return String((await once(socket, 'data'))[0])
}

describe('secure', () => {
  it.each(VERSIONS)('speaks TLS with a broker that proves who it is, %s', async (version) => {
    const { socket, chain } = await connected(await tlsPeer({ minVersion: version, maxVersion: version }))
    expect([socket.authorized, socket.getProtocol()]).toEqual([true, version])
    expect(chain.map(({ subject }) => subject)).toEqual(['localhost', 'the root'])
    expect(await asks(socket)).toBe('a question')
    expect(clock.pendingMs).toEqual([]) // no deadline is left behind
  })

  it('goes over any Duplex, and counts what comes through it', async () => {
    const peer = await tlsPeer()
    const { socket } = await connected(peer, { raw: throughDuplex(await peer.dial()) })
    expect(await asks(socket)).toBe('a question')
    const plain = await plainPeer((socket) => socket.once('data', () => socket.end()))
    const { failed } = await begin(plain, { raw: throughDuplex(await plain.dial()) })
    expect(await failed).toMatchObject({ code: 'PEER_NOT_TLS' })
    const tls11 = await tlsPeer({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })
    const { failed: refused } = await begin(tls11, { raw: throughDuplex(await tls11.dial()) })
    expect(await refused).toMatchObject({ code: 'TLS_VERSION_REFUSED' })
    // What the same alert means depends on how much came before it.
    const wanting = await tlsPeer({ requestCert: true, ca: root.cert, maxVersion: 'TLSv1.2' })
    const { failed: unknown } = await begin(wanting, { raw: throughDuplex(await wanting.dial()) })
    expect(await unknown).toMatchObject({ code: 'CLIENT_CERTIFICATE_REQUIRED' })
  })

  it('sends the name of the host, and none where the host is an address', async () => {
    const seen: unknown[] = []
    const peer = await tlsPeer({}, (socket) => seen.push((socket as { servername?: unknown }).servername))
    await connected(peer, { host: 'localhost' })
    await connected(peer, { host: '127.0.0.1' })
    await connected(peer, { host: '127.0.0.1', tls: { servername: 'localhost' } })
    await until(() => seen.length === 3, 'three clients')
    expect(seen).toEqual(['localhost', false, 'localhost'])
  })

  it('checks the advertised host, wherever it dialled', async () => {
    const { failed } = await begin(await tlsPeer(), { host: 'kafka-1.example' })
    expect((await failed).message).toMatch(
      /^kafka-1\.example:\d+: CERTIFICATE_HOST_MISMATCH: .*is not for kafka-1\.example/,
    )
  })

  it("lets an explicit option override the check: servername, or the user's own", async () => {
    const peer = await tlsPeer()
    const other = { host: 'kafka-1.example' }
    expect(await asks((await connected(peer, { ...other, tls: { servername: 'localhost' } })).socket)).toBe(
      'a question',
    )
    const hosts: string[] = []
    const check = (host: string): undefined => void hosts.push(host)
    expect(await asks((await connected(peer, { ...other, tls: { checkServerIdentity: check } })).socket)).toBe(
      'a question',
    )
    expect(hosts).toEqual(['kafka-1.example'])
    const commonName = await tlsPeer(await root.issue({ names: null }))
    await connected(commonName, { tls: { checkServerIdentity } })
  })

  it("survives a user's check that throws", async () => {
    const check = (): never => {
      throw new Error('not pinned')
    }
    const { failed } = await begin(await tlsPeer(), { tls: { checkServerIdentity: check } })
    expect(await failed).toMatchObject({ code: 'CERTIFICATE_REFUSED', retriable: false })
    expect((await failed).message).toMatch(/tls\.checkServerIdentity refused the broker: not pinned/i)
  })

  it('does not honour NODE_TLS_REJECT_UNAUTHORIZED', async () => {
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    try {
      const { failed } = await begin(await tlsPeer(), { tls: { ca: undefined } })
      expect(await failed).toMatchObject({ code: 'CERTIFICATE_CHAIN_INCOMPLETE' })
    } finally {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before
    }
  })

  it('takes anybody only if the user says so, and says what that means', async () => {
    const said: string[] = []
    const warnings = new TlsWarnings(({ code }) => said.push(code))
    const insecure = { ca: undefined, rejectUnauthorized: false }
    await connected(await tlsPeer(), { host: 'kafka-1.example', tls: insecure, warnings })
    expect(said).toContain('BROKERS_NOT_VERIFIED')
  })

  it('does not resume sessions: a resumed one would not be checked', async () => {
    const peer = await tlsPeer()
    for (let i = 0; i < 3; i++) {
      const { socket } = await connected(peer)
      await asks(socket)
      expect(socket.isSessionReused()).toBe(false)
      socket.destroy()
    }
  })

  it('keeps the deadline for a function that never answers', async () => {
    const peer = await tlsPeer()
    const { raw, failed } = await begin(peer, { tls: () => new Promise(() => undefined) })
    await clock.advance(TIMEOUT_MS)
    expect(await failed).toMatchObject({ code: 'CONNECT_TIMEOUT', retriable: true })
    expect(raw.destroyed).toBe(true)
  })
})

/** How much of its first flight a server sends. */
const STALLS: Readonly<Record<string, (flight: Buffer) => number>> = {
  'before its greeting': () => 0,
  'after one byte': () => 1,
  'in the middle of its greeting': () => 40,
  'behind its greeting': (flight) => 5 + flight.readUInt16BE(3),
  'one byte before the end of its flight': (flight) => flight.length - 1,
}

describe('a peer that stalls', () => {
  it.each(VERSIONS.flatMap((version) => Object.keys(STALLS).map((stall) => [stall, version] as const)))(
    '%s is given up at the deadline, %s',
    async (stall, version) => {
      const server = await tlsPeer({ minVersion: version, maxVersion: version })
      const flight: Buffer[] = []
      let length = -1
      const peer = await relayTo(server, (chunk, client) => {
        flight.push(chunk)
        const all = Buffer.concat(flight)
        if (length >= 0 || !isComplete(all)) return
        length = STALLS[stall]!(all)
        if (length > 0) client.write(all.subarray(0, length))
      })
      const { raw, failed } = await begin(peer)
      await until(() => length >= 0 && (raw as Socket).bytesRead === length, 'the part of the flight')
      await clock.advance(TIMEOUT_MS - 1)
      expect(raw.destroyed).toBe(false)
      await clock.advance(1)
      expect(await failed).toMatchObject({ name: 'ConnectionError', code: 'CONNECT_TIMEOUT', retriable: true })
      expect((await failed).message.includes('is this a plaintext listener?')).toBe(length === 0)
      expect([raw.destroyed, clock.pendingMs]).toEqual([true, []])
      await until(() => peer.openSockets === 0, 'the socket is closed')
    },
  )

  it.each(['before', 'during'])('is left at once when the signal aborts, %s', async (when) => {
    const abort = new AbortController()
    const reason = new Error('enough')
    if (when === 'before') abort.abort(reason)
    const { raw, failed } = await begin(await plainPeer(() => undefined), { signal: abort.signal })
    if (when === 'during') {
      await turns(5)
      abort.abort(reason)
    }
    expect(await failed).toBe(reason)
    expect([raw.destroyed, clock.pendingMs]).toEqual([true, []])
  })

  it.each(['end', 'resetAndDestroy'] as const)('and goes in the middle of its flight (%s): closed', async (how) => {
    const flight = await flightOf(await tlsPeer())
    const peer = await plainPeer((socket) =>
      socket.once('data', () => socket.write(flight.subarray(0, 40), () => void socket[how]())),
    )
    const { failed } = await begin(peer)
    expect(await failed).toMatchObject({ code: 'CONNECTION_CLOSED', retriable: true })
  })

  it('that sends noise is no TLS, or breaks it; nothing else happens', async () => {
    const noises = ['\x00\x00\x00\x08kafka', 'SSH-2.0-x\r\n', Buffer.alloc(100, 0xff), Buffer.from('160303ffff', 'hex')]
    const flight = await flightOf(await tlsPeer())
    for (const at of [5, 9, 30, 100]) {
      const broken = Buffer.from(flight)
      broken[at] = broken[at]! ^ 0xff
      noises.push(broken)
    }
    for (const noise of noises) {
      const peer = await plainPeer((socket) => socket.once('data', () => socket.end(noise)))
      const error = (await (await begin(peer)).failed) as Error & { code: string }
      // The last: a flight that goes wrong at a message is what brokers before 3.0 do when they miss a certificate.
      const codes = [
        'PEER_NOT_TLS',
        'TLS_FAILED',
        'CONNECTION_CLOSED',
        'TLS_VERSION_REFUSED',
        'CLIENT_CERTIFICATE_REQUIRED',
      ]
      expect(codes).toContain(error.code)
    }
  })
})

describe('after the handshake', () => {
  it.each(VERSIONS)('a peer that ends its half ends the connection, %s', async (version) => {
    const peer = await tlsPeer({ minVersion: version, maxVersion: version }, (socket) => socket.end('last words'))
    const made = await connected(peer)
    const said: Buffer[] = []
    made.socket.on('data', (chunk: Buffer) => said.push(chunk))
    await new Promise((resolve) => made.socket.once('close', resolve))
    expect(String(Buffer.concat(said))).toBe('last words')
    expect(made.explain(null, true)).toMatchObject({ code: 'CONNECTION_CLOSED', retriable: true })
  })

  it('a peer that only closes TCP ends the connection, too', async () => {
    const behind = new Set<Socket>()
    const middle = await relayTo(await tlsPeer(), (chunk, client) => {
      behind.add(client)
      client.write(chunk)
    })
    const made = await connected(middle)
    made.socket.resume()
    const closed = new Promise((resolve) => made.socket.once('close', resolve))
    for (const client of behind) client.end() // without close_notify
    await closed
    expect(made.explain(null, true)).toMatchObject({ code: 'CONNECTION_CLOSED' })
  })

  it.each(VERSIONS)('close_notify, and data after it: the data is not ours any more, %s', async (version) => {
    const peer = await tlsPeer({ minVersion: version, maxVersion: version }, (socket) => socket.write('first'))
    const behind = new Set<Socket>()
    // Something is sent behind the server's close_notify, by somebody between us.
    const middle = await relayTo(peer, (chunk, client) => {
      behind.add(client)
      client.write(chunk)
    })
    const made = await connected(middle)
    const said: Buffer[] = []
    made.socket.on('data', (chunk: Buffer) => said.push(chunk))
    await until(() => said.length > 0, 'the first data')
    const ended = new Promise((resolve) => made.socket.once('end', resolve))
    peer.endAll()
    await ended
    for (const client of behind) client.end(Buffer.from('1703030020' + 'ab'.repeat(32), 'hex'))
    await until(() => made.socket.destroyed, 'the end of the connection')
    expect(String(Buffer.concat(said))).toBe('first')
    expect(['CONNECTION_CLOSED', 'TLS_FAILED']).toContain(made.explain(null, true).code)
  })

  it('a broken record is TLS that failed, and may be tried again', async () => {
    const behind = new Set<Socket>()
    const middle = await relayTo(await tlsPeer(), (chunk, client) => {
      behind.add(client)
      client.write(chunk)
    })
    const made = await connected(middle)
    await asks(made.socket)
    const failing = once(made.socket, 'error')
    for (const client of behind) client.write(Buffer.from('1703030020' + 'ab'.repeat(32), 'hex'))
    const [error] = (await failing) as [Error]
    expect(made.explain(error, true)).toMatchObject({ code: 'TLS_FAILED', retriable: true })
    expect(made.explain(error, true).message).toMatch(/TLS failed: .*(mac|decrypt)/)
  })

  it('new keys (TLS 1.3) go unnoticed', async () => {
    const { server, made, said } = await pressed('-tls1_3', 'K')
    server.press('still here\n')
    await until(() => said().includes('still here'), 'data under new keys')
    made.socket.write('and we are\n')
    await until(() => server.said.includes('and we are'), 'our data under new keys')
  })

  it('a renegotiation (TLS 1.2) is gone through with the peer that was checked', async () => {
    const { server, made, said } = await pressed('-tls1_2', 'r')
    server.press('still here\n')
    await until(() => said().includes('still here'), 'data after it')
    expect(made.chain.map(({ subject }) => subject)).toEqual(['localhost', 'the root'])
    expect(made.socket.authorized).toBe(true)
  })

  /** A connection to `openssl s_server`, after a key was pressed there and something came of it. */
  async function pressed(version: string, key: string) {
    const server = await root.server(good, [version])
    open.push(() => server.close())
    const attempt = await begin(server)
    const made = await attempt.made
    const chunks: Buffer[] = []
    const said = (): string => String(Buffer.concat(chunks))
    made.socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    server.press('hello\n')
    await until(() => said().includes('hello'), 'data')
    const { bytesRead } = attempt.raw as Socket
    server.press(`${key}\n`)
    await until(() => (attempt.raw as Socket).bytesRead > bytesRead, 'what the key does')
    return { server, made, said }
  }
})

/** Somebody between us and a server: passes on what we say, and what the server says as the test likes. */
async function relayTo(server: Peer, onServer: (chunk: Buffer, client: Socket) => unknown): Promise<Peer> {
  return await plainPeer((client) => {
    void server.dial().then((upstream) => {
      upstream.on('error', () => client.destroy())
      open.push(() => upstream.destroy())
      upstream.on('data', (chunk: Buffer) => onServer(chunk, client))
      client.pipe(upstream)
    })
  })
}

/** What a server sends first, to a client that says no more than its greeting. */
async function flightOf(server: Peer): Promise<Buffer> {
  const raw = await server.dial()
  const chunks: Buffer[] = []
  const relay = await Peer.plain((socket) => {
    socket.once('data', (greeting: Buffer) => raw.write(greeting))
  })
  const { made } = await begin(relay)
  raw.on('data', (chunk: Buffer) => chunks.push(chunk))
  await until(() => isComplete(Buffer.concat(chunks)), 'the flight of the server')
  made.catch(() => undefined)
  await relay.close()
  raw.destroy()
  return Buffer.concat(chunks)
}

/** Whole TLS records, and more than the first hello. */
function isComplete(bytes: Buffer): boolean {
  let at = 0
  while (at + 5 <= bytes.length) at += 5 + bytes.readUInt16BE(at + 3)
  return at === bytes.length && at > 500
}

/** A transport that is no socket: a user's proxy, for example. */
function throughDuplex(socket: Socket): Duplex {
  const duplex = new Duplex({
    read: () => void socket.resume(),
    write: (chunk: Buffer, _, done) => void socket.write(chunk, (error) => done(error)),
    final: (done) => void socket.end(done),
    destroy: (error, done) => {
      socket.destroy()
      done(error)
    },
  })
  socket.on('data', (chunk: Buffer) => {
    if (!duplex.push(chunk)) socket.pause()
  })
  socket.on('end', () => duplex.push(null))
  return duplex
}
