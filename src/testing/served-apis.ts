/** Which APIs a test cluster has, and in which versions: by itself, as an older Kafka, or as a test wants it. */
import type { Checked } from '../options.ts'
import { apiVersions } from '../protocol/messages/api-versions.ts'
import { initProducerId } from '../protocol/messages/init-producer-id.ts'
import { metadata } from '../protocol/messages/metadata.ts'
import { produce } from '../protocol/messages/produce.ts'
import { saslAuthenticate } from '../protocol/messages/sasl-authenticate.ts'
import { saslHandshake } from '../protocol/messages/sasl-handshake.ts'
import type { Api } from '../protocol/schema.ts'

const apis: readonly (Api & { readonly name: ServedApi })[] = [
  ...[produce, metadata, saslHandshake, apiVersions, initProducerId, saslAuthenticate],
]
export type ServedApi = 'Produce' | 'Metadata' | 'ApiVersions' | 'InitProducerId' | 'SaslHandshake' | 'SaslAuthenticate'

type Range = readonly [min: number, max: number]
type Ranges = Readonly<Record<ServedApi, Range | false>>

/** By API key. An API that is not in it is not there. */
export type ServedVersions = ReadonlyMap<number, Range>

/** What a test can say: the versions of an API, or that the broker does not have it. */
export type ApiVersionsOption = { readonly [Name in ServedApi]?: Range | false | undefined }

/** From 2.2 on a login says how long it is good for (KIP-368); from 1.0 on tokens travel in requests (KIP-152). */
const SASL_2 = { SaslHandshake: [0, 1], SaslAuthenticate: [0, 2] } as const
const SASL_1 = { SaslHandshake: [0, 1], SaslAuthenticate: [0, 0] } as const
const SASL_0 = { SaslHandshake: [0, 0], SaslAuthenticate: false } as const

/**
 * What real brokers list: test/brokers/producer-state.test.ts asks them. Brokers of 4.x also list Produce v0 to v2,
 * which they refuse (librdkafka looks for them); here they are not listed.
 */
const PLAYED = {
  '4.3': { Produce: [3, 13], Metadata: [0, 13], ApiVersions: [0, 4], InitProducerId: [0, 5], ...SASL_2 },
  '3.9': { Produce: [0, 11], Metadata: [0, 12], ApiVersions: [0, 4], InitProducerId: [0, 5], ...SASL_2 },
  '2.8': { Produce: [0, 9], Metadata: [0, 11], ApiVersions: [0, 3], InitProducerId: [0, 4], ...SASL_2 },
  '1.1': { Produce: [0, 5], Metadata: [0, 5], ApiVersions: [0, 1], InitProducerId: [0, 0], ...SASL_1 },
  '0.11': { Produce: [0, 3], Metadata: [0, 4], ApiVersions: [0, 1], InitProducerId: [0, 0], ...SASL_0 },
  '0.10.2': { Produce: [0, 2], Metadata: [0, 2], ApiVersions: [0, 0], InitProducerId: false, ...SASL_0 },
  '0.10.0': { Produce: [0, 2], Metadata: [0, 1], ApiVersions: [0, 0], InitProducerId: false, ...SASL_0 },
} as const satisfies Readonly<Record<string, Ranges>>
export type PlayedKafka = keyof typeof PLAYED

export const PLAYED_KAFKAS = Object.keys(PLAYED) as PlayedKafka[]
export const NEWEST_PLAYED_KAFKA: PlayedKafka = '4.3'

/** @param given `apiVersions` of the options. */
export function checkApiVersions(given: unknown): Checked<ApiVersionsOption> {
  if (given === undefined) return { value: {} }
  if (typeof given !== 'object' || given === null) return { expected: 'an object of API names to [min, max] or false' }
  for (const [name, range] of Object.entries(given)) {
    const api = apis.find((candidate) => candidate.name === name)
    if (api === undefined) return { problem: `apiVersions: there is no ${name}; there are ${namesOf(apis)}` }
    if (range !== undefined && range !== false && !isRange(range, api)) {
      return {
        problem: `apiVersions: ${name} must be [min, max] within ${api.minVersion} to ${api.maxVersion}, or false`,
      }
    }
  }
  return { value: given }
}

/** The versions of a Kafka, but for those that a test wants otherwise. */
export function servedVersions(kafkaVersion: PlayedKafka, wanted: ApiVersionsOption): ServedVersions {
  const served = new Map<number, Range>()
  for (const { name, key } of apis) {
    const range: Range | false = wanted[name] ?? PLAYED[kafkaVersion][name]
    if (range !== false) served.set(key, range)
  }
  return served
}

function isRange(value: unknown, { minVersion, maxVersion }: Api): boolean {
  const [min, max] = (Array.isArray(value) ? value : []) as unknown[]
  return isVersion(min) && isVersion(max) && minVersion <= min && min <= max && max <= maxVersion
}

function isVersion(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value)
}

function namesOf(list: readonly Api[]): string {
  return list.map(({ name }) => name).join(', ')
}
