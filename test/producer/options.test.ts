import { describe, expect, it } from 'vitest'
import { Producer, type ProducerOptions } from '../../src/index.ts'
import { resolveProducerOptions } from '../../src/producer/options.ts'

const messageOf = (options: unknown): string => {
  try {
    new Producer(options as ProducerOptions)
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('it was taken')
}

describe('the options of Producer', () => {
  it.each([
    ['localhost', 'brokers: "localhost" has no port; write localhost:9092 or whatever the port is'],
    ['localhost:', 'brokers: "localhost:" has no port'],
    ['localhost:99999', 'brokers: "localhost:99999": port 99999 is not a number from 1 to 65535'],
    ['localhost:0', 'port 0 is not a number from 1 to 65535'],
    ['kafka://localhost:9092', 'brokers: "kafka://localhost:9092" has a scheme; write host:port without it'],
    ['::1:9092', 'brokers: "::1:9092" is not host:port; an IPv6 address goes in brackets, such as [::1]:9092'],
    ['', 'brokers: no address given; expected host:port, such as localhost:9092'],
    [[], 'brokers: no address given'],
    [['a:1', 7], 'brokers: expected host:port, or a list of host:port'],
    [undefined, 'brokers: required: host:port, such as localhost:9092'],
  ])('brokers %j: %s', (brokers, sentence) => {
    expect(messageOf({ brokers })).toContain(sentence)
  })

  it('takes lists in any of the shapes that people write', async () => {
    const given = ['a:1, b:2,', '[::1]:9092', 'b:2']
    const addresses = await resolveProducerOptions({ brokers: given }).brokers()
    expect(addresses).toEqual([
      { host: 'a', port: 1 },
      { host: 'b', port: 2 },
      { host: '::1', port: 9092 },
    ])
    const asked = resolveProducerOptions({ brokers: () => Promise.resolve('c:3') })
    expect(await asked.brokers()).toEqual([{ host: 'c', port: 3 }])
    await expect(resolveProducerOptions({ brokers: () => Promise.resolve('c') }).brokers()).rejects.toThrow(
      'brokers: the function gave "c": "c" has no port',
    )
  })

  it.each([
    [{ ssl: true }, 'ssl: unknown option: use tls'],
    [{ retry: {} }, 'retry: unknown option: use retryBackoffMs'],
    [{ 'linger.ms': 5 }, 'linger.ms: unknown option: use lingerMs'],
    [{ 'bootstrap.servers': 'a:1' }, 'bootstrap.servers: unknown option: use brokers'],
    [{ messages: [] }, 'messages: unknown option: records are given to send() or sendAll()'],
    [{ acks: 2 }, "acks: got 2, expected 'all', 1 or 0"],
    [{ acks: '1' }, 'acks: got "1", expected \'all\', 1 or 0'],
    [{ partitioner: 'murmur' }, "'fnv1a_random' or a function; did you mean 'murmur2'?"],
    [{ logger: console.log }, 'logger: got a function, expected an object with debug, info, warn and error'],
    [{ idempotent: 'yes' }, 'idempotent: got "yes", expected true or false'],
    [{ idempotent: true, acks: 1 }, "idempotent: true needs acks 'all', got 1"],
    [{ bufferBytes: 100 }, 'bufferBytes: got 100, expected an integer, 1024 to'],
    [{ onUndelivered: true }, 'onUndelivered: got true, expected a function'],
    [{ transactionalId: 'tx' }, 'transactionalId: not available in this version of headrace'],
    [{ lingerMs: 500, deliveryTimeoutMs: 100 }, 'deliveryTimeoutMs (100) is not longer than lingerMs (500)'],
  ])('%j: %s', (options, sentence) => {
    expect(messageOf({ brokers: 'a:1', ...options })).toContain(sentence)
  })

  it('has the defaults of Java, but for lingerMs', () => {
    expect(resolveProducerOptions({ brokers: 'a:1' })).toMatchObject({
      acks: -1,
      lingerMs: 0,
      batchBytes: 16_384,
      maxRequestBytes: 1_048_576,
      maxInFlightRequests: 5,
      maxBlockMs: 60_000,
      deliveryTimeoutMs: 120_000,
      requestTimeoutMs: 30_000,
      retryBackoffMs: 100,
      retryBackoffMaxMs: 1000,
      reconnectBackoffMs: 50,
      reconnectBackoffMaxMs: 1000,
      metadataMaxAgeMs: 300_000,
      connectionsMaxIdleMs: 540_000,
      connectTimeoutMs: 10_000,
      allowAutoTopicCreation: true,
    })
  })
})
