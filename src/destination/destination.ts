/** `headrace/destination`: the Segment-style Kafka destination, and the pure parts that it is made of. */

export { KafkaDestination, type DeliverOptions } from './kafka-destination.ts'
export { testAuthentication } from './test-authentication.ts'
export type { DeliveryFailure, DeliveryResult } from './delivery-result.ts'
export { DestinationError, type DestinationErrorCode } from './destination-error.ts'
export type { DestinationMapping, KafkaDestinationOptions } from './destination-options.ts'
export { toSegmentDestination, type SegmentDestinationOptions } from './segment-definition.ts'
export type { SegmentDestinationDefinition } from './segment-types.ts'
export type { Dedupe } from './dedupe.ts'
export type { DestinationDiagnosticEvents, StatsClient } from './metrics.ts'
export type { TopicAllowList } from './topic-allow-list.ts'
export { classifyFailure, type ClassifiedFailure } from './classify-failure.ts'
export {
  settingsFields,
  type DestinationSettings,
  type SettingsField,
  type SettingsKey,
  type SettingsMechanism,
} from './settings/fields.ts'
export { SettingsError, type SettingsProblem, type SettingsProblemCode } from './settings/problem.ts'
export { validateSettings } from './settings/validate-settings.ts'
export { toProducerOptions } from './settings/producer-options.ts'
export { settingsKey } from './settings/settings-key.ts'
export { defaultTrigger, sendFields, type SendField, type SendFieldKey } from './mapping/send-fields.ts'
export { compileFields, resolveFields, type FieldsResolver } from './mapping/resolve-fields.ts'
export { MappingError, type MappingErrorCode } from './mapping/mapping-error.ts'
export { validateSend, type CheckedSend, type Send } from './mapping/validate-send.ts'
export { audienceMembership } from './mapping/audience.ts'
export { isWantedBy } from './mapping/integrations.ts'
export { parseTrigger, type TriggerOptions } from './trigger/parse-trigger.ts'
export { printTrigger } from './trigger/print-trigger.ts'
export { matchesTrigger } from './trigger/match-trigger.ts'
export { TriggerError } from './trigger/trigger-error.ts'
export type { Trigger } from './trigger/trigger.ts'
