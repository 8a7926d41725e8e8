import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** Who may send. Keys are compared in constant time, as keyed hashes: neither their contents nor their lengths show. */
export class WriteKeys {
  readonly #salt = randomBytes(32)
  readonly #hashes: readonly Buffer[]

  constructor(keys: readonly string[]) {
    this.#hashes = keys.map((key) => this.#hash(key))
  }

  /** Nobody needs a key. */
  get isOpen(): boolean {
    return this.#hashes.length === 0
  }

  allows(key: string): boolean {
    const given = this.#hash(key)
    let isKnown = false
    for (const hash of this.#hashes) if (timingSafeEqual(hash, given)) isKnown = true
    return isKnown
  }

  #hash(key: string): Buffer {
    return createHmac('sha256', this.#salt).update(key).digest()
  }
}

/** The user name of Basic authentication (RFC 7617), where Segment's clients put the key. Null: another kind, or none. */
export function basicUser(authorization: string | undefined): string | null {
  const [, encoded] = /^Basic +([A-Za-z0-9+/_=-]+) *$/i.exec(authorization ?? '') ?? []
  if (encoded === undefined) return null
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? text : text.slice(0, colon)
}
