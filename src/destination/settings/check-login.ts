import { regionOfHost } from '../../index.ts'
import { parseBrokerList } from './broker-list.ts'
import { labelOf } from './fields.ts'
import { problem, type SettingsProblem } from './problem.ts'
import { refusal } from './refusal.ts'
import type { UsedLogin, UsedSettings } from './used-settings.ts'

/** Whether a mechanism has what it needs, in Segment's words where Segment has some. */
export function checkLogin(used: UsedSettings): SettingsProblem[] {
  const { login, tls } = used
  if (login === null) return []
  const needsTls = login.kind !== 'password' && tls === null ? [sslRequired(login.kind)] : []
  switch (login.kind) {
    case 'password':
      return checkPassword(login)
    case 'aws':
      return [...checkAws(login), ...needsTls, ...checkRegion(used.brokers)]
    case 'certificate':
      return [...checkCertificate(login), ...needsTls]
  }
}

/** The region of an MSK cluster, by the names of its brokers; or why it is not known. */
export function regionOfBrokers(brokers: readonly string[]): { readonly region: string } | { readonly reason: string } {
  const items = parseBrokerList(brokers.join(','))
  const hosts = 'detail' in items ? [] : items.map(({ host }) => host)
  const regions = [...new Set(hosts.map(regionOfHost).filter((region) => region !== null))]
  const [region] = regions
  if (region === undefined) return { reason: 'the names of the brokers do not tell the AWS region' }
  if (regions.length > 1) return { reason: `the names of the brokers tell several AWS regions: ${regions.join(', ')}` }
  return { region }
}

type Login<Kind extends UsedLogin['kind']> = Extract<UsedLogin, { kind: Kind }>

function checkPassword({ username, password }: Login<'password'>): SettingsProblem[] {
  if (username === '' || password === '') {
    const message = 'Username and Password are required for PLAIN and SCRAM authentication mechanisms'
    return [problem('SASL_PARAMS_MISSING', username === '' ? 'username' : 'password', message)]
  }
  const isTaken = refusal({ sasl: { mechanism: 'plain', username, password } }) === null
  if (isTaken) return []
  return [problem('CREDENTIALS_INVALID', 'username', `${labelOf('username')} must not have NUL characters.`)]
}

function checkAws({ accessKeyId, secretAccessKey, role }: Login<'aws'>): SettingsProblem[] {
  const problems: SettingsProblem[] = []
  if (accessKeyId === '' || secretAccessKey === '') {
    const message = 'AWS Access Key ID and AWS Secret Key are required for AWS authentication mechanism'
    const field = accessKeyId === '' ? 'accessKeyId' : 'secretAccessKey'
    problems.push(problem('SASL_AWS_PARAMS_MISSING', field, message))
  } else if (!isAwsLogin({ credentials: { accessKeyId, secretAccessKey } })) {
    const message = `${labelOf('accessKeyId')} must be printable characters without spaces.`
    problems.push(problem('CREDENTIALS_INVALID', 'accessKeyId', message))
  }
  if (role !== '' && !isAwsLogin({ roleArn: role })) {
    const what = "must be empty or the ARN of a role, such as 'arn:aws:iam::123456789012:role/name'"
    const message = `${labelOf('authorizationIdentity')} ${what}.`
    problems.push(problem('AWS_ROLE_INVALID', 'authorizationIdentity', message))
  }
  return problems
}

function isAwsLogin(sasl: {
  credentials?: { accessKeyId: string; secretAccessKey: string }
  roleArn?: string
}): boolean {
  return refusal({ tls: true, sasl: { mechanism: 'aws-msk-iam', ...sasl } }) === null
}

/** Brokers that cannot be read have a problem of their own. */
function checkRegion(brokers: readonly string[]): SettingsProblem[] {
  if ('detail' in parseBrokerList(brokers.join(','))) return []
  const found = regionOfBrokers(brokers)
  if ('region' in found) return []
  const message = `AWS IAM needs the region of the cluster, and ${found.reason}: give the bootstrap servers as Amazon MSK shows them, such as b-1.name.abc123.c2.kafka.eu-west-1.amazonaws.com:9098.`
  return [problem('AWS_REGION_UNKNOWN', 'brokers', message)]
}

function checkCertificate({ cert, key }: Login<'certificate'>): SettingsProblem[] {
  if (cert !== '' && key !== '') return []
  const message =
    'SSL Client Key and SSL Client Certificate are required for Client Certificate authentication mechanism'
  return [problem('SSL_CLIENT_CERT_AUTH_PARAMS_MISSING', key === '' ? 'ssl_key' : 'ssl_cert', message)]
}

function sslRequired(kind: 'aws' | 'certificate'): SettingsProblem {
  const mechanism = kind === 'aws' ? 'AWS IAM' : 'Client Certificate'
  return problem(
    'SSL_REQUIRED',
    'ssl_enabled',
    `${mechanism} works over TLS only: switch ${labelOf('ssl_enabled')} on.`,
  )
}
