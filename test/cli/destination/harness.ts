import { afterEach } from 'vitest'
import { EventService, type EventServiceOptions } from '../../../src/cli/destination/event-service.ts'
import { Load } from '../../../src/cli/destination/load.ts'
import { Readiness } from '../../../src/cli/destination/readiness.ts'
import { RepeatedNotes } from '../../../src/cli/destination/repeated-notes.ts'
import { ServiceMetrics } from '../../../src/cli/destination/service-metrics.ts'
import { WriteKeys } from '../../../src/cli/destination/write-keys.ts'
import type { DeliveryResult } from '../../../src/destination/destination.ts'

export type Deliver = (events: Iterable<unknown>) => Promise<DeliveryResult[]>

export interface RunningService {
  readonly url: string
  readonly service: EventService
  /** What was delivered, in order. */
  readonly delivered: Record<string, unknown>[]
  readonly notes: string[]
  readonly post: (path: string, body: unknown, headers?: Record<string, string>) => Promise<Response>
}

interface ServiceSetting {
  readonly deliver?: Deliver
  readonly writeKeys?: readonly string[]
  readonly maxEvents?: number
  readonly answerTimeoutMs?: number
  readonly ask?: () => Promise<unknown>
  readonly port?: number
}

const open: EventService[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((service) => service.drain(0)))
})

/** Everything arrives. */
export const takeAll: Deliver = (events) =>
  Promise.resolve([...events].map((_, event) => ({ event, mapping: 'all', status: 200, topic: 't', partition: 0 })))

/** The event service on a port of its own, in front of a destination that the test plays; closed after the test. */
export async function startEventService(setting: ServiceSetting = {}): Promise<RunningService> {
  const { deliver = takeAll, writeKeys = [], maxEvents = 10_000, answerTimeoutMs = 8000 } = setting
  const delivered: Record<string, unknown>[] = []
  const notes: string[] = []
  const now = (): number => performance.now()
  const load = new Load({ maxEvents, now })
  const options: EventServiceOptions = {
    destination: {
      deliver: (events) => {
        delivered.push(...([...events] as Record<string, unknown>[]))
        return deliver(events)
      },
    },
    ...{ load, answerTimeoutMs, keys: new WriteKeys(writeKeys), metrics: new ServiceMetrics(load) },
    readiness: new Readiness({ ask: setting.ask ?? (() => Promise.resolve()), now, cacheMs: 0, timeoutMs: 100 }),
    notes: new RepeatedNotes({ print: (text) => notes.push(text), now }),
    ...{ host: '127.0.0.1', port: setting.port ?? 0 },
  }
  const service = new EventService(options)
  const url = await service.start()
  open.push(service)
  const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
    })
  return { url, service, delivered, notes, post }
}

export const track = { userId: 'u', event: 'Bought' }
