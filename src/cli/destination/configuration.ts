import type { DestinationMapping, DestinationSettings, KafkaDestinationOptions } from '../../destination/destination.ts'
import { readConfigFile, isObject, type ConfigShape, type ReferenceKind } from '../config-file.ts'
import { UsageError } from '../exit-code.ts'
import type { Surroundings } from '../secret-text.ts'
import type { DestinationDoor } from './door.ts'
import { unknownNames } from './unknown-names.ts'
import { listenProblems, listenSettings, type ListenSettings } from './listen-settings.ts'

export interface DestinationConfiguration {
  /** As the user wrote it. */
  readonly path: string
  readonly options: KafkaDestinationOptions
  readonly listen: ListenSettings
  /** Every broker is on this machine: nobody is on the way. */
  readonly isLocal: boolean
}

const TEXTS = ['clientId', 'brokers', 'username', 'password', 'accessKeyId', 'secretAccessKey', 'authorizationIdentity']
/** Anybody may read these; as `bytes` they are read without a warning. */
const CERTIFICATES = ['ssl_ca', 'ssl_cert']

const SHAPE: ConfigShape = {
  references: new Map<string, ReferenceKind>([
    ...TEXTS.map((name): [string, ReferenceKind] => [`settings.${name}`, 'text']),
    ...CERTIFICATES.map((name): [string, ReferenceKind] => [`settings.${name}`, 'bytes']),
    ['settings.ssl_key', 'text'],
    ['listen.writeKeys', 'text'],
  ]),
  secrets: new Set(['settings.password', 'settings.secretAccessKey', 'settings.ssl_key', 'listen.writeKeys']),
  sections: new Set(['settings', 'listen']),
  verbatim: new Set(['mappings']),
  example: 'a JSON object with settings and mappings',
}

/** Options of KafkaDestination that are objects of a program. */
const NOT_FOR_FILES = ['logger', 'stats', 'statsTags', 'clock']

/** Segment's settings always have a login; this one is never used. */
const NO_LOGIN = { mechanism: 'plain', username: 'nobody', password: 'nobody' }
/** Good ones, so that the rest can be looked at alone. Nothing connects with them. */
const OTHER_SETTINGS: DestinationSettings = {
  ...{ clientId: 'headrace', brokers: 'localhost:9092', mechanism: 'plain', ssl_enabled: true },
  ...{ username: 'none', password: 'none' },
}
const OTHER_MAPPING: DestinationMapping = { name: 'other', enabled: false, fields: { topic: 'other' } }

/**
 * Reads the file of `--config`.
 *
 * @throws {UsageError} it cannot be read, or with everything that is wrong with what is in it.
 */
export function readConfiguration(
  path: string,
  surroundings: Surroundings,
  door: DestinationDoor,
): DestinationConfiguration {
  const { listen, ...given } = readConfigFile(path, surroundings, SHAPE).options
  const options = withTexts(given)
  const problems = [...problemsOf(options, door), ...listenProblems(listen)]
  if (problems.length > 0) throw new UsageError(`${path}: ${problems.join('; ')}`)
  const checked = options as unknown as KafkaDestinationOptions
  return { path, options: checked, listen: listenSettings(listen), isLocal: isLocal(checked.settings.brokers) }
}

function isLocal(brokers: string): boolean {
  return brokers.split(',').every((broker) => /^\s*(127\.[\d.]+|localhost|\[::1\])?(:\d+)?\s*$/.test(broker))
}

/** Certificates as text. `sasl: null` of `producer` is how a file says: no login; settings need no mechanism then. */
function withTexts(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { settings, producer } = given
  const read = isObject(settings)
    ? Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, textOf(value)]))
    : settings
  if (!isObject(producer) || producer['sasl'] !== null) return { ...given, settings: read }
  const settled = isObject(read) ? { ...NO_LOGIN, ...read } : read
  return { ...given, settings: settled, producer: { ...producer, sasl: undefined } }
}

function textOf(value: unknown): unknown {
  return Buffer.isBuffer(value) ? value.toString('utf8') : value
}

function problemsOf(options: Readonly<Record<string, unknown>>, door: DestinationDoor): string[] {
  const { settings, mappings, producer, compression, ...own } = options
  const ofPrograms = Object.keys(own).filter((name) => NOT_FOR_FILES.includes(name))
  const ofSettings =
    settings === undefined
      ? ['settings: missing: where Kafka is, and how to log in']
      : door
          .validateSettings(settings)
          .map(({ message, detail, field }) => `${nameOf('settings', field)}: ${sentence(message, detail)}`)
  const ofOwn = [
    ...ofPrograms.map((name) => `${name}: unknown option`),
    ...faultOf(door, { ...without(own, NOT_FOR_FILES), mappings: [] }),
  ]
  const ofProducer = faultOf(door, { producer, compression, mappings: [] })
  const ofNames = unknownNames(settings, mappings, door)
  return [...ofSettings, ...ofNames, ...ofOwn, ...ofProducer, ...ofMappings(door, rulesFor(door, own), mappings)]
}

/** What else of the options mappings are judged by; what is wrong with that is told once. */
function rulesFor(door: DestinationDoor, own: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { topicAllowList, triggerPrecedence } = own
  const rules = { topicAllowList, triggerPrecedence }
  return faultOf(door, { ...rules, mappings: [] }).length === 0 ? rules : { topicAllowList: 'any' }
}

/** Of all mappings; the destination itself stops at the first. */
function ofMappings(door: DestinationDoor, own: Readonly<Record<string, unknown>>, mappings: unknown): string[] {
  if (mappings === undefined) return ['mappings: missing: a list of what goes where']
  const together = faultOf(door, { ...own, mappings })
  if (together.length === 0 || !Array.isArray(mappings)) return together
  const each = mappings.flatMap((mapping: unknown, index) =>
    faultOf(door, { ...own, mappings: mappings.map((_, other) => (other === index ? mapping : OTHER_MAPPING)) }),
  )
  return [...new Set(each)]
}

function faultOf(door: DestinationDoor, options: Readonly<Record<string, unknown>>): string[] {
  try {
    const destination = new door.KafkaDestination({ settings: OTHER_SETTINGS, ...options } as KafkaDestinationOptions)
    void destination.close()
    return []
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return [message.replace(/^KafkaDestination: [A-Z_]+: /, '').replace(/^Producer: [A-Z_]+: /, 'producer: ')]
  }
}

function sentence(message: string, detail: string | undefined): string {
  return detail === undefined ? message : `${message.replace(/\.$/, '')} (${detail})`
}

function nameOf(section: string, field: string | undefined): string {
  return field === undefined ? section : `${section}.${field}`
}

function without(given: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).filter(([name]) => !names.includes(name)))
}
