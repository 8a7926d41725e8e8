import { expect, test } from 'vitest'
import { settingsFields } from '../../../src/destination/settings/fields.ts'

/** destination-and-output.md, A.2: key, label, type, required, default. */
const UPSTREAM = [
  ['clientId', 'Client ID', 'string', true, 'segment-actions-kafka-producer'],
  ['brokers', 'Brokers', 'string', true, undefined],
  ['mechanism', 'Authentication Mechanism', 'string', true, 'plain'],
  ['username', 'Username', 'string', false, undefined],
  ['password', 'Password', 'password', false, undefined],
  ['accessKeyId', 'AWS Access Key ID', 'string', false, undefined],
  ['secretAccessKey', 'AWS Secret Key', 'password', false, undefined],
  ['authorizationIdentity', 'AWS Authorization Identity', 'string', false, undefined],
  ['ssl_enabled', 'SSL Enabled', 'boolean', false, true],
  ['ssl_ca', 'SSL Certificate Authority', 'string', false, undefined],
  ['ssl_key', 'SSL Client Key', 'password', false, undefined],
  ['ssl_cert', 'SSL Client Certificate', 'string', false, undefined],
  ['ssl_reject_unauthorized_ca', 'SSL - Reject Unauthorized Certificate Authority', 'boolean', false, true],
]

const PASSWORDS = ['plain', 'scram-sha-256', 'scram-sha-512']
const SHOWN_FOR: Record<string, string[]> = {
  ...{ username: PASSWORDS, password: PASSWORDS },
  ...{ accessKeyId: ['aws'], secretAccessKey: ['aws'], authorizationIdentity: ['aws'] },
  ...{ ssl_key: ['client-cert-auth'], ssl_cert: ['client-cert-auth'] },
}

test("the fields are Segment's, in the order of its form", () => {
  const rows = settingsFields.map((field) => [field.key, field.label, field.type, field.required, field.default])
  expect(rows).toEqual(UPSTREAM)
})

test('the mechanisms are those of Segment, and AWS IAM, which is switched off there', () => {
  const choices = settingsFields.find(({ key }) => key === 'mechanism')?.choices
  expect(choices).toEqual([
    { label: 'Plain', value: 'plain' },
    { label: 'SCRAM-SHA-256', value: 'scram-sha-256' },
    { label: 'SCRAM-SHA-512', value: 'scram-sha-512' },
    { label: 'AWS IAM', value: 'aws' },
    { label: 'Client Certificate', value: 'client-cert-auth' },
  ])
})

test.each(settingsFields.map((field) => [field.key, field] as const))(
  '%s is shown for its mechanisms',
  (key, field) => {
    const conditions = SHOWN_FOR[key]?.map((value) => ({ fieldKey: 'mechanism', operator: 'is', value }))
    expect(field.dependsOn).toEqual(conditions && { match: 'any', conditions })
  },
)

test('each has a description that is a sentence', () => {
  const descriptions = settingsFields.map(({ description }) => description)
  for (const text of descriptions) expect(text).toMatch(/^[A-Z].{20,300}\.$/)
  expect(new Set(descriptions).size).toBe(descriptions.length)
})

test('the data can be serialised, and not be changed', () => {
  expect(JSON.parse(JSON.stringify(settingsFields))).toEqual(settingsFields)
  const [first] = settingsFields
  expect([Object.isFrozen(settingsFields), Object.isFrozen(first)]).toEqual([true, true])
  expect(Object.isFrozen(settingsFields[3]?.dependsOn?.conditions[0])).toBe(true)
})
