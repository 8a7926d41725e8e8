import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { expect, it } from 'vitest'
import { Producer } from '../../src/index.ts'
import { TestCluster } from '../../src/testing/test-cluster.ts'
import { FakeClock, turns, until } from '../support/fake-clock.ts'
import { closeLater, guardTests } from './harness.ts'

guardTests()

const never = (): Promise<string> => new Promise(() => undefined)

it.each([
  ['password', { mechanism: 'plain', username: 'alice', password: never }],
  ['token', { mechanism: 'oauthbearer', token: never }],
] as const)(
  'close() leaves no timer behind that holds up the process: a %s function that never settles',
  async (_name, sasl) => {
    const cluster = await TestCluster.start({ sasl: { users: { alice: 'x' } } })
    closeLater(() => cluster.close())
    const held = new Set<object>()
    class Clock extends FakeClock {
      override after(delayMs: number, fn: () => void, keepAlive = true): ReturnType<FakeClock['after']> {
        const timer = super.after(delayMs, () => {
          held.delete(timer)
          fn()
        })
        if (keepAlive) held.add(timer)
        return {
          cancel: () => {
            held.delete(timer)
            timer.cancel()
          },
          keepAlive: (isKept) => {
            if (isKept) held.add(timer)
            else held.delete(timer)
          },
        }
      }
    }
    const producer = new Producer({ brokers: cluster.bootstrap, sasl }, new Clock())
    const failed = producer.send({ topic: 't', value: 'v' }).catch(() => undefined)
    await until(() => cluster.requests.some(({ api }) => api === 'ApiVersions'), 'the connection')
    await turns(20)
    await producer.close({ timeoutMs: 0 }).catch(() => undefined)
    await failed
    await turns(5)
    expect(held.size).toBe(0)
  },
)

it('options that are methods of a class are not silently left out: they would make TLS weaker than was asked for', () => {
  class Settings {
    get minVersion(): string {
      return 'TLSv1.3'
    }
  }
  expect(() => new Producer({ brokers: 'localhost:9092', tls: new Settings() as never })).toThrow()
})

it.each([
  ['a Map', new Map([['ca', 'x']])],
  ['a Date', new Date(0)],
])('%s is no object of options', (_name, tls) => {
  expect(() => new Producer({ brokers: 'localhost:9092', tls: tls as never })).toThrow()
})

it('close() ends the question whether a port that hangs up speaks TLS', async () => {
  let visitors = 0
  const asked: Socket[] = []
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    // Three tries of ApiVersions; the fourth is the question, and is met with silence.
    if (++visitors <= 3) socket.destroy()
    else asked.push(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closeLater(() => server.close())
  closeLater(() => asked.forEach((socket) => socket.destroy()))
  const clock = new FakeClock()
  const { port } = server.address() as AddressInfo
  const producer = new Producer({ brokers: `127.0.0.1:${port}` }, clock)
  const failed = producer.send({ topic: 't', value: 'v' }).catch(() => undefined)
  await until(() => asked.length === 1, 'the question')
  await producer.close({ timeoutMs: 0 }).catch(() => undefined)
  await failed
  await turns(20)
  expect(clock.pendingMs).toEqual([])
})
