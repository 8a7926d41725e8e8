import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'

export interface ScramUser {
  readonly hash: 'sha256' | 'sha512'
  readonly user: string
  readonly password: string
  readonly salt: Buffer
  readonly iterations: number
  /** What the server adds to the nonce. */
  readonly nonce?: string
  readonly extensions?: string
}

/** A broker that knows one user, strictly by RFC 5802; the answers to both messages of a client. */
export class ScramServer {
  readonly #user: ScramUser
  #clientFirst = ''
  #serverFirst = ''
  /** What a client with the right password has shown to be. */
  isIn = false

  constructor(user: ScramUser) {
    this.#user = user
  }

  first(said: Buffer): string {
    const { salt, iterations, nonce = 'SERVERNONCE', extensions = '' } = this.#user
    const match = /^n,(?:a=[^,]*)?,(n=([^,]*),r=([\x21-\x2b\x2d-\x7e]{18,}))$/.exec(said.toString())
    if (match === null) return 'e=other-error'
    const [, bare = '', name = '', clientNonce = ''] = match
    if (name.replaceAll('=2C', ',').replaceAll('=3D', '=') !== this.#user.user) return 'e=unknown-user'
    this.#clientFirst = bare
    this.#serverFirst = `r=${clientNonce}${nonce},s=${salt.toString('base64')},i=${iterations}${extensions}`
    return this.#serverFirst
  }

  final(said: Buffer): string {
    const { hash, password, salt, iterations } = this.#user
    const match = /^(c=[^,]+,r=([^,]+)),p=([^,]+)$/.exec(said.toString())
    if (match === null || !this.#serverFirst.startsWith(`r=${match[2]},`)) return 'e=other-error'
    const hmac = (key: Buffer, data: string): Buffer => createHmac(hash, key).update(data).digest()
    const salted = pbkdf2Sync(password, salt, iterations, hash === 'sha256' ? 32 : 64, hash)
    const message = `${this.#clientFirst},${this.#serverFirst},${match[1]}`
    const storedKey = createHash(hash).update(hmac(salted, 'Client Key')).digest()
    const signature = hmac(storedKey, message)
    const proof = Buffer.from(match[3] ?? '', 'base64')
    const key = Buffer.from(proof.map((byte, i) => byte ^ (signature[i] ?? 0)))
    if (!createHash(hash).update(key).digest().equals(storedKey)) return 'e=invalid-proof'
    this.isIn = true
    return `v=${hmac(hmac(salted, 'Server Key'), message).toString('base64')}`
  }
}
