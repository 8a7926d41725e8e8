import { readFileSync } from 'node:fs'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { DiagnosticEvents, Logger } from '../../src/index.ts'
import type { ObservedRecord } from './observed-records.ts'

/** The names in `diagnostics.ts`, none of them left out. */
export const CHANNELS = [
  ...new Set(readFileSync(new URL('../../src/diagnostics.ts', import.meta.url), 'utf8').match(/headrace:\w+:[\w-]+/g)),
] as (keyof DiagnosticEvents)[]

/** Shorter ones are found in any sentence. */
const SECRET_CHARACTERS = 12
/** Of so many records at most; more would take longer than the test. */
const MAX_SECRETS = 200
const MAX_DEPTH = 8

/**
 * O11: what the engine tells anybody (channels, log, errors) holds nothing of what is in records, and no password. Bytes
 * are never in there at all, texts are compared with what the records of the test hold.
 */
export class Eavesdropper {
  readonly #texts = new Set<string>()
  readonly #seen = new WeakSet()
  readonly #passwords: string[] = []
  readonly violations: string[] = []
  readonly #listen = (event: unknown, name: string | symbol): void => this.hear(String(name), event)

  start(): void {
    for (const name of CHANNELS) subscribe(name, this.#listen)
  }

  stop(): void {
    for (const name of CHANNELS) unsubscribe(name, this.#listen)
  }

  /** A logger that hears what it is told before the user's own does. */
  logger(own: Logger | undefined): Logger {
    const at = (level: keyof Logger) => (fields: object, message: string) => {
      this.hear('log', [message, fields])
      own?.[level](fields, message)
    }
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  }

  /** Credentials: all but the name that they are for. */
  guard(credentials: object = {}): void {
    for (const [name, value] of Object.entries(credentials)) {
      const isSecret = typeof value === 'string' && name !== 'mechanism' && name !== 'username'
      if (isSecret) this.#passwords.push(value)
    }
  }

  /** Something that was said; `where` by whom. */
  hear(where: string, said: unknown, depth = 0): void {
    if (typeof said === 'string') this.#texts.add(said)
    if (typeof said !== 'object' || said === null || depth > MAX_DEPTH || this.#seen.has(said)) return
    this.#seen.add(said)
    if (ArrayBuffer.isView(said)) return void this.violations.push(`O11 ${where}: holds ${said.byteLength} bytes`)
    for (const name of Object.getOwnPropertyNames(said)) {
      this.#texts.add(name)
      this.hear(where, (said as Record<string, unknown>)[name], depth + 1)
    }
  }

  /** All of it, when all has been said. */
  judge(records: readonly ObservedRecord[]): string[] {
    const secrets = new Set(this.#passwords)
    for (const { key, value, headers } of records) {
      const inHeaders = (headers ?? '').split('\0').map((pair) => pair.slice(pair.indexOf('=') + 1))
      for (const text of [key ?? '', value ?? '', ...inHeaders]) {
        if (text.length >= SECRET_CHARACTERS) secrets.add(text.slice(0, SECRET_CHARACTERS))
      }
      if (secrets.size >= MAX_SECRETS) break
    }
    for (const text of this.#texts) {
      for (const secret of secrets) {
        if (text.includes(secret)) this.violations.push(`O11: ${JSON.stringify(text.slice(0, 300))} tells ${secret}`)
      }
    }
    return this.violations
  }
}
