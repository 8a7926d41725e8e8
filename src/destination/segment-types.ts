/**
 * What Segment's framework (`@segment/actions-core`, 3.x) takes and gives, as far as it is used here. Written down instead
 * of imported: neither headrace nor its types need the framework.
 */

import type { DestinationSettings, SettingsKey } from './settings/fields.ts'
import type { StatsClient } from './metrics.ts'
import type { SendFieldKey } from './mapping/send-fields.ts'

/** `DestinationDefinition` of the framework: what its `Destination` and `createTestIntegration` are made with. */
export interface SegmentDestinationDefinition {
  name: string
  slug: string
  mode: 'cloud'
  description: string
  authentication: {
    scheme: 'custom'
    fields: Record<SettingsKey, SegmentSettingsField>
    testAuthentication(request: unknown, data: { readonly settings: DestinationSettings }): Promise<void>
  }
  actions: { send: SegmentActionDefinition }
  presets: never[]
  /** Lets go of the producers, for a host that shuts down; the framework does not call it. Unused ones close by themselves. */
  close(): Promise<void>
}

export interface SegmentActionDefinition {
  title: string
  description: string
  defaultSubscription: string
  fields: SegmentActionFields
  /** `SegmentDynamicFields`; by its own type of definitions the framework takes none. */
  dynamicFields: Record<string, never>
  /** @throws the framework's `IntegrationError`, with `status` and `code`. */
  perform(request: unknown, data: SegmentCall & { readonly payload: SegmentPayload }): Promise<SegmentPlace>
  /** @returns the framework's `MultiStatusResponse`, with a result for each payload. */
  performBatch(
    request: unknown,
    data: SegmentCall & { readonly payload: readonly SegmentPayload[] },
  ): Promise<SegmentMultiStatus>
}

export interface SegmentDynamicFields {
  /** The topics of the cluster; what goes wrong is told in `error`, with a status as its `code`. */
  topic(request: unknown, data: SegmentCall): Promise<SegmentChoices>
}

/** JSON, as the framework has its type. */
export type SegmentJson = string | number | boolean | null | undefined | Date | SegmentJson[] | SegmentJsonObject
export interface SegmentJsonObject {
  [member: string]: SegmentJson
}

/** What the mapping of a subscription made of an event; the framework has checked it against the fields. */
export type SegmentPayload = SegmentJsonObject

/** Where an event went. `offset` is a decimal string: JSON has no 64-bit integers. */
export type SegmentPlace = { topic: string; partition: number; offset: string }

/** What the framework says with every call. */
export interface SegmentCall {
  readonly settings: DestinationSettings
  readonly rawMapping?: unknown
  readonly statsContext?: SegmentStatsContext | undefined
  readonly logger?: SegmentLogger | undefined
}

export interface SegmentStatsContext {
  readonly statsClient?: StatsClient | undefined
  readonly tags?: readonly string[] | undefined
}

export interface SegmentLogger {
  crit?(...message: string[]): void
}

/** Its `MultiStatusResponse`. */
export interface SegmentMultiStatus {
  setSuccessResponseAtIndex(
    index: number,
    response: { status: number; sent: SegmentJsonObject; body: SegmentJsonObject },
  ): void
  setErrorResponseAtIndex(
    index: number,
    response: {
      status: number
      errortype?: 'PAYLOAD_VALIDATION_FAILED'
      errormessage: string
      sent: SegmentJsonObject
    },
  ): void
}

export interface SegmentChoices {
  choices: { label: string; value: string }[]
  error?: { message: string; code: string }
}

export interface SegmentSettingsField {
  label: string
  description: string
  type: 'string' | 'password' | 'boolean'
  required: boolean
  default?: string | boolean
  choices?: { label: string; value: string }[]
  depends_on?: { match: 'any'; conditions: { fieldKey: string; operator: 'is'; value: string }[] }
}

export type SegmentActionFields = Record<Exclude<SendFieldKey, 'batch_keys'>, SegmentActionField> & {
  batch_keys: SegmentBatchKeysField
}

/** The framework allows nothing else under this name. */
export interface SegmentBatchKeysField {
  label: string
  description: string
  type: 'string'
  unsafe_hidden: true
  multiple: true
  required: false
  default: string[]
}

export interface SegmentActionField {
  label: string
  description: string
  type: 'string' | 'object' | 'integer' | 'number' | 'boolean'
  required: boolean
  default?: string | number | boolean | object
  multiple?: boolean
  minimum?: number
  dynamic?: boolean
  defaultObjectUI?: 'keyvalue:only'
  unsafe_hidden?: boolean
}
