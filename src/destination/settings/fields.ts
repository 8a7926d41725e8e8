/**
 * The settings of a destination, as data: enough to draw a form from. Keys, labels, types and defaults are those of Segment's
 * Kafka destination; `aws` is offered, too, and means AWS_MSK_IAM.
 */

export type SettingsFieldType = 'string' | 'password' | 'boolean'

export interface FieldChoice {
  readonly label: string
  readonly value: string
}

/** When a form shows the field. It never makes it required: `validateSettings` knows that. */
export interface FieldDependency {
  readonly match: 'any'
  readonly conditions: readonly { readonly fieldKey: SettingsKey; readonly operator: 'is'; readonly value: string }[]
}

export interface SettingsField {
  readonly key: SettingsKey
  readonly label: string
  readonly type: SettingsFieldType
  readonly required: boolean
  readonly description: string
  /** What a form begins with. Booleans that are left out have it, too; a text that is left out is left out. */
  readonly default?: string | boolean
  readonly choices?: readonly FieldChoice[]
  readonly dependsOn?: FieldDependency
}

export type SettingsMechanism = 'plain' | 'scram-sha-256' | 'scram-sha-512' | 'aws' | 'client-cert-auth'

/** What a person fills in. Names are Segment's. */
export interface DestinationSettings {
  readonly clientId: string
  /** `host:port`, several with commas. */
  readonly brokers: string
  readonly mechanism: SettingsMechanism
  readonly username?: string | null | undefined
  readonly password?: string | null | undefined
  readonly accessKeyId?: string | null | undefined
  readonly secretAccessKey?: string | null | undefined
  /** The ARN of a role to assume. */
  readonly authorizationIdentity?: string | null | undefined
  readonly ssl_enabled?: boolean | null | undefined
  readonly ssl_ca?: string | null | undefined
  readonly ssl_key?: string | null | undefined
  readonly ssl_cert?: string | null | undefined
  readonly ssl_reject_unauthorized_ca?: boolean | null | undefined
}

export type SettingsKey = keyof DestinationSettings

const withPassword = shownFor('plain', 'scram-sha-256', 'scram-sha-512')
const withAws = shownFor('aws')
const withCertificate = shownFor('client-cert-auth')

/** In the order of the form. */
export const settingsFields: readonly SettingsField[] = deepFreeze<readonly SettingsField[]>([
  {
    ...{ key: 'clientId', label: 'Client ID', type: 'string', required: true },
    default: 'segment-actions-kafka-producer',
    description: 'How the brokers name this producer in their logs, metrics and quotas.',
  },
  {
    ...{ key: 'brokers', label: 'Brokers', type: 'string', required: true },
    description:
      'Where to begin: host:port of one broker or, with commas, of several. IPv6 addresses go in brackets: [::1]:9092. The other brokers of the cluster are found from there.',
  },
  {
    ...{ key: 'mechanism', label: 'Authentication Mechanism', type: 'string', required: true, default: 'plain' },
    description:
      'How to log in. Plain and SCRAM take Username and Password, AWS IAM takes the AWS fields, Client Certificate takes SSL Client Key and SSL Client Certificate.',
    choices: [
      { label: 'Plain', value: 'plain' },
      { label: 'SCRAM-SHA-256', value: 'scram-sha-256' },
      { label: 'SCRAM-SHA-512', value: 'scram-sha-512' },
      { label: 'AWS IAM', value: 'aws' },
      { label: 'Client Certificate', value: 'client-cert-auth' },
    ],
  },
  {
    ...{ key: 'username', label: 'Username', type: 'string', required: false, dependsOn: withPassword },
    description: 'The user to log in as, with Plain or SCRAM.',
  },
  {
    ...{ key: 'password', label: 'Password', type: 'password', required: false, dependsOn: withPassword },
    description: 'The password of that user.',
  },
  {
    ...{ key: 'accessKeyId', label: 'AWS Access Key ID', type: 'string', required: false, dependsOn: withAws },
    description: 'The access key of an IAM user who may connect to the Amazon MSK cluster, or assume the role below.',
  },
  {
    ...{ key: 'secretAccessKey', label: 'AWS Secret Key', type: 'password', required: false, dependsOn: withAws },
    description: 'The secret that belongs to the access key. It signs the login and is never sent.',
  },
  {
    ...{ key: 'authorizationIdentity', label: 'AWS Authorization Identity', type: 'string', required: false },
    dependsOn: withAws,
    description: 'The ARN of an IAM role to assume with these keys. Leave it empty to log in as their owner.',
  },
  {
    ...{ key: 'ssl_enabled', label: 'SSL Enabled', type: 'boolean', required: false, default: true },
    description:
      'Whether to speak TLS to the brokers. When it is off, everything travels readable, whatever else is set.',
  },
  {
    ...{ key: 'ssl_ca', label: 'SSL Certificate Authority', type: 'string', required: false },
    description:
      'The authority that signed the certificates of the brokers, if it is not a public one. PEM in any shape: with or without its first and last line, on one line, several certificates.',
  },
  {
    ...{ key: 'ssl_key', label: 'SSL Client Key', type: 'password', required: false, dependsOn: withCertificate },
    description: 'The private key of the client certificate, not encrypted. PEM in any shape, PKCS#8, PKCS#1 or SEC1.',
  },
  {
    ...{
      key: 'ssl_cert',
      label: 'SSL Client Certificate',
      type: 'string',
      required: false,
      dependsOn: withCertificate,
    },
    description:
      'The client certificate and, if the brokers need them, those of the authorities between it and theirs.',
  },
  {
    ...{ key: 'ssl_reject_unauthorized_ca', type: 'boolean', required: false, default: true },
    label: 'SSL - Reject Unauthorized Certificate Authority',
    description:
      'Whether a broker must prove who it is. When it is off, whoever answers gets the login and the events: for tests only.',
  },
])

const byKey = new Map(settingsFields.map((field) => [field.key, field]))

/** What the form calls a field. */
export function labelOf(key: SettingsKey): string {
  return byKey.get(key)?.label ?? key
}

function shownFor(...mechanisms: readonly SettingsMechanism[]): FieldDependency {
  const conditions = mechanisms.map((value) => ({ fieldKey: 'mechanism', operator: 'is', value }) as const)
  return { match: 'any', conditions }
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const member of Object.values(value)) deepFreeze(member)
  return Object.freeze(value)
}
