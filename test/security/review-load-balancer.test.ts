import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { expect, it } from 'vitest'
import { TestCluster } from '../../src/testing/test-cluster.ts'
import { Authority } from '../support/tls/authority.ts'
import { closeLater, guardTests, PASSWORD, PLAIN } from './harness.ts'
import { Producer } from '../../src/index.ts'

// A load balancer accepts everybody and hangs up while the broker behind it is away. Without TLS records wait for the
// broker (routes.test.ts); with TLS they must, too: the same silence is no verdict about certificates or ports.

guardTests()

/** Hangs up on its first `refusing` visitors, at the given point; joins the others with the broker. */
async function balancer(port: number, refusing: number, hangUp: (socket: Socket) => void): Promise<string> {
  let visitors = 0
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    if (++visitors <= refusing) return hangUp(socket)
    const behind = connect(port, '127.0.0.1')
    behind.on('error', () => socket.destroy())
    socket.on('close', () => behind.destroy())
    behind.on('close', () => socket.destroy())
    socket.pipe(behind).pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closeLater(() => server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

it.each([
  ['plaintext', false, 6],
  // A third time in a row it is taken for a port without TLS, as which it cannot be told from a balancer.
  ['TLS', true, 2],
])(
  '%s (%s), the broker is away for the first %d visitors: the first record waits and is delivered',
  async (_name, isTls, refusing) => {
    const cluster = await TestCluster.start({ topics: { t: 1 }, ...(isTls && { tls: true }) })
    closeLater(() => cluster.close())
    const address = await balancer(cluster.ports[0]!, refusing, (socket) => socket.destroy())
    const producer = new Producer({ brokers: address, ...(isTls && { tls: { ca: cluster.ca! } }) })
    closeLater(() => producer.close({ timeoutMs: 0 }).catch(() => undefined))
    await expect(producer.send({ topic: 't', value: 'v' })).resolves.toMatchObject({ offset: 0n })
  },
)

it('TLS ends at the balancer, which hangs up behind the handshake while no broker is there', async () => {
  const root = await Authority.root('the root')
  closeLater(() => root.remove())
  const cluster = await TestCluster.start({ topics: { t: 1 } })
  closeLater(() => cluster.close())
  let visitors = 0
  const server = createTlsServer(await root.issue(), (socket) => {
    socket.on('error', () => undefined)
    if (++visitors <= 4) return void socket.destroy()
    const behind = connect(cluster.ports[0]!, '127.0.0.1')
    behind.on('error', () => socket.destroy())
    socket.on('close', () => behind.destroy())
    socket.pipe(behind).pipe(socket)
  })
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closeLater(() => server.close())
  const port = (server.address() as AddressInfo).port
  const producer = new Producer({
    ...{ brokers: `127.0.0.1:${port}`, tls: { ca: root.cert } },
    mapAddress: ({ host }) => ({ host, port }),
  })
  closeLater(() => producer.close({ timeoutMs: 0 }).catch(() => undefined))
  await expect(producer.send({ topic: 't', value: 'v' })).resolves.toMatchObject({ offset: 0n })
})

it('a SASL broker that is stopped twice in the middle of a greeting is no broker that wants something else', async () => {
  const cluster = await TestCluster.start({ topics: { t: 1 }, sasl: { users: { alice: PASSWORD } } })
  closeLater(() => cluster.close())
  // A rolling restart behind one name: each of two brokers goes down right after ApiVersions.
  cluster.fail({ api: 'SaslHandshake', closeBefore: true, times: 2 })
  const producer = new Producer({ brokers: cluster.bootstrap, sasl: PLAIN })
  closeLater(() => producer.close({ timeoutMs: 0 }).catch(() => undefined))
  await expect(producer.send({ topic: 't', value: 'v' })).resolves.toMatchObject({ offset: 0n })
})

it('nor is one without SASL that is stopped twice between ApiVersions and its answer to Metadata', async () => {
  const cluster = await TestCluster.start({ topics: { t: 1 } })
  closeLater(() => cluster.close())
  cluster.fail({ api: 'Metadata', closeBefore: true, times: 2 })
  const producer = new Producer({ brokers: cluster.bootstrap })
  closeLater(() => producer.close({ timeoutMs: 0 }).catch(() => undefined))
  await expect(producer.send({ topic: 't', value: 'v' })).resolves.toMatchObject({ offset: 0n })
})
