/** The same settings, mappings and events, through Segment's destination and through headrace's. */
import { readdirSync, readFileSync } from 'node:fs'
import {
  KafkaDestination,
  type DeliveryResult,
  type DestinationSettings,
} from '../../../src/destination/destination.ts'
import type { KafkaDestinationOptions } from '../../../src/destination/destination.ts'
import { framework, kafkaCode, type EventResult, type FrameworkResult } from './segment-code.ts'

/** With it Segment's code keeps its connections; without, each call connects and disconnects. */
export const KEEP_CONNECTION = { 'actions-kafka-optimize-connection': true }

const folder = new URL('../../fixtures/segment/', import.meta.url)

/** Segment's platform heeds `integrations` before its destinations see an event: here all of them may go to Kafka. */
export function fixtures(): Record<string, unknown>[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Record<string, unknown>)
    .map((event) => {
      const { integrations } = event
      return integrations === undefined
        ? event
        : { ...event, integrations: { ...(integrations as object), Kafka: true } }
    })
}

export interface Delivery {
  readonly settings: object
  readonly mapping: object
  readonly events: readonly object[]
}

/** A batch through Segment's code, as its platform calls it. */
export async function theirs(
  { settings, mapping, events }: Delivery,
  features: object = KEEP_CONNECTION,
): Promise<readonly EventResult[]> {
  const destination = new (framework().Destination)(kafkaCode().definition)
  // It writes defaults into mappings.
  return destination.executeBatch('send', { settings, mapping: structuredClone(mapping), events, features })
}

/** One event through Segment's code. */
export async function theirsAlone(
  { settings, mapping, event }: Omit<Delivery, 'events'> & { readonly event: object },
  features: object = KEEP_CONNECTION,
): Promise<readonly FrameworkResult[]> {
  const destination = new (framework().Destination)(kafkaCode().definition)
  return destination.executeAction('send', { settings, mapping: structuredClone(mapping), event, features })
}

/** Through `KafkaDestination`, which the caller closes. */
export async function ours(
  { settings, mapping, events }: Delivery,
  options: Partial<KafkaDestinationOptions> = {},
): Promise<DeliveryResult[]> {
  const destination = new KafkaDestination({
    ...{ settings: settings as DestinationSettings, topicAllowList: 'any', ...options },
    mappings: [{ name: 'all', trigger: 'type != "never"', fields: mapping as Record<string, unknown> }],
  })
  open.push(destination)
  return destination.deliver(events)
}

const open: KafkaDestination[] = []

export async function closeOurs(): Promise<void> {
  await Promise.all(open.splice(0).map((destination) => destination.close()))
}

/** What a promise is rejected with. */
export async function errorOf(work: Promise<unknown>): Promise<Error & { status?: number; code?: string }> {
  return await work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error as Error,
  )
}
