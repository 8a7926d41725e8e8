import { OptionError } from '../errors.ts'
import { nearestNames } from '../nearest.ts'
import { custom, int, resolve, show, type Checked, type OptionSpec, type OptionTable } from '../options.ts'
import { Secret } from '../secret.ts'
import {
  credentialsProblem,
  holdCredentials,
  type AwsCredentialProvider,
  type AwsCredentials,
  type HeldCredentials,
} from './aws-credentials.ts'
import { isRegion } from './aws-region.ts'
import { kindOf, type SecretSource } from './provided.ts'
import { DEFAULT_MAX_ITERATIONS } from './scram.ts'
import { MIN_ITERATIONS } from './scram-messages.ts'

interface WithPassword {
  readonly username: string
  readonly password: SecretSource
  readonly authorizationId: string
}

/** The same, checked; secrets are held as `Secret`. */
export type SaslSettings =
  | ({ readonly mechanism: 'PLAIN' } & WithPassword)
  | ({ readonly mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-512'; readonly maxIterations: number } & WithPassword)
  | { readonly mechanism: 'OAUTHBEARER'; readonly token: SecretSource; readonly authorizationId: string }
  | ({ readonly mechanism: 'AWS_MSK_IAM' } & AwsSettings)

export interface AwsSettings {
  readonly region: string | undefined
  readonly credentials: HeldCredentials | AwsCredentialProvider | undefined
  readonly roleArn: string | undefined
  readonly roleSessionName: string
  readonly roleDurationSeconds: number
  readonly externalId: string | undefined
  readonly userAgent: string | undefined
}

export type MechanismName = SaslSettings['mechanism']

/** Secrets are never shown, not even those that are of the wrong kind. */
function secret(doc: string): OptionSpec<SecretSource> {
  return custom<SecretSource>({
    ...{ doc, type: 'string or function', defaultText: 'required', isRequired: true },
    check(value) {
      if (typeof value === 'string' && value !== '') return { value: new Secret(value) }
      if (typeof value === 'function') return { value: value as () => unknown }
      const got = value === '' ? 'an empty string' : kindOf(value)
      return { problem: value === undefined ? 'a string or a function' : `got ${got}, expected a string or a function` }
    },
  })
}

interface TextRow {
  readonly doc: string
  readonly what: string
  readonly isFine: (text: string) => boolean
}

function optional({ doc, what, isFine }: TextRow): OptionSpec<string | undefined> {
  return custom<string | undefined>({
    ...{ doc, type: 'string', defaultText: '-' },
    check(value) {
      if (value === undefined || (typeof value === 'string' && isFine(value))) return { value }
      return { expected: what }
    },
  })
}

const hasNoNul = (text: string): boolean => !text.includes('\0')
const mechanism = custom<unknown>({
  ...{ doc: 'How to authenticate.', type: 'string', defaultText: 'required', isRequired: true },
  check: (value) => ({ value }),
})
const username = custom<string>({
  ...{ doc: 'The user.', type: 'string', defaultText: 'required', isRequired: true },
  check(value) {
    const isFine = typeof value === 'string' && value !== '' && hasNoNul(value)
    return isFine ? { value } : { expected: 'a string that is not empty and has no NUL character' }
  },
})
const authorizationId = custom<string>({
  ...{ doc: 'Who to act as; Apache Kafka takes nobody but the user.', type: 'string', defaultText: '-' },
  check(value) {
    if (value === undefined) return { value: '' }
    const isFine = typeof value === 'string' && /^[^\0\x01]*$/.test(value)
    return isFine ? { value } : { expected: 'a string without control characters' }
  },
})
const password = secret('The password, or a function that is asked at each login.')

const plainTable = { mechanism, username, password, authorizationId }
const scramTable = {
  ...plainTable,
  maxIterations: int({
    ...{ doc: 'The most hashing that a broker may ask for.', default: DEFAULT_MAX_ITERATIONS },
    ...{ min: MIN_ITERATIONS, max: 999_999_999 },
  }),
}
const oauthTable = { mechanism, token: secret('The token, or a function that fetches it.'), authorizationId }

const credentials = custom<HeldCredentials | AwsCredentialProvider | undefined>({
  ...{ doc: 'Keys, or a credential provider of the AWS SDK.', type: 'object or function', defaultText: 'environment' },
  check(value) {
    if (value === undefined) return { value }
    if (typeof value === 'function') return { value: value as AwsCredentialProvider }
    const problem = credentialsProblem(value)
    return problem === null ? { value: holdCredentials(value as AwsCredentials) } : { problem }
  },
})
const awsTable = {
  ...{ mechanism, credentials },
  region: optional({
    doc: 'The region of the cluster.',
    what: "a region's name such as 'eu-west-1'",
    isFine: isRegion,
  }),
  roleArn: optional({
    ...{ doc: 'A role to assume first.', what: "a role's ARN, 'arn:aws:iam::123456789012:role/name'" },
    isFine: (text) => /^arn:aws[\w-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(text),
  }),
  roleSessionName: custom<string>({
    ...{ doc: 'What AWS calls the session.', type: 'string', defaultText: "'headrace'" },
    check(value) {
      if (value === undefined) return { value: 'headrace' }
      const isFine = typeof value === 'string' && /^[\w+=,.@-]{2,64}$/.test(value)
      return isFine ? { value } : { expected: '2 to 64 of letters, digits and _+=,.@-' }
    },
  }),
  roleDurationSeconds: int({ doc: 'How long a role is assumed for.', min: 900, max: 43_200, default: 3600 }),
  externalId: optional({
    ...{ doc: 'What the role demands to be told.', what: '2 to 1224 of letters, digits and _+=,.@:/-' },
    isFine: (text) => /^[\w+=,.@:/-]{2,1224}$/.test(text),
  }),
  userAgent: optional({
    ...{ doc: 'What IAM policies see as aws:UserAgent.', what: 'printable characters, 1 to 256' },
    isFine: (text) => /^[\x20-\x7e]{1,256}$/.test(text),
  }),
}

const tables: Readonly<Record<MechanismName, OptionTable>> = {
  PLAIN: plainTable,
  'SCRAM-SHA-256': scramTable,
  'SCRAM-SHA-512': scramTable,
  OAUTHBEARER: oauthTable,
  AWS_MSK_IAM: awsTable,
}
const NAMES = Object.keys(tables) as MechanismName[]

const KEYS = 'give credentials: { accessKeyId, secretAccessKey, sessionToken? }'
const FOREIGN_NAMES = {
  ...{ user: 'it is username', userName: 'it is username', login: 'it is username' },
  ...{ accessKeyId: KEYS, secretAccessKey: KEYS, sessionToken: KEYS },
  authorizationIdentity: 'with aws-msk-iam, give a role as roleArn; otherwise it is authorizationId',
  oauthBearerProvider: 'it is token: async () => ({ value, expiresAtMs?, extensions? })',
}
/** What people write, and what to say of it. */
const OTHER_MECHANISMS: Readonly<Record<string, string>> = {
  aws: "kafkajs's mechanism sends the secret key itself over the wire; use 'aws-msk-iam'",
  'scram-sha-1': "Kafka does not have it; use 'scram-sha-256' or 'scram-sha-512'",
  scram: "is it 'scram-sha-256' or 'scram-sha-512'?",
  gssapi: 'Kerberos is not supported',
  kerberos: 'Kerberos is not supported',
}

/**
 * Checks the option `sasl`.
 *
 * @throws {OptionError} `INVALID_OPTIONS`, naming every field that is wrong, and no secret.
 */
export function resolveSasl(input: unknown, where = 'sasl'): SaslSettings {
  const name = mechanismOf(input)
  if (typeof name !== 'string') throw new OptionError('INVALID_OPTIONS', `${where}: INVALID_OPTIONS: ${name.problem}`)
  const context = { where, table: tables[name], foreignNames: FOREIGN_NAMES }
  // The table is that of the mechanism.
  return Object.freeze({ ...resolve(input, context), mechanism: name }) as unknown as SaslSettings
}

/** The same for a row of an option table. */
export function checkSasl(value: unknown): Checked<SaslSettings | undefined> {
  if (value === undefined) return { value }
  try {
    return { value: resolveSasl(value) }
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    return { problem: error.message.replace(/^sasl: [A-Z_]+: /, '') }
  }
}

function mechanismOf(input: unknown): MechanismName | { readonly problem: string } {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return { problem: `expected { mechanism, ... }, got ${kindOf(input)}` }
  }
  const all = NAMES.map((name) => name.toLowerCase().replaceAll('_', '-')).join(', ')
  const given: unknown = Object.hasOwn(input, 'mechanism') ? (input as { mechanism: unknown }).mechanism : undefined
  if (typeof given !== 'string') return { problem: `mechanism: got ${kindOf(given)}, expected one of ${all}` }
  const plain = given.toLowerCase().replaceAll('_', '-')
  const found = NAMES.find((name) => name.toLowerCase().replaceAll('_', '-') === plain)
  if (found !== undefined) return found
  if (Object.hasOwn(OTHER_MECHANISMS, plain))
    return { problem: `mechanism: ${show(given)}: ${OTHER_MECHANISMS[plain]}` }
  // A password in the wrong field is not repeated.
  if (!/^[\w-]{1,20}$/.test(given)) return { problem: `mechanism: got something else, expected one of ${all}` }
  const [nearest] = nearestNames(plain, all.split(', '))
  const hint = nearest === undefined ? '' : `: did you mean '${nearest}'?`
  return { problem: `mechanism: got ${show(given)}, expected one of ${all}${hint}` }
}
