import { isObject } from './config-file.ts'
import type { ConnectionFlags } from './connection-flags.ts'
import { UsageError } from './exit-code.ts'
import type { Surroundings } from './secret-text.ts'

const WITH_PASSWORD = ['plain', 'scram-sha-256', 'scram-sha-512']

interface Rule {
  /** In `sasl`. */
  readonly member: string
  readonly flags: readonly (keyof ConnectionFlags)[]
  readonly text: string
  readonly mechanisms: readonly string[]
  readonly isNeeded: boolean
}

/** Which flags go with which mechanism. */
const RULES: readonly Rule[] = [
  { member: 'username', flags: ['username'], text: '--username', mechanisms: WITH_PASSWORD, isNeeded: true },
  {
    ...{ member: 'password', flags: ['passwordEnv', 'passwordFile'], text: '--password-env or --password-file' },
    ...{ mechanisms: WITH_PASSWORD, isNeeded: true },
  },
  {
    ...{ member: 'token', flags: ['tokenEnv', 'tokenFile'], text: '--token-env or --token-file' },
    ...{ mechanisms: ['oauthbearer'], isNeeded: true },
  },
  { member: 'region', flags: ['region'], text: '--region', mechanisms: ['aws-msk-iam'], isNeeded: false },
  { member: 'roleArn', flags: ['roleArn'], text: '--role-arn', mechanisms: ['aws-msk-iam'], isNeeded: false },
]
const KNOWN = new Set(RULES.flatMap(({ mechanisms }) => mechanisms))
const AWS_VARIABLES = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']

/**
 * Whether the flags about logging in go together. What a mechanism and its values must be, the library says.
 *
 * @param sasl what came out of flags and configuration file.
 * @throws {UsageError} naming all that is wrong.
 */
export function checkSasl(flags: ConnectionFlags, sasl: unknown, env: Surroundings['env']): void {
  const given = RULES.filter((rule) => rule.flags.some((flag) => flags[flag] !== undefined))
  if (!isObject(sasl)) return
  if (sasl['mechanism'] === undefined && given.length > 0) {
    throw new UsageError(
      `${given.map(({ text }) => text).join(', ')}: missing --sasl MECHANISM, which says how to log in`,
    )
  }
  const mechanism = String(sasl['mechanism']).toLowerCase().replaceAll('_', '-')
  // Those of the file are its own affair, and an unknown one is the library's.
  if (!KNOWN.has(mechanism) || (given.length === 0 && flags.sasl === undefined)) return
  const strange = given.filter((rule) => !rule.mechanisms.includes(mechanism))
  const missing = RULES.filter((rule) => {
    return rule.isNeeded && rule.mechanisms.includes(mechanism) && sasl[rule.member] === undefined
  })
  const problems = [
    ...strange.map(({ text, mechanisms }) => `${text}: for ${mechanisms.join(', ')}, not for ${mechanism}`),
    ...(missing.length === 0 ? [] : [`--sasl ${mechanism} needs ${missing.map(({ text }) => text).join(' and ')}`]),
    ...(mechanism === 'aws-msk-iam' && sasl['credentials'] === undefined ? awsProblems(env) : []),
  ]
  if (problems.length > 0) throw new UsageError(problems.join('; '))
}

function awsProblems(env: Surroundings['env']): string[] {
  const unset = AWS_VARIABLES.filter((name) => (env[name] ?? '') === '')
  if (unset.length === 0) return []
  const verb = unset.length === 1 ? 'is' : 'are'
  return [`--sasl aws-msk-iam takes its keys from the environment: ${unset.join(' and ')} ${verb} not set`]
}
