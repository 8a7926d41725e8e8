import { pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'
import { fingerprint } from '../secret.ts'

export type ScramHash = 'sha256' | 'sha512'

/** Bytes of each hash. */
export const HASH_BYTES = { sha256: 32, sha512: 64 } as const

export interface SaltedPasswordRequest {
  readonly hash: ScramHash
  readonly password: string
  readonly salt: Uint8Array
  readonly iterations: number
}

/** What PBKDF2 is; a test counts the calls. */
export type DeriveKey = (request: SaltedPasswordRequest) => Promise<Buffer>

const pbkdf2Async = promisify(pbkdf2)
const deriveKey: DeriveKey = ({ hash, password, salt, iterations }) =>
  pbkdf2Async(Buffer.from(password), salt, iterations, HASH_BYTES[hash], hash)

/** So many are remembered: that is a hundred brokers with a salt each, or a hundred users. */
const MAX_REMEMBERED = 100

/**
 * SaltedPassword of SCRAM, the costly part: the broker chooses how costly.
 *
 * One is computed at a time, because each holds one of the four threads that also resolve host names and read files; and
 * each is remembered, so that reconnecting costs nothing.
 */
export class SaltedPasswords {
  readonly #derive: DeriveKey
  /** Oldest use first. */
  readonly #remembered = new Map<string, Buffer>()
  #previous: Promise<void> = Promise.resolve()

  constructor(derive: DeriveKey = deriveKey) {
    this.#derive = derive
  }

  /** @returns a copy, for the caller to wipe. @throws the reason of `signal`, if that aborts before its turn. */
  async get(request: SaltedPasswordRequest, signal?: AbortSignal): Promise<Buffer> {
    const key = keyOf(request)
    const known = this.#recall(key)
    if (known !== undefined) return known
    const turn = this.#previous.then(async () => {
      signal?.throwIfAborted()
      return this.#recall(key) ?? this.#compute(key, request)
    })
    this.#previous = turn.then(ignore, ignore)
    return turn
  }

  async #compute(key: string, request: SaltedPasswordRequest): Promise<Buffer> {
    const salted = await this.#derive(request)
    this.#remembered.set(key, Buffer.from(salted))
    for (const [oldest, forgotten] of this.#remembered) {
      if (this.#remembered.size <= MAX_REMEMBERED) break
      forgotten.fill(0)
      this.#remembered.delete(oldest)
    }
    return salted
  }

  #recall(key: string): Buffer | undefined {
    const known = this.#remembered.get(key)
    if (known === undefined) return undefined
    this.#remembered.delete(key)
    this.#remembered.set(key, known)
    return Buffer.from(known)
  }
}

/** The process has one, because its threads are what is saved. */
export const saltedPasswords = new SaltedPasswords()

function keyOf({ hash, password, salt, iterations }: SaltedPasswordRequest): string {
  return `${hash} ${iterations} ${Buffer.from(salt).toString('base64')} ${fingerprint(password)}`
}

function ignore(): void {
  // Whoever asked for that one has heard of it.
}
