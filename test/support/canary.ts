import { randomBytes } from 'node:crypto'
import { appendFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { threadId } from 'node:worker_threads'

/**
 * Secrets that can be found again. Every secret of a test is a random text of this file, or is made known here; whatever
 * the tests print or throw is searched for it, in each of the forms in which programs write secrets.
 */

/** `npm test` names a folder here; secrets are then known to the whole run, and what it printed is searched at its end. */
export const CANARY_FOLDER_VARIABLE = 'HEADRACE_CANARY_DIR'

/** Shorter pieces are found by accident. */
const MIN_CHARACTERS = 8

/** Secret to label: those of this process. */
const known = new Map<string, string>()

/**
 * A secret that nobody else has: 24 random characters in a text that looks different in every form.
 *
 * @param label for whoever reads of a leak, which is told without the secret.
 * @param shape where a secret has rules of its own: `` (random) => `p\u00e4ss,${random}` ``.
 */
export function canarySecret(label: string, shape: (random: string) => string = (random) => `k/${random}+=`): string {
  return registerSecret(label, shape(randomBytes(18).toString('base64url')))
}

/** Makes a secret known that has another origin: a key in PEM, what is derived from a password. */
export function registerSecret(label: string, secret: string): string {
  if (known.has(secret)) return secret
  known.set(secret, label)
  const folder = process.env[CANARY_FOLDER_VARIABLE]
  if (folder !== undefined && folder !== '') {
    appendFileSync(join(folder, `${process.pid}-${threadId}.jsonl`), `${JSON.stringify({ label, secret })}\n`)
  }
  return secret
}

/** Secret to label: those of a whole run. */
export function secretsOfRun(folder: string): Map<string, string> {
  const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl'))
  const lines = files.flatMap((name) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n'))
  const rows = lines.map((line) => JSON.parse(line) as { readonly label: string; readonly secret: string })
  return new Map(rows.map(({ label, secret }) => [secret, label]))
}

/** A way to write a secret. */
export type FormName = 'raw' | 'base64' | 'base64url' | 'hex' | 'percent-encoded' | 'reversed'

/** A secret in every form, also as it looks inside of something longer that was encoded as a whole. */
export function formsOf(secret: string): (readonly [FormName, string])[] {
  const bytes = Buffer.from(secret)
  const hex = bytes.toString('hex')
  const forms: (readonly [FormName, string])[] = [
    ['raw', secret],
    ['hex', hex],
    ['hex', hex.toUpperCase()],
    ['percent-encoded', encodeURIComponent(bytes.toString())],
    ['reversed', Array.from(secret).reverse().join('')],
    ...([0, 1, 2] as const).flatMap((before) => [
      ['base64', inBase64(bytes, before, 'base64')] as const,
      ['base64url', inBase64(bytes, before, 'base64url')] as const,
    ]),
  ]
  return forms.filter(([, text]) => text.length >= Math.min(MIN_CHARACTERS, secret.length))
}

/** The characters that depend on nothing but these bytes, if so many bytes stand before them. */
function inBase64(bytes: Buffer, before: 0 | 1 | 2, alphabet: 'base64' | 'base64url'): string {
  const all = Buffer.concat([Buffer.alloc(before), bytes])
  return all.toString(alphabet).slice(Math.ceil((before * 8) / 6), Math.floor((all.length * 8) / 6))
}

export interface Leak {
  readonly label: string
  readonly form: FormName
  /** Where in the text. */
  readonly at: number
}

/** Every secret that is in a text, once in each form; a PEM is searched line by line. */
export function leaksInText(text: string, secrets: ReadonlyMap<string, string>): Leak[] {
  const leaks: Leak[] = []
  for (const [secret, label] of secrets) {
    const found = new Set<FormName>()
    for (const [form, piece] of searchedFor(secret)) {
      const at = found.has(form) ? -1 : text.indexOf(piece)
      if (at >= 0) leaks.push({ label, form, at })
      if (at >= 0) found.add(form)
    }
  }
  return leaks
}

/** What to search for, made once for each secret that was made known. */
const forms = new Map<string, readonly (readonly [FormName, string])[]>()

function searchedFor(secret: string): readonly (readonly [FormName, string])[] {
  const made = forms.get(secret) ?? piecesOf(secret).flatMap(formsOf)
  if (known.has(secret)) forms.set(secret, made)
  return made
}

function piecesOf(secret: string): string[] {
  if (!secret.includes('-----BEGIN ')) return [secret]
  return secret.split('\n').filter((line) => line.length >= MIN_CHARACTERS && !line.startsWith('-----'))
}

/** What can be seen of a value, however one looks at it. */
export function everythingOf(value: unknown): string {
  const deep = { depth: Infinity, showHidden: true, maxStringLength: null, maxArrayLength: null } as const
  const text = [...(typeof value === 'string' ? [value] : []), ...hexOfBytes(value)]
  const views = [inspect(value, { ...deep, getters: true }), inspect(value, { ...deep, customInspect: false })]
  return [...text, ...views, jsonOf(value), String(value), ...(value instanceof Error ? errorTexts(value) : [])].join(
    '\n',
  )
}

/** Bytes: `inspect` shows the first fifty, with spaces between them. */
function hexOfBytes(value: unknown, seen = new Set<unknown>()): string[] {
  if (typeof value !== 'object' || value === null || seen.has(value)) return []
  seen.add(value)
  if (ArrayBuffer.isView(value)) return [Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')]
  const members = Reflect.ownKeys(value).map((key) => Reflect.getOwnPropertyDescriptor(value, key)?.value as unknown)
  return members.flatMap((member) => hexOfBytes(member, seen))
}

/** `message` and `stack` are not enumerable, and `inspect` escapes what is in them. */
function errorTexts(error: Error): string[] {
  const { cause } = error
  return [error.message, error.stack ?? '', ...(cause instanceof Error && cause !== error ? errorTexts(cause) : [])]
}

function jsonOf(value: unknown): string {
  const seen = new Set<unknown>()
  return JSON.stringify([value], (_key, member: unknown) => {
    if (typeof member === 'bigint') return String(member)
    if (typeof member !== 'object' || member === null) return member
    if (seen.has(member)) return '[seen]'
    seen.add(member)
    return member
  })
}

/** What can be seen of secrets in a value, in words that do not repeat them. @param secrets default: all of this process. */
export function leaksIn(value: unknown, secrets: readonly string[] = [...known.keys()]): string[] {
  const searched = new Map(secrets.map((secret) => [secret, known.get(secret) ?? 'a secret without a label']))
  return leaksInText(everythingOf(value), searched).map(({ label, form }) => `${label}, ${form}`)
}

/** Fails if anything of a secret can be seen in `value`. */
export function expectNoSecret(value: unknown, secrets?: readonly string[]): void {
  const leaks = leaksIn(value, secrets)
  if (leaks.length > 0) throw new Error(`a secret can be seen: ${leaks.join('; ')}`)
}
