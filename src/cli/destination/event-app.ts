import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import { Hono } from 'hono/tiny'
import type { DeliveryResult, KafkaDestination } from '../../destination/destination.ts'
import { answerFor, type Answer } from './answer.ts'
import { bodyWriteKey, kindOf, readEvents, type EventRequest } from './event-request.ts'
import type { Load } from './load.ts'
import { readJsonBody } from './read-body.ts'
import type { Readiness } from './readiness.ts'
import { Refusal } from './refusal.ts'
import type { RepeatedNotes } from './repeated-notes.ts'
import type { ServiceMetrics } from './service-metrics.ts'
import { basicUser, type WriteKeys } from './write-keys.ts'

export interface EventAppOptions {
  readonly destination: Pick<KafkaDestination, 'deliver'>
  readonly keys: WriteKeys
  readonly load: Load
  readonly readiness: Readiness
  readonly metrics: ServiceMetrics
  readonly notes: RepeatedNotes
  readonly answerTimeoutMs: number
  /** It takes no more. */
  readonly isDraining: () => boolean
}

type Bindings = { Bindings: HttpBindings }

/** What the service answers; it knows no ports. */
export function createEventApp(options: EventAppOptions): Hono<Bindings> {
  const { metrics, readiness, isDraining } = options
  const app = new Hono<Bindings>()
  app.use(async (c, next) => {
    const startedMs = performance.now()
    await next()
    if (isDraining()) c.header('Connection', 'close')
    metrics.answered(pathLabel(c.req.path), c.res.status, (performance.now() - startedMs) / 1000)
  })
  app.get('/healthz', (c) => c.text('ok\n'))
  app.get('/readyz', async (c) => {
    if (isDraining()) return c.text('shutting down\n', 503)
    return (await readiness.isReady()) ? c.text('ok\n') : c.text('Kafka cannot be reached\n', 503)
  })
  app.get('/metrics', async (c) => c.body(await metrics.text(), 200, { 'Content-Type': metrics.contentType }))
  app.post('/v1/:kind', async (c) => answered(c, await takeEvents(c, c.req.param('kind'), options)))
  app.notFound((c) => refused(c, new Refusal(404, 'NOT_FOUND', 'Events go to POST /v1/batch, /v1/track and the like.')))
  app.onError((error, c) => {
    if (error instanceof Refusal) return refused(c, error)
    options.notes.say('INTERNAL', 1, error.message)
    return refused(c, new Refusal(503, 'INTERNAL', 'Something is wrong here; try again.'))
  })
  return app
}

async function takeEvents(c: Context<Bindings>, name: string, options: EventAppOptions): Promise<Answer> {
  const { load, metrics, notes } = options
  const kind = kindOf(name)
  if (kind === undefined) throw new Refusal(404, 'NOT_FOUND', 'Events go to POST /v1/batch, /v1/track and the like.')
  if (options.isDraining()) throw new Refusal(503, 'SHUTTING_DOWN', 'The service is shutting down.')
  const isLetIn = checkHeaders(c, options.keys)
  const { json, bytes } = await readJsonBody(c.env.incoming, load)
  if (!isLetIn && !options.keys.allows(bodyWriteKey(json) ?? '')) throw wrongKey()
  const request = readEvents(json, kind, bytes, new Date().toISOString())
  for (const { code, message } of request.faults) {
    metrics.refused(code)
    notes.say(code, 1, message)
  }
  if (request.events.length === 0) return answerFor(request, [])
  return await deliver(request, bytes, options)
}

/** @returns whether the key has been seen to be good; else it must be in the body. */
function checkHeaders(c: Context<Bindings>, keys: WriteKeys): boolean {
  if (keys.isOpen) {
    // Any page that a user of this machine looks at could send events otherwise.
    if (c.req.header('origin') === undefined) return true
    throw new Refusal(403, 'BROWSER', 'Browsers may send when the configuration has listen.writeKeys.')
  }
  const user = basicUser(c.req.header('authorization'))
  if (user !== null && !keys.allows(user)) throw wrongKey()
  return user !== null
}

function wrongKey(): Refusal {
  return new Refusal(401, 'WRONG_KEY', 'The write key is missing or wrong.')
}

async function deliver(request: EventRequest, bytes: number, options: EventAppOptions): Promise<Answer> {
  const { destination, load, answerTimeoutMs } = options
  const { events } = request
  const work = async (): Promise<DeliveryResult[]> => {
    const results = await destination.deliver(events, { isBatch: true })
    tell(events.length, results, options)
    return results
  }
  const delivery = load.carry(events.length, work, bytes)
  // What comes after the answer has nobody who awaits it.
  delivery.catch((error: unknown) => options.notes.say('INTERNAL', events.length, String(error)))
  const results = await withinMs(delivery, answerTimeoutMs)
  if (results !== null) return answerFor(request, results)
  throw new Refusal(503, 'NOT_YET_DELIVERED', `Kafka has not taken the events within ${answerTimeoutMs} ms.`)
}

function tell(events: number, results: readonly DeliveryResult[], { metrics, notes }: EventAppOptions): void {
  metrics.delivered(events, results)
  for (const { error, mapping, deadLetter } of results) {
    if (error === undefined) continue
    const kept = deadLetter !== undefined && 'topic' in deadLetter ? ' (kept in the dead-letter topic)' : ''
    notes.say(error.code, 1, `${mapping === null ? '' : `mapping ${JSON.stringify(mapping)}: `}${error.message}${kept}`)
  }
}

/** Null: it takes longer. */
async function withinMs<T>(work: Promise<T>, timeoutMs: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>((resolve) => (timer = setTimeout(() => resolve(null), timeoutMs)))
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

function answered(c: Context<Bindings>, { status, body, retryAfterSeconds }: Answer): Response {
  if (retryAfterSeconds !== null) c.header('Retry-After', String(retryAfterSeconds))
  return c.json(body, status)
}

function refused(c: Context<Bindings>, { status, code, message, retryAfterSeconds }: Refusal): Response {
  if (retryAfterSeconds !== null) c.header('Retry-After', String(retryAfterSeconds))
  if (status === 401) c.header('WWW-Authenticate', 'Basic realm="write key"')
  return c.json({ success: false, error: { code, message } }, status)
}

/** Nobody can make up new ones. */
/** A slash at the end makes no difference. */
function pathLabel(given: string): string {
  const path = given.replace(/(?<=.)\/$/, '')
  const [, name = ''] = /^\/v1\/(\w+)$/.exec(path) ?? []
  return kindOf(name) !== undefined || ['/healthz', '/readyz', '/metrics'].includes(path) ? path : 'other'
}
