import { createHash, createHmac, randomBytes } from 'node:crypto'
import { say, SaslProblem, type Exchange } from './exchange.ts'
import { saltedPasswords, type SaltedPasswords, type ScramHash } from './salted-password.ts'
import { checkServerFinal, readServerFirst, saslName } from './scram-messages.ts'

/** Kafka creates users with at most 16 384; this many take a fifth of a second. The default of `maxIterations`. */
export const DEFAULT_MAX_ITERATIONS = 1_000_000

export interface ScramCredentials {
  readonly username: string
  /** Asked once per exchange; taken as UTF-8 as it is, like Kafka's own tools do: no SASLprep. */
  readonly password: () => Promise<string>
  readonly authorizationId?: string
}

export interface ScramOptions {
  /** More are refused: the broker chooses what this process computes. */
  readonly maxIterations?: number
  readonly signal?: AbortSignal | undefined
  /** For tests: at least 18 random bytes in printable characters. */
  readonly nonce?: string
  readonly passwords?: SaltedPasswords
}

/**
 * SCRAM: both sides prove that they know the password, without sending it.
 *
 * Source: RFC 5802 and 7677; ScramSaslClient of Apache Kafka, which is laxer in what it takes from a broker.
 */
export async function* scram(hash: ScramHash, credentials: ScramCredentials, options: ScramOptions = {}): Exchange {
  const { username, authorizationId = '' } = credentials
  const { nonce = newNonce(), maxIterations = DEFAULT_MAX_ITERATIONS, passwords = saltedPasswords } = options
  const password = await credentials.password()
  checkNames({ username, authorizationId })
  if (password === '') throw new SaslProblem('password is empty')

  const gs2Header = authorizationId === '' ? 'n,,' : `n,a=${saslName(authorizationId)},`
  const clientFirst = `n=${saslName(username)},r=${nonce}`
  const serverFirst = yield* say(Buffer.from(gs2Header + clientFirst), [password])

  const first = readServerFirst(serverFirst, { nonce, maxIterations, secrets: [password] })
  const { salt, iterations } = first
  const clientFinal = `c=${Buffer.from(gs2Header).toString('base64')},r=${first.nonce}`
  // From the bytes received: whatever the broker said after its iterations was signed by it, too.
  const authMessage = Buffer.concat([Buffer.from(`${clientFirst},`), serverFirst, Buffer.from(`,${clientFinal}`)])
  const salted = await passwords.get({ hash, password, salt, iterations }, options.signal)
  const { proof, serverSignature } = prove(hash, salted, authMessage)
  try {
    const secrets = [password, proof, serverSignature.toString('base64')]
    checkServerFinal(yield* say(Buffer.from(`${clientFinal},p=${proof}`), secrets), serverSignature, secrets)
  } finally {
    serverSignature.fill(0)
  }
  return {}
}

/** Wipes `salted` and every key in between. */
function prove(hash: ScramHash, salted: Buffer, authMessage: Uint8Array): { proof: string; serverSignature: Buffer } {
  const clientKey = hmac(hash, salted, 'Client Key')
  const storedKey = createHash(hash).update(clientKey).digest()
  const clientSignature = hmac(hash, storedKey, authMessage)
  const serverKey = hmac(hash, salted, 'Server Key')
  const serverSignature = hmac(hash, serverKey, authMessage)
  const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (clientSignature[i] ?? 0)))
  const text = proof.toString('base64')
  for (const key of [salted, clientKey, storedKey, clientSignature, serverKey, proof]) key.fill(0)
  return { proof: text, serverSignature }
}

function hmac(hash: ScramHash, key: Uint8Array, data: Uint8Array | string): Buffer {
  return createHmac(hash, key).update(data).digest()
}

function newNonce(): string {
  return randomBytes(24).toString('base64url')
}

function checkNames(names: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(names)) {
    if (value.includes('\0')) throw new SaslProblem(`${name} holds a NUL character, which SCRAM cannot carry`)
  }
  if (names['username'] === '') throw new SaslProblem('username is empty')
}
