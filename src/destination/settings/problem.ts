import type { SettingsKey } from './fields.ts'

/** The first four, and what they say, are Segment's. */
export type SettingsProblemCode =
  | 'SASL_PARAMS_MISSING'
  | 'SASL_AWS_PARAMS_MISSING'
  | 'SSL_CLIENT_CERT_AUTH_PARAMS_MISSING'
  | 'BROKER_FORMAT_INVALID'
  | 'INVALID_SETTINGS' // a field is missing, of the wrong type, or none of its choices
  | 'CREDENTIALS_INVALID' // a user name or access key that no broker can be told
  | 'SSL_REQUIRED' // the mechanism works over TLS only, and SSL Enabled is off
  | 'SSL_MATERIAL_INVALID' // a certificate or key that cannot be read, or not the key of that certificate
  | 'AWS_ROLE_INVALID' // authorizationIdentity is not the ARN of a role
  | 'AWS_REGION_UNKNOWN' // the names of the brokers do not tell the region, or tell several

/** One thing that is wrong with settings. Nothing in it is, or holds, a secret. */
export interface SettingsProblem {
  readonly code: SettingsProblemCode
  /** A sentence for the person who filled in the form. */
  readonly message: string
  /** Like HTTP's: the settings have to change, trying again is useless. */
  readonly status: 400
  readonly field?: SettingsKey
  /** What exactly, where `message` has Segment's words and they are too general. */
  readonly detail?: string
}

export function problem(
  code: SettingsProblemCode,
  field: SettingsKey | undefined,
  message: string,
  detail?: string,
): SettingsProblem {
  return {
    ...{ code, message, status: 400 },
    ...(field === undefined ? {} : { field }),
    ...(detail === undefined ? {} : { detail }),
  }
}

/** Settings that cannot be used; `problems` has everything that is wrong, `code` is that of the first. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  readonly code: SettingsProblemCode
  readonly status = 400
  readonly problems: readonly SettingsProblem[]

  /** @param problems at least one. */
  constructor(problems: readonly SettingsProblem[]) {
    super(problems.length === 1 ? problems[0]?.message : problems.map(sentence).join(' '))
    this.code = problems[0]?.code ?? 'INVALID_SETTINGS'
    this.problems = problems
  }
}

/** Segment's words have no full stop; one message alone is kept as it is. */
function sentence({ message }: SettingsProblem): string {
  return message.endsWith('.') ? message : `${message}.`
}
