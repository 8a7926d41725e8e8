import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Duplex } from 'node:stream'
import { connect, type Socket } from 'node:net'
import { expect, it } from 'vitest'
import { Producer } from '../../src/index.ts'
import { TestCluster } from '../../src/testing/test-cluster.ts'
import { produce } from '../../src/protocol/messages/produce.ts'
import { metadata } from '../../src/protocol/messages/metadata.ts'
import { openConnection } from '../../src/connection/handshake.ts'
import { createMechanism } from '../../src/sasl/mechanism.ts'
import { resolveSasl } from '../../src/sasl/options.ts'
import type { ConnectionOptions } from '../../src/connection/connection-options.ts'
import { FakeClock, turns } from '../support/fake-clock.ts'
import { brokerOf, closeLater, guardTests, PASSWORD, PLAIN } from './harness.ts'
import { lastWord, NOTHING } from './scripted-broker.ts'

guardTests()

it('who sends when a connection is said to be ready again does not overtake what waited for the login', async () => {
  const broker = await brokerOf({ login: () => () => lastWord({ sessionLifetimeMs: 10_000n }) })
  const clock = new FakeClock()
  const options: ConnectionOptions = {
    ...{ nodeId: 1, host: '127.0.0.1', port: broker.port, clientId: 'test', clock },
    ...{ connectTimeoutMs: 5000, requestTimeoutMs: 30_000, maxIdleMs: 540_000 },
    allowPlaintextCredentials: true,
    mechanism: createMechanism(resolveSasl(PLAIN), { clock }),
  }
  const connection = await openConnection(options, { name: 'headrace', version: '0' }, (c) =>
    closeLater(() => c.close()),
  )
  await clock.advance(9000)
  const late: Promise<unknown>[] = []
  const onState = (message: unknown): void => {
    if ((message as { state: string }).state !== 'ready') return
    late.push(connection.request(metadata, { topics: [{ name: 'later' }] }))
  }
  subscribe('headrace:connection:state', onState)
  closeLater(() => unsubscribe('headrace:connection:state', onState))
  await connection.request(metadata, { topics: [{ name: 'parked' }] })
  await Promise.all(late)
  const names = broker.seen.flatMap(({ body }) =>
    ((body['topics'] as { name: string }[] | undefined) ?? []).map(({ name }) => name),
  )
  expect(names[0]).toBe('parked')
})

it('and no batch is refused as out of order, with flush() in a subscriber', async () => {
  const cluster = await TestCluster.start({
    topics: { t: 1 },
    sasl: { users: { alice: PASSWORD }, sessionLifetimeMs: 10_000 },
  })
  closeLater(() => cluster.close())
  const clock = new FakeClock()
  const producer = new Producer({ brokers: cluster.bootstrap, sasl: PLAIN, lingerMs: 1000 }, clock)
  closeLater(() => producer.close({ timeoutMs: 0 }).catch(() => undefined))
  await producer.send({ topic: 't', value: '0' })
  await producer.send({ topic: 't', value: '1' })
  await clock.advance(9600)
  const flushed: Promise<unknown>[] = []
  const more: Promise<unknown>[] = []
  const onState = (message: unknown): void => {
    if ((message as { state: string }).state === 'ready') flushed.push(producer.flush())
  }
  const onLogin = (): void => void more.push(producer.send({ topic: 't', value: 'second' }))
  subscribe('headrace:connection:state', onState)
  subscribe('headrace:connection:authenticated', onLogin)
  closeLater(() => unsubscribe('headrace:connection:state', onState))
  closeLater(() => unsubscribe('headrace:connection:authenticated', onLogin))
  await producer.send({ topic: 't', value: 'first' })
  await Promise.all(flushed)
  await Promise.all(more)
  expect(cluster.records('t').map(({ value }) => String(value))).toEqual(['0', '1', 'first', 'second'])
  expect(producer.stats().retries).toBe(0)
})

it('the second between two logins is counted from when the broker began the first, however slow the way was', async () => {
  const cluster = await TestCluster.start({
    topics: { t: 1 },
    sasl: { users: { alice: PASSWORD }, sessionLifetimeMs: 800 },
  })
  closeLater(() => cluster.close())
  /** What is said next is 300 ms late: once, in front of a login again. */
  let isSlow = false
  const createSocket = ({ host, port }: { host: string; port: number }): Promise<Duplex> =>
    new Promise((resolve, reject) => {
      const socket: Socket = connect(port, host)
      socket.on('error', reject)
      socket.on('connect', () => {
        const slow = new Duplex({
          read: () => void socket.resume(),
          write: (chunk: Buffer, _encoding, done) => {
            if (isSlow && chunk.includes('PLAIN') && chunk.readInt16BE(4) === 17) {
              isSlow = false
              setTimeout(() => socket.write(chunk, done), 300)
            } else socket.write(chunk, done)
          },
          writev: (chunks, done) => {
            const whole = Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer))
            if (isSlow && whole.readInt16BE(4) === 17) {
              isSlow = false
              setTimeout(() => socket.write(whole, done), 300)
            } else socket.write(whole, done)
          },
          destroy: (error, done) => {
            socket.destroy()
            done(error)
          },
        })
        socket.on('data', (chunk) => void slow.push(chunk))
        socket.on('close', () => slow.destroy())
        resolve(slow)
      })
    })
  const producer = new Producer({
    brokers: cluster.bootstrap,
    sasl: PLAIN,
    allowPlaintextCredentials: true,
    createSocket,
  })
  closeLater(() => producer.close({ timeoutMs: 0 }).catch(() => undefined))
  await producer.send({ topic: 't', value: 'a' })
  isSlow = true
  while (cluster.loginStats().reauthentications < 2) await producer.send({ topic: 't', value: 'b' })
  const { illegal, refused, expired } = cluster.loginStats()
  expect({ illegal, refused, expired }).toEqual({ illegal: 0, refused: 0, expired: 0 })
})

it('acks 0: a login waits for what the operating system has not taken yet, as long as that has time', async () => {
  const broker = await brokerOf({ login: () => () => lastWord({ sessionLifetimeMs: 10_000n }) })
  broker.script = ({ api }) => (api === 'Produce' ? NOTHING : null)
  const clock = new FakeClock()
  let sink: { let: () => void } | null = null
  const createSocket = ({ host, port }: { host: string; port: number }): Duplex => {
    const socket = connect(port, host)
    socket.on('error', () => undefined)
    let isShut = false
    const held: (() => void)[] = []
    const slow = new Duplex({
      read: () => void socket.resume(),
      write: (chunk: Buffer, _encoding, done) => {
        const go = (): void => void socket.write(chunk, done)
        if (isShut) held.push(go)
        else go()
      },
      destroy: (error, done) => {
        socket.destroy()
        done(error)
      },
    })
    socket.on('data', (chunk) => void slow.push(chunk))
    socket.on('close', () => slow.destroy())
    sink = {
      let: () => {
        isShut = !isShut
        if (!isShut) for (const go of held.splice(0)) go()
      },
    }
    return slow
  }
  const options: ConnectionOptions = {
    ...{ nodeId: 1, host: '127.0.0.1', port: broker.port, clientId: 'test', clock, createSocket },
    ...{ connectTimeoutMs: 5000, requestTimeoutMs: 30_000, maxIdleMs: 540_000 },
    allowPlaintextCredentials: true,
    mechanism: createMechanism(resolveSasl(PLAIN), { clock }),
  }
  const connection = await openConnection(options, { name: 'headrace', version: '0' }, (c) =>
    closeLater(() => c.close()),
  )
  const tell = (): Promise<unknown> =>
    connection.requestWithoutAnswer(produce, { acks: 0, timeoutMs: 1000, topicData: [] })
  await clock.advance(8999)
  sink!.let()
  const first = tell()
  await clock.advance(1)
  const second = tell()
  await turns(5)
  // Slow, but within requestTimeoutMs.
  await clock.advance(6000)
  expect(connection.closedBy).toBe(null)
  sink!.let()
  expect(await first).not.toHaveProperty('error')
  expect(await second).not.toHaveProperty('error')
})
