import { inspect } from 'node:util'

const REDACTED = '[redacted]'

/**
 * A token, key or PEM that cannot be printed by accident: as text, JSON or in the console it is `[redacted]`. It is a
 * `WeakSet` because `structuredClone` and `postMessage` refuse those, as with the library's own secrets.
 */
export class SecretText extends WeakSet {
  readonly #text: string

  constructor(text: string) {
    super()
    this.#text = text
  }

  /** The text itself. Whoever calls this sees to it that it goes nowhere but into TLS or a request header. */
  reveal(): string {
    return this.#text
  }

  override toString(): string {
    return REDACTED
  }

  toJSON(): string {
    return REDACTED
  }

  [Symbol.toPrimitive](): string {
    return REDACTED
  }

  [inspect.custom](): string {
    return REDACTED
  }
}
