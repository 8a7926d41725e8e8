import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, test, vi } from 'vitest'
import { UsageError } from '../../../src/cli/exit-code.ts'
import type { DeliveryResult } from '../../../src/destination/destination.ts'
import { canarySecret, expectNoSecret } from '../../support/canary.ts'
import { startEventService, takeAll, track, type Deliver } from './harness.ts'

const captured = new URL('../../fixtures/segment/analytics-node-3.1.0-v1-batch-body.json', import.meta.url)

const failing =
  (result: Partial<DeliveryResult>): Deliver =>
  (events) =>
    Promise.resolve(
      [...events].map((_, event) => ({
        ...{ event, mapping: 'all', status: 503, retry: true, error: { code: 'METADATA_TIMEOUT', message: 'b1:9092' } },
        ...result,
      })),
    )

interface Body {
  readonly success: boolean
  readonly error?: { readonly code: string; readonly message: string }
  readonly errors?: readonly { readonly index: number; readonly code: string; readonly message: string }[]
}

async function bodyOf(response: Response): Promise<Body> {
  return (await response.json()) as Body
}

/** Resolves when the client has gone, or the server has hung up. */
async function rawRequest(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.write(text)
  await new Promise((resolve) => socket.on('close', resolve).on('error', resolve))
  return Buffer.concat(chunks).toString('latin1')
}

describe('seg-S22: what Segment sends', () => {
  test("a captured batch of Segment's client arrives whole, with what the server adds", async () => {
    const { post, delivered } = await startEventService()
    const text = readFileSync(captured, 'utf8')
    const given = JSON.parse(text) as { batch: Record<string, unknown>[]; sentAt: string }
    const response = await post('/v1/batch', text)
    expect([response.status, await bodyOf(response)]).toEqual([200, { success: true }])
    expect(delivered).toEqual(
      given.batch.map((event) => ({
        ...event,
        sentAt: given.sentAt,
        receivedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      })),
    )
  })

  test.each(['track', 'identify', 'page', 'screen', 'group', 'alias'])('/v1/%s sets the type', async (type) => {
    const { post, delivered } = await startEventService()
    const response = await post(`/v1/${type}`, { ...track, type: 'other', writeKey: 'k' })
    expect(response.status).toBe(200)
    expect(delivered).toEqual([
      expect.objectContaining({ type, ...track, messageId: expect.stringMatching(/^headrace-[0-9a-f-]{36}$/) }),
    ])
    expect(delivered[0]).not.toHaveProperty('writeKey')
  })

  test.each(['/v1/import', '/v1/b'])('%s takes batches, too', async (path) => {
    const { post, delivered } = await startEventService()
    expect((await post(path, { batch: [{ type: 'track', ...track }] })).status).toBe(200)
    expect(delivered).toHaveLength(1)
  })

  test('a body in gzip', async () => {
    const { post, delivered } = await startEventService()
    const response = await post('/v1/track', gzipSync(JSON.stringify(track)), { 'Content-Encoding': 'gzip' })
    expect(response.status).toBe(200)
    expect(delivered).toEqual([expect.objectContaining(track)])
  })
})

describe('seg-S22: what is refused', () => {
  test.each([
    ['/v1/batch', '{"batch": [', 400, 'INVALID_JSON', 'line 1, column 12'],
    ['/v1/batch', '[]', 400, 'INVALID_BODY', 'object'],
    ['/v1/batch', '{"batch": {}}', 400, 'INVALID_BODY', 'list named batch'],
    ['/v1/track', Buffer.from([0x22, 0xff, 0x22]), 400, 'INVALID_JSON', 'UTF-8'],
    ['/v1/nothing', '{}', 404, 'NOT_FOUND', '/v1/batch'],
    ['/v2/batch', '{}', 404, 'NOT_FOUND', '/v1/batch'],
    ['/v1/batch', { batch: Array.from({ length: 2501 }, () => 0) }, 400, 'TOO_MANY_EVENTS', '2501 events'],
    ['/v1/batch', { batch: [], pad: 'x'.repeat(512_000) }, 400, 'BODY_TOO_LARGE', '512000'],
  ])('%s %#', async (path, body, status, code, words) => {
    const { post, delivered } = await startEventService()
    const response = await post(path, body)
    const { success, error } = await bodyOf(response)
    expect([response.status, success, error?.code]).toEqual([status, false, code])
    expect(error?.message).toContain(words)
    expect(delivered).toEqual([])
  })

  test('a body that never ends is refused while it comes, and gzip that would grow', async () => {
    const { url, post } = await startEventService()
    const chunk = `${(65_536).toString(16)}\r\n${'x'.repeat(65_536)}\r\n`
    const head = 'POST /v1/batch HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'
    const answer = await rawRequest(url, head + chunk.repeat(9))
    expect(answer).toContain('BODY_TOO_LARGE')
    const bomb = await post('/v1/batch', gzipSync(Buffer.alloc(50_000_000, 0x20)), { 'Content-Encoding': 'gzip' })
    expect((await bodyOf(bomb)).error?.code).toBe('BODY_TOO_LARGE')
    const noGzip = await post('/v1/batch', '{}', { 'Content-Encoding': 'gzip' })
    expect((await bodyOf(noGzip)).error?.code).toBe('INVALID_GZIP')
    const other = await post('/v1/batch', '{}', { 'Content-Encoding': 'br' })
    expect((await bodyOf(other)).error?.code).toBe('UNKNOWN_ENCODING')
  })

  test('items that are wrong are told one by one, and the others are delivered', async () => {
    const { post, delivered, notes } = await startEventService()
    const good = { type: 'track', ...track, messageId: 'good' }
    const batch = [
      good,
      7,
      { type: 'delete', userId: 'u' },
      { type: 'identify', traits: {} },
      { type: 'track', anonymousId: 'a' },
      { ...good, messageId: 'x'.repeat(101) },
      { ...good, messageId: 'large', properties: { x: 'ü'.repeat(16_384) } },
      { ...good, messageId: 'x'.repeat(100), anonymousId: 'a' },
    ]
    const response = await post('/v1/batch', { batch })
    const { success, errors } = await bodyOf(response)
    expect([response.status, success]).toEqual([200, true])
    const codes = [
      'INVALID_EVENT',
      'INVALID_TYPE',
      'ID_MISSING',
      'EVENT_MISSING',
      'INVALID_MESSAGE_ID',
      'EVENT_TOO_LARGE',
    ]
    expect(errors?.map(({ index, code }) => [index, code])).toEqual(codes.map((code, i) => [i + 1, code]))
    expect(delivered.map(({ messageId }) => messageId)).toEqual(['good', 'x'.repeat(100)])
    expect(notes).toHaveLength(codes.length)
  })

  test('a request with nothing good in it is 400', async () => {
    const { post } = await startEventService()
    const response = await post('/v1/track', { userId: 'u' })
    const { error, errors } = await bodyOf(response)
    expect([response.status, error?.code, errors?.length]).toEqual([400, 'INVALID_EVENTS', 1])
  })
})

describe('seg-S22: who may send', () => {
  const key = canarySecret('write key', (random) => random)
  const other = canarySecret('another write key', (random) => random)
  const basic = (user: string): Record<string, string> => ({
    Authorization: `Basic ${Buffer.from(`${user}:`).toString('base64')}`,
  })

  test('who has one of the keys, in the header or in the body', async () => {
    const { post, delivered } = await startEventService({ writeKeys: [key, other] })
    expect((await post('/v1/track', track, basic(key))).status).toBe(200)
    expect((await post('/v1/track', track, basic(other))).status).toBe(200)
    expect(
      (await post('/v1/batch', { batch: [{ ...track, type: 'track', writeKey: key }], writeKey: key })).status,
    ).toBe(200)
    expect((await post('/v1/track', { ...track, writeKey: key }, { Authorization: 'Bearer token' })).status).toBe(200)
    expect(delivered).toHaveLength(4)
    expectNoSecret(delivered, [key, other])
  })

  test('and nobody else', async () => {
    const { post, delivered, notes } = await startEventService({ writeKeys: [key] })
    const wrong = [
      await post('/v1/track', track),
      await post('/v1/track', track, basic('wrong')),
      await post('/v1/track', { ...track, writeKey: key }, basic('wrong')),
      await post('/v1/track', { ...track, writeKey: [key] }),
      await post('/v1/track', { ...track, writeKey: `${key}x` }),
    ]
    expect(wrong.map(({ status }) => status)).toEqual(wrong.map(() => 401))
    expect(wrong[0]?.headers.get('www-authenticate')).toContain('Basic')
    expect(delivered).toEqual([])
    expectNoSecret([notes, ...(await Promise.all(wrong.map((response) => response.text())))], [key])
  })

  test('without keys, no page that a browser shows', async () => {
    const { post, delivered } = await startEventService()
    expect((await post('/v1/track', track, { Origin: 'https://example.com' })).status).toBe(403)
    expect(delivered).toEqual([])
  })
})

describe('seg-S22: 200 means that it is in Kafka, or will never get there', () => {
  test('trouble of Kafka is 503, without the names of brokers', async () => {
    const { post } = await startEventService({ deliver: failing({}) })
    const response = await post('/v1/track', track)
    const text = await response.text()
    expect(response.status).toBe(503)
    expect(text).toContain('METADATA_TIMEOUT')
    expect(text).not.toContain('b1:9092')
  })

  test.each([
    [{ status: 401, retry: false, error: { code: 'SASL_AUTHENTICATION_FAILED', message: '' } }],
    [{ status: 403, retry: false, error: { code: 'TOPIC_AUTHORIZATION_FAILED', message: '' } }],
    [{ status: 400, retry: false, error: { code: 'CERTIFICATE_INVALID', message: '' } }],
    [{ status: 400, retry: false, error: { code: 'MAPPING_FAILED', message: '' }, deadLetter: { error: 'no' } }],
  ])('what an operator can mend is 503, too: the clients keep the events (%#)', async (result) => {
    const { post } = await startEventService({ deliver: failing(result) })
    expect((await post('/v1/track', track)).status).toBe(503)
  })

  test('one of many that may be tried again makes the whole request come again', async () => {
    const deliver: Deliver = async (events) => {
      const [first, ...others] = await takeAll(events)
      const [failed] = await failing({})([0])
      return [first, ...others.slice(1), failed].filter((result) => result !== undefined)
    }
    const { post } = await startEventService({ deliver })
    const batch = [1, 2, 3].map(() => ({ type: 'track', ...track }))
    expect((await post('/v1/batch', { batch })).status).toBe(503)
  })

  test("an event's own fault is 200, explained", async () => {
    const error = { code: 'PAYLOAD_VALIDATION_FAILED', message: 'no topic' }
    const { post, notes } = await startEventService({ deliver: failing({ status: 400, retry: false, error }) })
    const response = await post('/v1/track', { ...track, messageId: 'm-1' })
    const expected = { index: 0, messageId: 'm-1', mapping: 'all', ...error }
    expect([response.status, await bodyOf(response)]).toEqual([200, { success: true, errors: [expected] }])
    expect(notes).toEqual(['PAYLOAD_VALIDATION_FAILED (1): mapping "all": no topic'])
  })

  test('throttling is 429 with whole seconds', async () => {
    const throttled = { status: 429, retryAfterMs: 2100, error: { code: 'THROTTLING_QUOTA_EXCEEDED', message: '' } }
    const { post } = await startEventService({ deliver: failing(throttled) })
    const response = await post('/v1/track', track)
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '3'])
  })

  test('what takes too long is 503, and goes on', async () => {
    const finish: (() => void)[] = []
    const deliver: Deliver = (events) => new Promise((resolve) => finish.push(() => resolve(takeAll(events))))
    const { post, url } = await startEventService({ deliver, answerTimeoutMs: 30 })
    const response = await post('/v1/track', track)
    expect([response.status, (await bodyOf(response)).error?.code]).toEqual([503, 'NOT_YET_DELIVERED'])
    const metrics = async (): Promise<string> => (await fetch(`${url}/metrics`)).text()
    expect(await metrics()).toContain('headrace_events_in_flight 1')
    for (const each of finish) each()
    await vi.waitUntil(async () => (await metrics()).includes('headrace_events_in_flight 0'))
    expect(await metrics()).toContain('headrace_events_total{mapping="all",status="200"} 1')
  })

  test('a destination that throws is 503, and the service goes on', async () => {
    let calls = 0
    const deliver: Deliver = (events) => (calls++ === 0 ? Promise.reject(new Error('closed')) : takeAll(events))
    const { post } = await startEventService({ deliver })
    expect((await post('/v1/track', track)).status).toBe(503)
    expect((await post('/v1/track', track)).status).toBe(200)
  })
})

describe('seg-S22: under load', () => {
  test('more events than may be in flight get 429 with Retry-After; a request alone gets in', async () => {
    const finish: (() => void)[] = []
    const deliver: Deliver = (events) => new Promise((resolve) => finish.push(() => resolve(takeAll(events))))
    const { post, delivered } = await startEventService({ deliver, maxEvents: 3 })
    const batch = (count: number): object => ({
      batch: Array.from({ length: count }, () => ({ type: 'page', ...track })),
    })
    const first = post('/v1/batch', batch(4))
    await vi.waitUntil(() => finish.length === 1)
    const refused = await post('/v1/batch', batch(1))
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
    expect(delivered).toHaveLength(4)
    finish[0]?.()
    expect((await first).status).toBe(200)
    const again = post('/v1/batch', batch(1))
    await vi.waitUntil(() => finish.length === 2)
    finish[1]?.()
    expect((await again).status).toBe(200)
  })

  test('clients that hang up, and noise, harm nobody', async () => {
    const { url, post, delivered } = await startEventService()
    const { port } = new URL(url)
    const head = 'POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{'
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write(head, () => socket.destroy()))
      socket.on('close', () => resolve())
    })
    expect(await rawRequest(url, '\0\xff noise\r\n\r\n')).toContain('400 Bad Request')
    expect(await rawRequest(url, 'POST /v1/track HTTP/1.1\r\n\r\n')).toContain('400 Bad Request')
    expect((await post('/v1/track', track)).status).toBe(200)
    expect(delivered).toHaveLength(1)
  })
})

describe('seg-S22: how it is', () => {
  test('a check of health in HTTP/1.0, which has no Host, is answered', async () => {
    const { url } = await startEventService()
    expect(await rawRequest(url, 'GET /healthz HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  })

  test('an event chooses nothing that a terminal would obey', async () => {
    const error = { code: 'TOPIC_NOT_ALLOWED', message: 'topic a\nheadrace: all is well\u001b[2J\u009b2J\u2028.' }
    const { post, notes } = await startEventService({ deliver: failing({ status: 400, retry: false, error }) })
    await post('/v1/track', track)
    expect(notes).toEqual(['TOPIC_NOT_ALLOWED (1): mapping "all": topic a headrace: all is well?[2J?2J?.'])
  })

  test('/healthz, /readyz and /metrics', async () => {
    const { url, post } = await startEventService()
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    await post('/v1/track', track)
    await fetch(`${url}/some/other/path`)
    const response = await fetch(`${url}/metrics`)
    expect(response.headers.get('content-type')).toContain('text/plain')
    const text = await response.text()
    const expected = [
      'headrace_http_requests_total{path="/v1/track",status="200"} 1',
      'headrace_http_requests_total{path="other",status="404"} 1',
      'headrace_events_total{mapping="all",status="200"} 1',
      ...['kafka_connection_opened 0', 'kafka_connection_reused 0', 'kafka_connection_closed 0'],
      ...['kafka_disconnect_error 0', 'kafka_batch_bytes_count 0'],
      ...['kafka_configurable_batch_keys_unique_keys_count 0', 'process_cpu_seconds_total'],
    ]
    for (const line of expected) expect(text).toContain(line)
  })

  test.each([
    ['fails', () => Promise.reject(new Error('down'))],
    ['never answers', () => new Promise(() => undefined)],
  ])('not ready where Kafka %s', async (_, ask) => {
    const { url } = await startEventService({ ask })
    expect((await fetch(`${url}/readyz`)).status).toBe(503)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })

  test('draining answers what is here and takes no more', async () => {
    const finish: (() => void)[] = []
    const deliver: Deliver = (events) => new Promise((resolve) => finish.push(() => resolve(takeAll(events))))
    const { url, post, service } = await startEventService({ deliver })
    const answer = post('/v1/track', track)
    await vi.waitUntil(() => finish.length === 1)
    const drained = service.drain(5000)
    await expect(fetch(`${url}/healthz`)).rejects.toThrow()
    for (const each of finish) each()
    const { status, headers } = await answer
    expect([status, headers.get('connection'), await drained]).toEqual([200, 'close', true])
  })

  test('draining also waits for what was answered 503 and is still on its way', async () => {
    const finish: (() => void)[] = []
    const deliver: Deliver = (events) => new Promise((resolve) => finish.push(() => resolve(takeAll(events))))
    const { url, post, service } = await startEventService({ deliver, answerTimeoutMs: 20 })
    expect((await post('/v1/track', track)).status).toBe(503)
    let isOver = false
    const drained = service.drain(5000).finally(() => (isOver = true))
    await vi.waitUntil(
      async () =>
        await fetch(`${url}/healthz`).then(
          () => false,
          () => true,
        ),
    )
    await new Promise((resolve) => setImmediate(resolve))
    expect(isOver).toBe(false)
    for (const each of finish) each()
    expect(await drained).toBe(true)
  })

  test('draining does not wait for who has sent no whole request head', async () => {
    const { url, service } = await startEventService()
    const { hostname, port } = new URL(url)
    const [silent, slow] = [connect(Number(port), hostname), connect(Number(port), hostname)]
    const hungUp = [silent, slow].map(
      (socket) => new Promise((resolve) => socket.on('error', resolve).on('close', resolve)),
    )
    await Promise.all([silent, slow].map((socket) => new Promise((resolve) => socket.on('connect', resolve))))
    slow.write('GET /heal')
    // Both are known to the server by now: it answers who came after them.
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    expect(await service.drain(4000)).toBe(true)
    await Promise.all(hungUp)
  })

  test('draining gives up in time', async () => {
    const { post, service, delivered } = await startEventService({ deliver: () => new Promise(() => undefined) })
    const answer = post('/v1/track', track).catch((error: unknown) => error)
    await vi.waitUntil(() => delivered.length === 1)
    expect(await service.drain(20)).toBe(false)
    expect(await answer).toBeInstanceOf(Error)
  })

  test('a port that is taken is told', async () => {
    const { url } = await startEventService()
    const port = Number(new URL(url).port)
    await expect(startEventService({ port })).rejects.toThrow(
      new UsageError(`port ${port} is taken; choose another with --listen, 0 finds a free one`),
    )
  })
})
