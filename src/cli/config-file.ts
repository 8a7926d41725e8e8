import { dirname, resolve } from 'node:path'
import { UsageError } from './exit-code.ts'
import { jsonFault } from './json-fault.ts'
import { readSmallFile } from './read-file.ts'
import {
  readSecretBytes,
  secretFromEnvironment,
  secretFromFile,
  secretFromFileNow,
  type Surroundings,
} from './secret-text.ts'

/**
 * A JSON file with options by their own names. A secret, a certificate or a key may be written as `{ "env": "NAME" }` or
 * `{ "file": "path" }`; a path is relative to the folder of the configuration file.
 */
export interface ConfigFile {
  /** As the user wrote it. */
  readonly path: string
  readonly options: Readonly<Record<string, unknown>>
}

/** How a reference is read: `bytes` as they are, `text`, or a secret of the `login`, read anew at each. */
export type ReferenceKind = 'bytes' | 'text' | 'login'

/** What a configuration file of one kind may hold. Names are paths: `sasl.password`. */
export interface ConfigShape {
  /** What may be written as a reference. */
  readonly references: ReadonlyMap<string, ReferenceKind>
  /** A file that holds one of these should be nobody else's. */
  readonly secrets: ReadonlySet<string>
  /** Objects whose members have names of their own. */
  readonly sections: ReadonlySet<string>
  /** Members that are taken as they are, whatever is in them. */
  readonly verbatim?: ReadonlySet<string>
  /** What the file should look like, in a few words, for whoever wrote something else. */
  readonly example: string
}

const pathsOf = (kind: ReferenceKind, ...names: readonly string[]): [string, ReferenceKind][] =>
  names.map((name) => [name, kind])

/** A file with `ProducerOptions`. */
export const PRODUCER_CONFIG: ConfigShape = {
  references: new Map([
    ...pathsOf('bytes', 'tls.ca', 'tls.cert', 'tls.key', 'tls.pfx', 'tls.crl'),
    ...pathsOf('login', 'sasl.password', 'sasl.token'),
    ...pathsOf('text', 'brokers', 'tls.passphrase', 'sasl.username'),
    ...pathsOf('text', 'sasl.credentials.accessKeyId', 'sasl.credentials.secretAccessKey'),
    ...pathsOf('text', 'sasl.credentials.sessionToken'),
  ]),
  secrets: new Set([
    ...['tls.key', 'tls.pfx', 'tls.passphrase', 'sasl.password', 'sasl.token'],
    ...['sasl.credentials.secretAccessKey', 'sasl.credentials.sessionToken'],
  ]),
  sections: new Set(['tls', 'sasl', 'sasl.credentials']),
  example: 'a JSON object with options, such as {"brokers":"localhost:9092"}',
}

/** @throws {UsageError} it cannot be read, is no JSON object, or something that it refers to is missing. */
export function readConfigFile(
  path: string,
  surroundings: Surroundings,
  shape: ConfigShape = PRODUCER_CONFIG,
): ConfigFile {
  const { bytes, isOpenToOthers } = readSmallFile('--config', path)
  const document = parse(path, bytes.toString('utf8').replace(/^\uFEFF/, ''), shape)
  const reader = new Reader(path, surroundings, shape)
  const options = reader.section('', document)
  const [held] = reader.secretsHeld
  if (isOpenToOthers && held !== undefined) {
    surroundings.warn(
      `${path} holds a secret (${held}), and other users of this machine can read it (chmod 600 makes it yours alone)`,
    )
  }
  return { path, options }
}

/** The error of `JSON.parse` is not used, not even as a cause: it quotes the text. */
function parse(path: string, text: string, { example }: ConfigShape): Record<string, unknown> {
  const fault = jsonFault(text)
  if (fault !== null) {
    throw new UsageError(`--config: ${path} is not JSON: look at line ${fault.line}, column ${fault.column}`)
  }
  const document: unknown = JSON.parse(text)
  if (isObject(document)) return document
  throw new UsageError(`--config: ${path}: expected ${example}`)
}

class Reader {
  readonly secretsHeld: string[] = []
  readonly #path: string
  readonly #surroundings: Surroundings
  readonly #shape: ConfigShape

  constructor(path: string, surroundings: Surroundings, shape: ConfigShape) {
    this.#path = path
    this.#surroundings = surroundings
    this.#shape = shape
  }

  section(prefix: string, given: Record<string, unknown>): Record<string, unknown> {
    const members = Object.entries(given).map(([name, value]): [string, unknown] => [
      name,
      this.#read(`${prefix}${name}`, value),
    ])
    return Object.fromEntries(members)
  }

  #read(name: string, value: unknown): unknown {
    if (this.#shape.verbatim?.has(name) === true) return value
    if (Array.isArray(value)) return (value as unknown[]).map((item) => this.#read(name, item))
    if (isObject(value)) {
      if (Object.hasOwn(value, 'env') || Object.hasOwn(value, 'file')) return this.#follow(name, value)
      if (this.#shape.sections.has(name)) return this.section(`${name}.`, value)
    }
    if (this.#shape.secrets.has(name)) this.secretsHeld.push(name)
    return value
  }

  #follow(name: string, reference: Record<string, unknown>): unknown {
    const whose = `${this.#path}: ${name}`
    const kind = this.#shape.references.get(name)
    if (kind === undefined) {
      throw new UsageError(
        `${whose}: "env" and "file" can stand for ${[...this.#shape.references.keys()].join(', ')} only`,
      )
    }
    const { env, file } = reference
    const isPair = Object.keys(reference).length === 1 && typeof (env ?? file) === 'string' && (env ?? file) !== ''
    if (!isPair) throw new UsageError(`${whose}: expected { "env": "NAME" } or { "file": "path" }`)
    if (typeof env === 'string') return secretFromEnvironment(whose, env, this.#surroundings.env)
    const path = resolve(dirname(this.#path), String(file))
    if (kind !== 'bytes')
      return (kind === 'login' ? secretFromFile : secretFromFileNow)(whose, path, this.#surroundings)
    return this.#shape.secrets.has(name)
      ? readSecretBytes(whose, path, this.#surroundings).bytes
      : readSmallFile(whose, path).bytes
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
