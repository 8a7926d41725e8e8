import { OptionError, Producer, type Logger, type ProducerOptions } from '../index.ts'
import { checkLogin, checkTransport } from './check-security.ts'
import type { VaultFetch } from './key-vault/ask.ts'
import { checkKeyVault } from './key-vault/settings.ts'
import { nearestProperty } from './nearest-property.ts'
import { systemOutputClock, type OutputClock } from './output-clock.ts'
import {
  compressionTypes,
  errorPolicies,
  missingKeyRules,
  outputPartitioners,
  ownedOptions,
  securityProtocols,
  type KafkaOutputOptions,
} from './output-options.ts'
import { isBlank, Problems, type OutputProblem } from './problems.ts'
import { producerSettings } from './producer-settings.ts'
import { resolveFormat } from './resolve-format.ts'
import type { ResolvedOutputOptions } from './resolved-options.ts'
import { createFormat } from './serialize/create-format.ts'
import { showOption } from './types/column-type.ts'

/** Everything that is wrong with options, without throwing or connecting; empty: nothing is. */
export function validateOutput(options: unknown): OutputProblem[] {
  return resolve(options).problems.list
}

/** @throws {OptionError} every problem at once; `CODEC_UNAVAILABLE` if a package is all that is missing. */
export function resolveOutputOptions(given: unknown): ResolvedOutputOptions {
  const { problems, value, cause } = resolve(given)
  if (value !== null && problems.messages.length === 0) {
    checkPackages(value)
    return value
  }
  throw new OptionError('INVALID_OPTIONS', `KafkaOutput: INVALID_OPTIONS: ${problems.messages.join('; ')}`, { cause })
}

const PROPERTIES = Object.keys({
  ...{ outputAlias: 0, bootstrapServers: 0, topic: 0, securityProtocol: 0, serialization: 0, partitionKey: 0 },
  ...{ compressionType: 0, username: 0, password: 0, saslMechanism: 0, keyVault: 0, errorPolicy: 0, columns: 0 },
  ...{ rowsPerMessage: 0, bytesPerMessage: 0, header: 0, newline: 0, avroFraming: 0, avroSchema: 0, schemaId: 0 },
  ...{ partitioner: 0, missingPartitionKey: 0, timestampColumn: 0, maxMessageBytes: 0, fetch: 0, producer: 0 },
  ...{ logger: 0, onDataError: 0, clock: 0 },
} satisfies Record<keyof KafkaOutputOptions, 0>)
const TOPIC = /^[a-zA-Z0-9._-]{1,249}$/
const CONTROL = /\p{Cc}/u

interface Resolution {
  readonly problems: Problems
  /** Null: too much is wrong. */
  readonly value: ResolvedOutputOptions | null
  readonly cause?: unknown
}

function resolve(input: unknown): Resolution {
  const problems = new Problems()
  try {
    return resolveAll(input, problems)
  } catch (cause) {
    // A getter or a proxy of the caller's threw.
    problems.add('options', 'reading them failed')
    return { problems, value: null, cause }
  }
}

function resolveAll(input: unknown, problems: Problems): Resolution {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    problems.add('options', `expected an object, got ${showOption(input)}`)
    return { problems, value: null }
  }
  const given = { ...input } as Partial<Record<keyof KafkaOutputOptions, unknown>>
  checkNames(Object.keys(given), problems)
  const value = {
    ...resolvePlaces(given, problems),
    ...resolveSecurity(given, problems),
    ...resolveFormat(given, problems),
    ...resolveRules(given, problems),
    ...resolveHooks(given, problems),
  }
  checkProducer(value, problems)
  return { problems, value }
}

function checkNames(names: readonly string[], problems: Problems): void {
  for (const name of names) {
    if (PROPERTIES.includes(name)) continue
    const nearest = nearestProperty(name, PROPERTIES)
    const hint = nearest === undefined ? '' : `: did you mean ${nearest}?`
    problems.add(name.slice(0, 60), `unknown property${hint}`)
  }
}

type Given = Partial<Record<keyof KafkaOutputOptions, unknown>>

function resolvePlaces(given: Given, problems: Problems) {
  const { outputAlias, bootstrapServers, topic } = given
  const isAlias = typeof outputAlias === 'string' && outputAlias.trim() !== '' && !CONTROL.test(outputAlias)
  if (!isAlias) problems.refuse('outputAlias', outputAlias, 'a name, as in INTO [alias]')
  const isTopic = typeof topic === 'string' && TOPIC.test(topic) && topic !== '.' && topic !== '..'
  if (!isTopic) problems.refuse('topic', topic, 'one name of 1 to 249 letters, digits, dots, underscores and hyphens')
  const isServers = typeof bootstrapServers === 'string' || Array.isArray(bootstrapServers)
  if (!isServers || bootstrapServers.length === 0) {
    problems.refuse('bootstrapServers', bootstrapServers, 'host:port, several with commas or as a list')
  } else {
    problems.probe('bootstrapServers', () => tryProducer({ brokers: bootstrapServers as string }))
  }
  return {
    outputAlias: isAlias ? outputAlias : '',
    topic: isTopic ? topic : '',
    bootstrapServers: bootstrapServers as string,
  }
}

function resolveSecurity(given: Given, problems: Problems) {
  const protocol = problems.oneOf('securityProtocol', given.securityProtocol, {
    allowed: securityProtocols,
    fallback: null,
  })
  const hasKeyVault = !isBlank(given.keyVault)
  const keyVault = hasKeyVault ? problems.take(checkKeyVault(given.keyVault)) : null
  const tls = (given.producer as { tls?: unknown } | null | undefined)?.tls
  if (protocol !== null) checkTransport({ protocol, keyVault, hasKeyVault, tls }, problems)
  const login = protocol === null ? null : checkLogin(given, protocol, problems)
  return { securityProtocol: protocol ?? 'None', keyVault, login }
}

function resolveRules(given: Given, problems: Problems) {
  return {
    compressionType:
      problems.oneOf('compressionType', given.compressionType, { allowed: compressionTypes, fallback: 'None' }) ??
      'None',
    errorPolicy:
      problems.oneOf('errorPolicy', given.errorPolicy, {
        ...{ allowed: errorPolicies, fallback: 'Retry' },
        aliases: { stop: 'Retry' },
      }) ?? 'Retry',
    partitionKey: problems.text('partitionKey', given.partitionKey),
    partitioner:
      problems.oneOf('partitioner', given.partitioner, {
        ...{ allowed: outputPartitioners, fallback: 'murmur2' },
        aliases: { 'consistent-random': 'consistent_random', crc32: 'consistent_random' },
      }) ?? 'murmur2',
    missingPartitionKey:
      problems.oneOf('missingPartitionKey', given.missingPartitionKey, {
        ...{ allowed: missingKeyRules, fallback: 'error' },
        aliases: { round_robin: 'round-robin', roundrobin: 'round-robin' },
      }) ?? 'error',
    timestampColumn: problems.text('timestampColumn', given.timestampColumn),
  } as const
}

function resolveHooks(given: Given, problems: Problems) {
  problems.hook('fetch', given.fetch)
  problems.hook('onDataError', given.onDataError)
  const producer = given.producer ?? {}
  const isObject = typeof producer === 'object' && !Array.isArray(producer)
  if (!isObject) problems.refuse('producer', producer, 'options of the Producer')
  for (const name of ownedOptions) {
    if (isObject && Object.hasOwn(producer, name)) problems.add(`producer.${name}`, 'properties of the output say it')
  }
  return {
    fetch: given.fetch as VaultFetch | undefined,
    onDataError: given.onDataError as ResolvedOutputOptions['onDataError'],
    producer: isObject ? (producer as Partial<ProducerOptions>) : {},
    logger: given.logger as Logger | undefined,
    clock: (given.clock as OutputClock | undefined) ?? systemOutputClock,
  }
}

/** What the Producer says to the rest. Addresses, codec and login are checked by now. */
function checkProducer(options: ResolvedOutputOptions, problems: Problems): void {
  const { logger } = options
  if (logger !== undefined) problems.probe('logger', () => tryProducer({ brokers: 'localhost:9092', logger }))
  const own = Object.entries(options.producer).filter(([name]) => !(ownedOptions as readonly string[]).includes(name))
  const others = { ...Object.fromEntries(own), brokers: 'localhost:9092', deliveryTimeoutMs: Infinity }
  problems.probe('producer', () => tryProducer(others))
}

/** Codecs and avsc are packages that may not be there: the errors that say so have their own code. */
function checkPackages(options: ResolvedOutputOptions): void {
  createFormat(options)
  tryProducer(producerSettings(options, null))
}

/** A producer that is never used connects to nothing. @throws {OptionError} */
function tryProducer(options: ProducerOptions): void {
  void new Producer(options).close({ timeoutMs: 0 })
}
