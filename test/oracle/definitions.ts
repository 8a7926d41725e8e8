/** Kafka's own definitions of messages (`common/message/*.json` in its jar), joined over the Kafka versions we ask. */
import type { Oracle } from '../support/kafka/java-oracle.ts'

export interface VersionSpan {
  readonly min: number
  /** Infinity: no end. */
  readonly max: number
}

/** As in the file. */
export interface FieldDefinition {
  readonly name: string
  readonly type: string
  readonly versions: string
  readonly nullableVersions?: string
  readonly taggedVersions?: string
  readonly flexibleVersions?: string
  readonly tag?: number
  readonly default?: unknown
  readonly ignorable?: boolean
  readonly fields?: readonly FieldDefinition[]
}

export interface MessageDefinition {
  readonly apiKey: number
  readonly validVersions: string
  readonly flexibleVersions: string
  readonly latestVersionUnstable?: boolean
  readonly fields: readonly FieldDefinition[]
  readonly commonStructs?: readonly StructDefinition[]
}

export interface StructDefinition {
  readonly name: string
  readonly versions: string
  readonly fields: readonly FieldDefinition[]
}

/** `3`, `0-12`, `4+`, `none`. */
export function spanOf(text: string): VersionSpan {
  const match = /^(\d+)(?:-(\d+)|(\+))?$/.exec(text)
  if (!match) return NEVER
  const min = Number(match[1])
  if (match[3] === '+') return { min, max: Infinity }
  return { min, max: match[2] === undefined ? min : Number(match[2]) }
}

/** No version at all. */
export const NEVER: VersionSpan = { min: Infinity, max: -Infinity }

export function intersection(a: VersionSpan, b: VersionSpan): VersionSpan {
  const span = { min: Math.max(a.min, b.min), max: Math.min(a.max, b.max) }
  return span.min < Infinity && span.min <= span.max ? span : NEVER
}

export async function definitionOf(oracle: Oracle, name: string): Promise<MessageDefinition> {
  const definition = await oracle.definition(name)
  if (definition === null) throw new Error(`this Kafka has no definition of ${name}`)
  return definition as MessageDefinition
}

/** The versions that both request and response of an API have, in the Kafka behind `oracle`. */
export async function kafkaRange(oracle: Oracle, api: string): Promise<VersionSpan> {
  const [request, response] = await Promise.all([
    definitionOf(oracle, `${api}Request`),
    definitionOf(oracle, `${api}Response`),
  ])
  return intersection(spanOf(request.validVersions), spanOf(response.validVersions))
}
