import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto'
import { Secret } from '../../secret.ts'

export type ScramHash = 'sha256' | 'sha512'

/** What a broker keeps of a password for SCRAM. Source: RFC 5802, section 3. */
export interface ScramCredential {
  readonly salt: Buffer
  readonly iterations: number
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

const HASH_BYTES = { sha256: 32, sha512: 64 } as const
const SALT_BYTES = 16

interface User {
  readonly password: Secret
  /** Computed at the first login: PBKDF2 is slow on purpose. */
  readonly scram: Map<ScramHash, ScramCredential>
}

/** Who may come in, and by which password. */
export class Users {
  readonly #iterations: number
  readonly #users = new Map<string, User>()

  /** @param iterations of SCRAM's PBKDF2. */
  constructor(iterations: number) {
    this.#iterations = iterations
  }

  /** A new user, or a new password. */
  set(name: string, password: string): void {
    this.#users.set(name, { password: new Secret(password), scram: new Map() })
  }

  /** @returns whether there was one. */
  remove(name: string): boolean {
    return this.#users.delete(name)
  }

  isPassword(name: string, password: string): boolean {
    const user = this.#users.get(name)
    // One that nobody has takes as long as any other.
    const isRight = isEqual(password, user?.password.reveal() ?? randomBytes(16).toString('hex'))
    return user !== undefined && isRight
  }

  scram(name: string, hash: ScramHash): ScramCredential | undefined {
    const user = this.#users.get(name)
    if (user === undefined) return undefined
    const credential = user.scram.get(hash) ?? credentialOf(hash, user.password.reveal(), this.#iterations)
    user.scram.set(hash, credential)
    return credential
  }
}

export function hmac(hash: ScramHash, key: Uint8Array, data: Uint8Array | string): Buffer {
  return createHmac(hash, key).update(data).digest()
}

function credentialOf(hash: ScramHash, password: string, iterations: number): ScramCredential {
  const salt = randomBytes(SALT_BYTES)
  const salted = pbkdf2Sync(Buffer.from(password), salt, iterations, HASH_BYTES[hash], hash)
  const storedKey = createHash(hash)
    .update(hmac(hash, salted, 'Client Key'))
    .digest()
  return { salt, iterations, storedKey, serverKey: hmac(hash, salted, 'Server Key') }
}

/** In a time that tells nothing, not even a length. */
function isEqual(a: string, b: string): boolean {
  const [hashOfA, hashOfB] = [a, b].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer]
  return timingSafeEqual(hashOfA, hashOfB)
}
