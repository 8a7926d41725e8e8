import { createHmac, randomBytes } from 'node:crypto'
import { inspect } from 'node:util'

const REDACTED = '[redacted]'
/**
 * New in every process: a fingerprint that gets into a log cannot be tried against a list of passwords later. Made when it
 * is needed, because node:crypto takes milliseconds to load.
 */
let fingerprintKey: Buffer | undefined

/**
 * A password, key or token that cannot be printed by accident: as text, JSON or in the console it is `[redacted]`, and it
 * has no property that holds the value.
 *
 * It is a `WeakSet` for one reason: `structuredClone`, `postMessage` and `v8.serialize` refuse those. Any other object they
 * would turn into `{}`, which fails far away from its cause.
 */
export class Secret extends WeakSet {
  readonly #value: string

  constructor(value: string) {
    super()
    this.#value = value
  }

  /** The value itself. Whoever calls this sees to it that it goes nowhere but into the bytes of a login. */
  reveal(): string {
    return this.#value
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

/** Tells secrets apart, as the key of a cache: equal for equal texts, within this process only. */
export function fingerprint(secret: string): string {
  fingerprintKey ??= randomBytes(32)
  return createHmac('sha256', fingerprintKey).update(secret).digest('base64url')
}
