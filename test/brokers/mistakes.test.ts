import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Producer, type KafkaError, type ProducerOptions, type ProducerRecord } from '../../src/index.ts'
import { startCluster, type RealCluster } from '../support/kafka/cluster.ts'
import { createTopic } from '../support/kafka/readers.ts'
import { describeBrokers } from '../support/kafka/require-brokers.ts'

/** What a call fails with, and how long that takes. */
async function failure(work: () => unknown): Promise<{ error: KafkaError; ms: number }> {
  const startedMs = performance.now()
  try {
    await work()
  } catch (error) {
    return { error: error as KafkaError, ms: performance.now() - startedMs }
  }
  throw new Error('it did not fail')
}

async function failureOf(options: ProducerOptions, record: ProducerRecord): ReturnType<typeof failure> {
  const producer = new Producer(options)
  const failed = await failure(() => producer.send(record))
  await producer.close()
  return failed
}

async function failureOfConnect(options: ProducerOptions): ReturnType<typeof failure> {
  const producer = new Producer(options)
  const failed = await failure(() => producer.connect())
  await producer.close()
  return failed
}

/** users.md section 1, by its numbers. Times are its own: generous enough for a loaded machine, far from any timeout. */
describeBrokers('mistakes that users make', () => {
  let cluster: RealCluster
  let brokers: string
  const topic = `orders-${randomUUID()}`

  beforeAll(async () => {
    const properties = { 'auto.create.topics.enable': 'false' }
    cluster = await startCluster({ version: '4.3.1', nodes: 1, security: true, properties })
    brokers = cluster.listeners.plaintext
    await createTopic({ bootstrap: brokers, topic, partitions: 3, replicationFactor: 1 })
  })

  afterAll(async () => {
    await cluster.close()
  })

  it('1: nothing listens on the port', async () => {
    const nobody = { brokers: '127.0.0.1:1,127.0.0.1:2' }
    const connect = await failureOfConnect(nobody)
    expect(connect.error).toMatchObject({ name: 'ConnectionError', retriable: true })
    for (const address of ['127.0.0.1:1', '127.0.0.1:2']) {
      expect(connect.error.message).toContain(`${address}: CONNECTION_REFUSED: connection refused (ECONNREFUSED)`)
    }
    expect(connect.ms).toBeLessThan(1000)
    const send = await failureOf({ ...nobody, maxBlockMs: 700 }, { topic, value: 'x' })
    for (const address of ['127.0.0.1:1', '127.0.0.1:2'])
      expect(send.error.message).toContain(`${address}: CONNECTION_REFUSED`)
    expect(send.error).toMatchObject({ code: 'METADATA_TIMEOUT', retriable: true, maybeWritten: false, topic })
    expect(send.ms).toBeGreaterThan(650)
    expect(send.ms).toBeLessThan(2000)
  })

  it('2: the host name does not resolve', async () => {
    const { error, ms } = await failureOfConnect({ brokers: 'no-such-broker.invalid:9092' })
    expect(error).toMatchObject({ name: 'ConnectionError', code: 'HOST_NOT_FOUND', retriable: true })
    expect(error.message).toContain('the host name "no-such-broker.invalid" could not be resolved')
    expect(ms).toBeLessThan(1000)
    const send = await failureOf({ brokers: 'no-such-broker.invalid:9092', maxBlockMs: 500 }, { topic, value: 'x' })
    expect(send.error.message).toContain('the host name "no-such-broker.invalid" could not be resolved')
  })

  it('3: the port speaks HTTP', async () => {
    const server = createServer((_request, response) => response.end('hello'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { error, ms } = await failureOf({ brokers: `127.0.0.1:${port}` }, { topic, value: 'x' })
    expect(error.message).toBe(`127.0.0.1:${port}: PEER_SPEAKS_HTTP: this port answers HTTP, not Kafka`)
    expect(error).toMatchObject({ name: 'ConnectionError', retriable: false, maybeWritten: false })
    expect(ms).toBeLessThan(1000)
    server.close()
  })

  it('4: plaintext to a TLS port', async () => {
    for (const listener of [cluster.listeners.ssl, cluster.listeners.mtls, cluster.listeners.saslSsl]) {
      const { error, ms } = await failureOf({ brokers: listener! }, { topic, value: 'x' })
      expect(error.message).toBe(`${listener}: PEER_SPEAKS_TLS: this port speaks TLS: set tls`)
      expect(error).toMatchObject({ name: 'ConnectionError', code: 'PEER_SPEAKS_TLS', retriable: false })
      expect(ms).toBeLessThan(1000)
    }
  })

  /** What `send()` and `connect()` fail with, within a second each: what 5 to 13 have in common. */
  async function atOnce(options: ProducerOptions): Promise<KafkaError> {
    const sent = await failureOf(options, { topic, value: 'x' })
    const connected = await failureOfConnect(options)
    expect(sent.ms).toBeLessThan(1000)
    expect(connected.ms).toBeLessThan(1000)
    expect(sent.error.message).toBe(connected.error.message)
    expect(sent.error).toMatchObject({ code: connected.error.code, maybeWritten: false })
    for (const password of Object.values(cluster.users)) expect(sent.error.message).not.toContain(password)
    return sent.error
  }

  const caOf = (): string => readFileSync(cluster.files.ca ?? '', 'utf8')
  const login = (mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512', username = 'alice'): ProducerOptions => ({
    brokers: cluster.listeners.saslPlaintext!,
    sasl: { mechanism, username, password: 'not her password' },
  })

  it('5: TLS to a plaintext port', async () => {
    const { plaintext, saslPlaintext } = cluster.listeners
    for (const listener of [plaintext, saslPlaintext!]) {
      const error = await atOnce({ brokers: listener, tls: { ca: caOf() } })
      expect(error).toMatchObject({ name: 'ConnectionError', code: 'PEER_NOT_TLS' })
      expect(error.message).toMatch(new RegExp(`^${listener}: .*does not speak TLS: is this a plaintext listener\\?`))
    }
  })

  it('6: the private CA is not given', async () => {
    const error = await atOnce({ brokers: cluster.listeners.ssl!, tls: true })
    expect(error).toMatchObject({ name: 'AuthenticationError', code: 'CERTIFICATE_CHAIN_INCOMPLETE', retriable: false })
    expect(error.message).toContain('signed by "headrace test CA"')
    expect(error.message).toContain('set tls.ca to it')
  })

  it('7: the certificate is for another host', async () => {
    const [, port] = cluster.listeners.ssl!.split(':')
    const mapAddress = () => ({ host: '127.0.0.1', port: Number(port) })
    const error = await atOnce({ brokers: `kafka.example:${port}`, tls: { ca: caOf() }, mapAddress })
    expect(error).toMatchObject({ name: 'AuthenticationError', code: 'CERTIFICATE_HOST_MISMATCH', retriable: false })
    expect(error.message).toContain('not for kafka.example, but for localhost, 127.0.0.1')
  })

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('8: mutual TLS without a client certificate, %s', async (version) => {
    const tls = { ca: caOf(), minVersion: version, maxVersion: version }
    const error = await atOnce({ brokers: cluster.listeners.mtls!, tls })
    expect(error).toMatchObject({ name: 'AuthenticationError', code: 'CLIENT_CERTIFICATE_REQUIRED', retriable: false })
    expect(error.message).toContain('asks for a client certificate: set tls.cert and tls.key')
  })

  it.each([
    ['9', 'plain', 'PLAIN', 'Authentication failed: Invalid username or password'],
    ['10', 'scram-sha-256', 'SCRAM-SHA-256', 'Authentication failed during authentication due to invalid credentials'],
    ['10', 'scram-sha-512', 'SCRAM-SHA-512', 'Authentication failed during authentication due to invalid credentials'],
  ] as const)('%s: a wrong password, %s', async (_number, mechanism, name, sentence) => {
    const error = await atOnce(login(mechanism))
    expect(error).toMatchObject({ name: 'AuthenticationError', code: 'SASL_AUTHENTICATION_FAILED', retriable: false })
    expect(error.message).toContain(`${name}, user "alice": the broker says: ${sentence}`)
    expect(error.message).not.toContain('not her password')
  })

  it('11: an unknown user', async () => {
    const error = await atOnce(login('scram-sha-512', 'nobody-here'))
    expect(error.message).toContain('SCRAM-SHA-512, user "nobody-here": the broker says: Authentication failed')
  })

  it('12: a mechanism that the broker lacks', async () => {
    const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: randomUUID() }
    const error = await atOnce({
      ...{ brokers: cluster.listeners.saslSsl!, tls: { ca: caOf() } },
      sasl: { mechanism: 'aws-msk-iam', region: 'us-east-1', credentials },
    })
    expect(error).toMatchObject({ name: 'AuthenticationError', code: 'UNSUPPORTED_SASL_MECHANISM', retriable: false })
    expect(error.message).toContain('the broker does not have AWS_MSK_IAM on this listener; it has ')
    for (const name of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER']) expect(error.message).toContain(name)
  })

  it('13: a SASL port without SASL settings', async () => {
    const { saslPlaintext, saslSsl } = cluster.listeners
    for (const options of [{ brokers: saslPlaintext! }, { brokers: saslSsl!, tls: { ca: caOf() } }]) {
      const error = await atOnce(options)
      expect(error).toMatchObject({ name: 'ConnectionError', code: 'CONNECTION_CLOSED' })
      expect(error.message).toContain('closed the connection after ApiVersions: does this listener want SASL?')
    }
  })

  it('14: the topic is missing and is not created', async () => {
    const misspelt = topic.replace('orders', 'ordesr')
    const { error, ms } = await failureOf({ brokers }, { topic: misspelt, value: 'x' })
    expect(error).toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      errorCode: 3,
      topic: misspelt,
      maybeWritten: false,
    })
    expect(error.message).toContain(`the cluster has no topic "${misspelt}"`)
    expect(error.message).toContain(`did you mean "${topic}"?`)
    expect(ms).toBeLessThan(10_000)
  })

  it('15: a record of 2 MiB', async () => {
    const { error, ms } = await failureOf({ brokers }, { topic, value: Buffer.alloc(2 * 1024 * 1024) })
    expect(error).toMatchObject({
      name: 'DeliveryError',
      code: 'RECORD_TOO_LARGE',
      maybeWritten: false,
      retriable: false,
      topic,
    })
    expect(error.message).toContain('a record of 2097240 bytes')
    expect(error.message).toContain('maxRequestBytes (1048576)')
    expect(ms).toBeLessThan(100)
  })

  it('16: partition 99 of 3', async () => {
    const { error, ms } = await failureOf({ brokers }, { topic, value: 'x', partition: 99 })
    expect(error).toMatchObject({
      name: 'DeliveryError',
      code: 'UNKNOWN_PARTITION',
      topic,
      partition: 99,
      maybeWritten: false,
    })
    expect(error.message).toContain(`topic "${topic}" has 3 partitions (0 to 2), not partition 99`)
    expect(ms).toBeLessThan(2000)
    // The same when the topic is known already.
    const producer = new Producer({ brokers })
    await producer.send({ topic, value: 'known now' })
    const known = await failure(() => producer.send({ topic, value: 'x', partition: 99 }))
    expect(known.error.code).toBe('UNKNOWN_PARTITION')
    expect(known.ms).toBeLessThan(2000)
    await producer.close()
  })

  it('17: brokerz', async () => {
    const { error, ms } = await failure(() => new Producer({ brokerz: brokers } as unknown as ProducerOptions))
    expect(error).toMatchObject({ name: 'OptionError', code: 'INVALID_OPTIONS' })
    expect(error.message).toContain('brokerz: unknown option: did you mean brokers?')
    expect(ms).toBeLessThan(100)
  })

  it('18: compresion', async () => {
    const { error } = await failure(() => new Producer({ brokers, compresion: 'gzip' } as unknown as ProducerOptions))
    expect(error).toMatchObject({ name: 'OptionError', code: 'INVALID_OPTIONS' })
    expect(error.message).toContain('compresion: unknown option: did you mean compression?')
  })

  it('19: value: undefined', async () => {
    const { error, ms } = await failureOf({ brokers }, { topic, value: undefined } as unknown as ProducerRecord)
    expect(error).toMatchObject({ name: 'OptionError', code: 'INVALID_RECORD' })
    expect(error.message).toContain(`topic "${topic}": value is undefined; use null for a tombstone`)
    expect(ms).toBeLessThan(100)
  })
})
