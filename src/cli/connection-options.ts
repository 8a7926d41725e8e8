import type { ProducerOptions } from '../index.ts'
import { isObject, readConfigFile, type ConfigFile } from './config-file.ts'
import type { ConnectionFlags, ConnectionOptionName } from './connection-flags.ts'
import { UsageError } from './exit-code.ts'
import { readSmallFile } from './read-file.ts'
import { checkSasl } from './sasl-flags.ts'
import { readSecretBytes, secretFromEnvironment, secretFromFile, type Surroundings } from './secret-text.ts'
import { printNote } from './terminal.ts'
import { Wording, type FlagNames } from './wording.ts'

/** What a command was told about the cluster. */
export interface Asked {
  readonly options: ProducerOptions
  readonly wording: Wording
}

/** What a command adds of its own: options that were given as flags, and defaults that differ from the library's. */
export interface OwnOptions {
  readonly given?: Readonly<Record<string, unknown>>
  readonly defaults?: Readonly<Record<string, unknown>>
  readonly flagNames?: FlagNames
}

const CLIENT_ID = 'headrace-cli'
const OF_THE_PROCESS: Surroundings = {
  env: process.env,
  warn: (message) => printNote(`headrace: warning: ${message}`),
}

type Values = ReadonlyMap<ConnectionOptionName, unknown>
type Read = (given: string, flag: string, surroundings: Surroundings) => unknown

const asGiven: Read = (given) => given
const yes: Read = () => true
const no: Read = () => false
const bytes: Read = (path, flag) => readSmallFile(flag, path).bytes
const privateBytes: Read = (path, flag, surroundings) => readSecretBytes(flag, path, surroundings).bytes
const fromEnvironment: Read = (name, flag, { env }) => secretFromEnvironment(flag, name, env)
const fromFile: Read = (path, flag, surroundings) => secretFromFile(flag, path, surroundings)

/** Every flag that gives a value, the option that it gives, and how. */
const SOURCES: readonly (readonly [keyof ConnectionFlags, flag: string, ConnectionOptionName, Read])[] = [
  ['brokers', '--brokers', 'brokers', asGiven],
  ['tls', '--tls', 'tls', yes],
  ['tlsCa', '--tls-ca', 'tls.ca', bytes],
  ['tlsCert', '--tls-cert', 'tls.cert', bytes],
  ['tlsKey', '--tls-key', 'tls.key', privateBytes],
  ['tlsKeyPassphraseEnv', '--tls-key-passphrase-env', 'tls.passphrase', fromEnvironment],
  ['tlsServername', '--tls-servername', 'tls.servername', asGiven],
  ['tlsTrustAnyone', '--tls-trust-anyone', 'tls.rejectUnauthorized', no],
  ['sasl', '--sasl', 'sasl.mechanism', asGiven],
  ['username', '--username', 'sasl.username', asGiven],
  ['passwordEnv', '--password-env', 'sasl.password', fromEnvironment],
  ['passwordFile', '--password-file', 'sasl.password', fromFile],
  ['tokenEnv', '--token-env', 'sasl.token', fromEnvironment],
  ['tokenFile', '--token-file', 'sasl.token', fromFile],
  ['region', '--region', 'sasl.region', asGiven],
  ['roleArn', '--role-arn', 'sasl.roleArn', asGiven],
  ['allowPlaintextCredentials', '--allow-plaintext-credentials', 'allowPlaintextCredentials', yes],
]

/**
 * Puts flags, configuration file and defaults together: flags win over the file, member by member in `tls` and `sasl`. What
 * the values must be, the library says.
 *
 * @throws {UsageError} a file or variable cannot be read, flags that contradict each other, or no brokers.
 */
export function connectionOptions(
  flags: ConnectionFlags,
  own: OwnOptions = {},
  surroundings: Surroundings = OF_THE_PROCESS,
): Asked {
  const { given = {}, defaults = {}, flagNames = {} } = own
  refuseBoth(flags)
  const config = flags.config === undefined ? null : readConfigFile(flags.config, surroundings)
  const labels = new Map(Object.keys(given).map((name) => [name, flagNames[name] ?? name]))
  const values = valuesOf(flags, labels, surroundings)
  const tls = tlsOption(values, config)
  const sasl = merged('sasl', values, config)
  checkTls(flags, tls)
  checkSasl(flags, sasl, surroundings.env)
  const options = withoutUndefined({
    ...{ clientId: CLIENT_ID, ...defaults, ...config?.options, ...given, tls, sasl },
    ...Object.fromEntries([...values].filter(([name]) => !/^(tls|sasl)\b/.test(name))),
  })
  if (!Object.hasOwn(options, 'brokers')) throw noBrokers(config)
  const wording = new Wording(flagNames, { flags: labels, config: config === null ? null : originOf(config) })
  // What the values must be is for the library to say.
  return { options: options as unknown as ProducerOptions, wording }
}

/** Reads what the flags name, and notes what errors are to call it. */
function valuesOf(flags: ConnectionFlags, labels: Map<string, string>, surroundings: Surroundings): Values {
  const values = new Map<ConnectionOptionName, unknown>()
  for (const [key, flag, name, read] of SOURCES) {
    const given = flags[key]
    if (given === undefined) continue
    if (given === '') throw new UsageError(`${flag}: expected something that is not empty`)
    labels.set(name, read === asGiven || given === true ? flag : `${flag} ${given}`)
    values.set(name, read(String(given), flag, surroundings))
  }
  return values
}

/** Members that flags gave over those of the file; undefined: nobody gave any. */
function merged(section: 'tls' | 'sasl', values: Values, config: ConfigFile | null): unknown {
  const prefix = `${section}.`
  const given = [...values].filter(([name]) => name.startsWith(prefix))
  const before = config?.options[section]
  if (given.length === 0) return before
  const members = given.map(([name, value]): [string, unknown] => [name.slice(prefix.length), value])
  return { ...(isObject(before) ? before : {}), ...Object.fromEntries(members) }
}

/** Whatever is said about TLS asks for it. */
function tlsOption(values: Values, config: ConfigFile | null): unknown {
  const given = merged('tls', values, config)
  return values.has('tls') && !isObject(given) ? true : given
}

function refuseBoth(flags: ConnectionFlags): void {
  if (flags.passwordEnv !== undefined && flags.passwordFile !== undefined)
    throw new UsageError('--password-env and --password-file: give one of them')
  if (flags.tokenEnv !== undefined && flags.tokenFile !== undefined)
    throw new UsageError('--token-env and --token-file: give one of them')
}

/** What the library would say of options, where flags are meant. */
function checkTls(flags: ConnectionFlags, tls: unknown): void {
  const has = (name: string): boolean => isObject(tls) && tls[name] !== undefined
  const hasKey = has('key') || has('cert') || has('pfx')
  if (flags.tlsKeyPassphraseEnv !== undefined && !hasKey)
    throw new UsageError('--tls-key-passphrase-env needs --tls-key')
}

function originOf({ path, options }: ConfigFile): { path: string; names: ReadonlySet<string> } {
  const names = Object.entries(options).flatMap(([name, value]) => {
    const isSection = (name === 'tls' || name === 'sasl') && isObject(value)
    return isSection ? [name, ...Object.keys(value).map((member) => `${name}.${member}`)] : [name]
  })
  return { path, names: new Set(names) }
}

function noBrokers(config: ConfigFile | null): UsageError {
  const where = config === null ? 'see --help' : `${config.path} has no brokers either`
  return new UsageError(`--brokers is missing; ${where}`)
}

function withoutUndefined(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
