import type { SaslOptions } from '../../src/index.ts'
import type { ScramUser } from '../sasl/scram-server.ts'
import { PASSWORD } from './harness.ts'
import { lastWord, scramLogin, type Login } from './scripted-broker.ts'

export const HASHES = ['sha256', 'sha512'] as const
export type Hash = (typeof HASHES)[number]

export const userOf = (hash: Hash, name = 'alice'): ScramUser => ({
  ...{ hash, user: name, password: PASSWORD, salt: Buffer.from('a salt of a user'), iterations: 4096 },
})
export const saslOf = (hash: Hash, username = 'alice'): SaslOptions => ({
  ...{ mechanism: hash === 'sha256' ? 'scram-sha-256' : 'scram-sha-512', username, password: PASSWORD },
})

/** The nonce of a client's first message. */
export function nonceOf(token: Buffer): string {
  return /,r=([^,]+)$/.exec(token.toString())?.[1] ?? ''
}

/** Says `first` of the nonce, and then nothing good. */
export function firstly(first: (nonce: string) => string): Login {
  return (token) => ({ authBytes: Buffer.from(first(nonceOf(token))) })
}

/** An honest first message, and then this. */
export function finally_(hash: Hash, final: (right: string) => string): Login {
  const honest = scramLogin(userOf(hash))
  let round = 0
  return (token) => {
    const answer = honest(token)
    if (++round === 1) return answer
    return lastWord({ authBytes: Buffer.from(final(Buffer.from(answer.authBytes ?? []).toString())) })
  }
}

export const SALT = Buffer.from('a salt of a user').toString('base64')
export const MAX_INT32 = 2 ** 31 - 1

export const SERVER_FIRST: readonly [string, (nonce: string) => string][] = [
  ['i=1', (nonce) => `r=${nonce}X,s=${SALT},i=1`],
  [`i=${MAX_INT32}`, (nonce) => `r=${nonce}X,s=${SALT},i=${MAX_INT32}`],
  ['no r', () => `s=${SALT},i=4096`],
  ['no s', (nonce) => `r=${nonce}X,i=4096`],
  ['no i', (nonce) => `r=${nonce}X,s=${SALT}`],
  ['no =', () => 'hello'],
  ['nothing at all', () => ''],
  ['the nonce echoed', (nonce) => `r=${nonce},s=${SALT},i=4096`],
  ['the nonce replaced', () => `r=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA,s=${SALT},i=4096`],
  ['a mandatory extension', (nonce) => `m=x,r=${nonce}X,s=${SALT},i=4096`],
  ['an attribute twice', (nonce) => `r=${nonce}X,s=${SALT},s=${SALT},i=4096`],
  ['an empty salt', (nonce) => `r=${nonce}X,s=,i=4096`],
  ['60 kB of nonce', (nonce) => `r=${nonce}${'X'.repeat(60_000)}`],
  ['NUL characters', () => '\0'.repeat(100)],
]
export const SERVER_FINAL: readonly [string, (right: string) => string][] = [
  [
    'a forged signature',
    (right) => `v=${Buffer.alloc(Buffer.from(right.slice(2), 'base64').length).toString('base64')}`,
  ],
  ['a signature cut short', (right) => right.slice(0, 10)],
  ['a signature of the wrong length', () => 'v=AAAA'],
  ['a signature that is no base64', (right) => right.replace(/.$/, '*')],
  ['the empty final message', () => ''],
  ['an error with control characters', () => 'e=\u001b[31mother\u0000-error'],
]
