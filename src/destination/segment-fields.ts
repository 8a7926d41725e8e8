/** `settingsFields` and `sendFields` in the words of Segment's framework. */

import { sendFields, type SendField } from './mapping/send-fields.ts'
import { settingsFields, type SettingsField, type SettingsKey } from './settings/fields.ts'
import type { SegmentActionField, SegmentActionFields, SegmentSettingsField } from './segment-types.ts'

export function segmentSettingsFields(): Record<SettingsKey, SegmentSettingsField> {
  const entries = settingsFields.map((field) => [field.key, settingsField(field)] as const)
  return Object.fromEntries(entries) as Record<SettingsKey, SegmentSettingsField>
}

export function segmentActionFields(): SegmentActionFields {
  const entries = sendFields.map((field) => [field.key, actionField(field)] as const)
  return Object.fromEntries(entries) as SegmentActionFields
}

function settingsField(field: SettingsField): SegmentSettingsField {
  const { label, description, type, required, choices, dependsOn } = field
  return {
    ...{ label, description, type, required },
    ...(field.default === undefined ? {} : { default: field.default }),
    ...(choices === undefined ? {} : { choices: choices.map((choice) => ({ ...choice })) }),
    ...(dependsOn === undefined
      ? {}
      : { depends_on: { match: dependsOn.match, conditions: dependsOn.conditions.map((one) => ({ ...one })) } }),
  }
}

function actionField(field: SendField): SegmentActionField {
  const { key, label, description, type, required, isMultiple, minimum, hasDynamicChoices, isHidden } = field
  const initial = structuredClone(field.default) as SegmentActionField['default']
  return {
    ...{ label, description, type, required },
    ...(initial === undefined ? {} : { default: initial }),
    ...(isMultiple === undefined ? {} : { multiple: isMultiple }),
    ...(minimum === undefined ? {} : { minimum }),
    ...(hasDynamicChoices === undefined ? {} : { dynamic: hasDynamicChoices }),
    ...(isHidden === undefined ? {} : { unsafe_hidden: isHidden }),
    // Headers are names and values, not any object.
    ...(key === 'headers' ? { defaultObjectUI: 'keyvalue:only' } : {}),
  }
}
