/**
 * What clients do, rightly and wrongly, to a listener with SASL, and what they hear. Asked of Apache Kafka 4.3.1 and of
 * a TestCluster alike.
 */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { metadata } from '../../src/protocol/messages/metadata.ts'
import { produce } from '../../src/protocol/messages/produce.ts'
import type { RequestInput } from '../../src/protocol/schema.ts'
import { batchOf, errorOf, writeTo } from './raw-client.ts'
import { plainToken, type Heard, type SaslClient } from './sasl-client.ts'

export interface Script {
  readonly name: string
  /** What a client hears, step by step. */
  readonly hears: readonly unknown[]
  run(client: SaslClient, passwords: Readonly<Record<'alice' | 'bob', string>>): Promise<unknown[]>
}

const ALL: RequestInput<typeof metadata> = {
  ...{ topics: [], allowAutoTopicCreation: false },
  includeTopicAuthorizedOperations: false,
}

/** A PLAIN session of the listener that is asked. */
export const SESSION_MS = 3000

const MECHANISMS = ['OAUTHBEARER', 'PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']
const wrong = (mechanism: string): string =>
  `Authentication failed during authentication due to invalid credentials with SASL mechanism ${mechanism}`

export const scripts: readonly Script[] = [
  {
    name: 'logs in with PLAIN',
    async run(client, { alice }) {
      return [
        codeOf(await client.versions()),
        codeOf(await client.handshake('PLAIN')),
        told(await client.token(plainToken('alice', alice))),
        brokersOf(await client.ask(metadata, 12, ALL)),
      ]
    },
    hears: [0, 0, [0, '', '', SESSION_MS], 1],
  },
  {
    name: 'logs in without asking for versions, with version 0 of SaslAuthenticate',
    async run(client, { alice }) {
      return [
        await client.handshake('PLAIN').then(mechanismsOf),
        told(await client.token(plainToken('alice', alice), 0)),
        brokersOf(await client.ask(metadata, 12, ALL)),
      ]
    },
    hears: [[0, MECHANISMS], [0, '', '', 0], 1],
  },
  {
    name: 'has a wrong password',
    async run(client) {
      return [
        codeOf(await client.handshake('PLAIN')),
        told(await client.token(plainToken('alice', 'wrong'))),
        await client.frame(),
      ]
    },
    hears: [0, [58, 'Authentication failed: Invalid username or password', '', 0], 'closed'],
  },
  {
    name: 'has no user name',
    async run(client) {
      return [codeOf(await client.handshake('PLAIN')), told(await client.token(plainToken('', 'wrong')))]
    },
    hears: [0, [58, 'Authentication failed: username not specified', '', 0]],
  },
  {
    name: 'has no password',
    async run(client) {
      return [codeOf(await client.handshake('PLAIN')), told(await client.token(plainToken('alice', '')))]
    },
    hears: [0, [58, 'Authentication failed: password not specified', '', 0]],
  },
  {
    name: 'wants to be somebody else',
    async run(client, { alice }) {
      return [codeOf(await client.handshake('PLAIN')), told(await client.token(plainToken('alice', alice, 'bob')))]
    },
    hears: [
      0,
      [58, 'Authentication failed: Client requested an authorization id that is different from username', '', 0],
    ],
  },
  {
    name: 'sends a PLAIN token of two parts',
    async run(client) {
      return [codeOf(await client.handshake('PLAIN')), told(await client.token('alice\0secret')), await client.frame()]
    },
    hears: [0, [58, 'Invalid SASL/PLAIN response: expected 3 tokens, got 2', '', 0], 'closed'],
  },
  {
    name: 'sends a PLAIN token of four parts',
    async run(client, { alice }) {
      return [codeOf(await client.handshake('PLAIN')), told(await client.token(`${plainToken('alice', alice)}\0`))]
    },
    hears: [0, [58, 'Invalid SASL/PLAIN response: expected 3 tokens, got 4', '', 0]],
  },
  {
    name: 'wants a mechanism that is not there',
    async run(client) {
      return [await client.handshake('GSSAPI').then(mechanismsOf), await client.frame()]
    },
    hears: [[33, MECHANISMS], 'closed'],
  },
  {
    name: 'asks for metadata before the login',
    async run(client) {
      return [codeOf(await client.versions()), await client.ask(metadata, 12, ALL)]
    },
    hears: [0, 'closed'],
  },
  {
    name: 'produces first thing',
    async run(client) {
      return [await client.ask(produce, 9, writeTo('t', batchOf('a')))]
    },
    hears: ['closed'],
  },
  {
    name: 'sends a token first thing',
    async run(client, { alice }) {
      return [await client.token(plainToken('alice', alice))]
    },
    hears: ['closed'],
  },
  {
    name: 'asks for versions twice',
    async run(client) {
      return [codeOf(await client.versions()), await client.versions()]
    },
    hears: [0, 'closed'],
  },
  {
    name: 'asks for a version that is not there, and again',
    async run(client, { alice }) {
      // The answer has the form of version 0: its error comes first.
      client.socket.write(Buffer.from('0000000e0012006300000007000372617700', 'hex'))
      const refusal = await client.frame()
      return [
        refusal === 'closed' ? refusal : refusal.readInt16BE(4),
        codeOf(await client.versions()),
        codeOf(await client.handshake('PLAIN')),
        told(await client.token(plainToken('alice', alice))),
      ]
    },
    hears: [35, 0, 0, [0, '', '', SESSION_MS]],
  },
  {
    name: 'asks for versions between handshake and token',
    async run(client) {
      return [codeOf(await client.handshake('PLAIN')), codeOf(await client.versions()), await client.frame()]
    },
    hears: [0, 34, 'closed'],
  },
  {
    name: 'shakes hands twice before a token',
    async run(client) {
      return [
        codeOf(await client.handshake('PLAIN')),
        await client.handshake('SCRAM-SHA-256').then(mechanismsOf),
        await client.frame(),
      ]
    },
    hears: [0, [34, []], 'closed'],
  },
  {
    name: 'asks for versions and metadata after the login',
    async run(client, { alice }) {
      return [
        codeOf(await client.handshake('PLAIN')),
        told(await client.token(plainToken('alice', alice))),
        codeOf(await client.versions()),
        codeOf(await client.versions()),
        brokersOf(await client.ask(metadata, 12, ALL)),
      ]
    },
    hears: [0, [0, '', '', SESSION_MS], 0, 0, 1],
  },
  {
    name: 'sends a token after the login',
    async run(client, { alice }) {
      return [
        codeOf(await client.handshake('PLAIN')),
        told(await client.token(plainToken('alice', alice))),
        told(await client.token(plainToken('alice', alice))),
        brokersOf(await client.ask(metadata, 12, ALL)),
      ]
    },
    hears: [
      0,
      [0, '', '', SESSION_MS],
      [34, 'SaslAuthenticate request received after successful authentication', '', 0],
      1,
    ],
  },
  {
    name: 'logs in again',
    async run(client, { alice }) {
      return [
        codeOf(await client.handshake('PLAIN')),
        told(await client.token(plainToken('alice', alice))),
        await client.handshake('PLAIN').then(mechanismsOf),
        told(await client.token(plainToken('alice', alice))),
        brokersOf(await client.ask(metadata, 12, ALL)),
      ]
    },
    hears: [0, [0, '', '', SESSION_MS], [0, MECHANISMS], [0, '', '', SESSION_MS], 1],
  },
  {
    name: 'logs in again twice within a second',
    async run(client, { alice }) {
      return [
        codeOf(await client.handshake('PLAIN')),
        told(await client.token(plainToken('alice', alice))),
        codeOf(await client.handshake('PLAIN')),
        told(await client.token(plainToken('alice', alice))),
        await client.handshake('PLAIN').then(mechanismsOf),
        brokersOf(await client.ask(metadata, 12, ALL)),
      ]
    },
    hears: [0, [0, '', '', SESSION_MS], 0, [0, '', '', SESSION_MS], [34, []], 1],
  },
  {
    name: 'logs in again with a wrong password',
    async run(client, { alice }) {
      return [
        codeOf(await client.handshake('PLAIN')),
        told(await client.token(plainToken('alice', alice))),
        codeOf(await client.handshake('PLAIN')),
        told(await client.token(plainToken('alice', 'wrong'))),
        await client.frame(),
      ]
    },
    hears: [
      0,
      [0, '', '', SESSION_MS],
      0,
      [58, 'Authentication failed: Invalid username or password', '', 0],
      'closed',
    ],
  },
  {
    name: 'logs in again as somebody else',
    async run(client, { alice, bob }) {
      return [
        codeOf(await client.handshake('PLAIN')),
        told(await client.token(plainToken('alice', alice))),
        codeOf(await client.handshake('PLAIN')),
        told(await client.token(plainToken('bob', bob))),
        await client.frame(),
      ]
    },
    hears: [
      0,
      [0, '', '', SESSION_MS],
      0,
      [58, 'Cannot change principals during re-authentication from User.alice: User.bob', '', 0],
      'closed',
    ],
  },
  {
    name: 'logs in again with another mechanism',
    async run(client, { alice }) {
      return [
        codeOf(await client.handshake('PLAIN')),
        told(await client.token(plainToken('alice', alice))),
        await client.handshake('SCRAM-SHA-256').then(mechanismsOf),
        told(await client.token('n,,n=alice,r=0123456789012345678')),
        await client.frame(),
      ]
    },
    hears: [0, [0, '', '', SESSION_MS], [0, MECHANISMS], 'closed', 'closed'],
  },
  {
    name: 'logs in again with a mechanism that is not there',
    async run(client, { alice }) {
      return [
        codeOf(await client.handshake('PLAIN')),
        told(await client.token(plainToken('alice', alice))),
        await client.handshake('GSSAPI'),
      ]
    },
    hears: [0, [0, '', '', SESSION_MS], 'closed'],
  },
  {
    name: 'asks for metadata in the middle of another login',
    async run(client, { alice }) {
      return [
        codeOf(await client.handshake('PLAIN')),
        told(await client.token(plainToken('alice', alice))),
        codeOf(await client.handshake('PLAIN')),
        typeof (await client.ask(metadata, 12, ALL)) === 'string',
        await client.frame(),
      ]
    },
    hears: [0, [0, '', '', SESSION_MS], 0, false, 'closed'],
  },
  {
    name: 'produces in the middle of another login',
    async run(client, { alice }) {
      const heard = [
        codeOf(await client.handshake('PLAIN')),
        told(await client.token(plainToken('alice', alice))),
        codeOf(await client.handshake('PLAIN')),
      ]
      const answer = await client.ask(produce, 9, writeTo('t', batchOf('a')))
      return [...heard, answer === 'closed' ? answer : errorOf(answer), await client.frame()]
    },
    hears: [0, [0, '', '', SESSION_MS], 0, 34, 'closed'],
  },
  {
    name: 'logs in again where sessions have no end',
    async run(client, { alice }) {
      return [
        ...(await scramLogin(client, 'sha512', 'alice', alice)),
        await client.handshake('SCRAM-SHA-512').then(mechanismsOf),
        brokersOf(await client.ask(metadata, 12, ALL)),
      ]
    },
    hears: [0, [0, '', 'r=', 0], [0, '', 'v=', 0], [34, []], 1],
  },
  {
    name: 'logs in with SCRAM-SHA-256, twice',
    async run(client, { alice }) {
      return [
        ...(await scramLogin(client, 'sha256', 'alice', alice)),
        ...(await scramLogin(client, 'sha256', 'alice', alice)),
      ]
    },
    hears: [0, [0, '', 'r=', 0], [0, '', 'v=', SESSION_MS], 0, [0, '', 'r=', 0], [0, '', 'v=', SESSION_MS]],
  },
  {
    name: 'has a wrong password for SCRAM',
    async run(client) {
      return [...(await scramLogin(client, 'sha256', 'alice', 'wrong')), await client.frame()]
    },
    hears: [0, [0, '', 'r=', 0], [58, wrong('SCRAM-SHA-256'), '', 0], 'closed'],
  },
  {
    name: 'is nobody that SCRAM knows',
    async run(client) {
      return [
        codeOf(await client.handshake('SCRAM-SHA-256')),
        told(await client.token('n,,n=nobody,r=0123456789012345678')),
        await client.frame(),
      ]
    },
    hears: [0, [58, wrong('SCRAM-SHA-256'), '', 0], 'closed'],
  },
  {
    name: 'sends another nonce at last (CVE-2024-56128)',
    async run(client, { alice }) {
      return [
        ...(await scramLogin(client, 'sha256', 'alice', alice, { finalNonce: (nonce) => `${nonce}x` })),
        await client.frame(),
      ]
    },
    hears: [0, [0, '', 'r=', 0], [58, wrong('SCRAM-SHA-256'), '', 0], 'closed'],
  },
  {
    name: 'wants to be somebody else by SCRAM',
    async run(client) {
      return [
        codeOf(await client.handshake('SCRAM-SHA-256')),
        told(await client.token('n,a=bob,n=alice,r=0123456789012345678')),
      ]
    },
    hears: [
      0,
      [58, 'Authentication failed: Client requested an authorization id that is different from username', '', 0],
    ],
  },
  {
    name: 'sends nonsense to SCRAM',
    async run(client) {
      return [
        codeOf(await client.handshake('SCRAM-SHA-256')),
        told(await client.token('n,,hello')),
        await client.frame(),
      ]
    },
    hears: [0, [58, wrong('SCRAM-SHA-256'), '', 0], 'closed'],
  },
  {
    name: 'brings a token that names its owner and its end',
    async run(client) {
      const token = unsecuredToken({ sub: 'carol', exp: Math.floor(client.wallNow() / 1000) + 3600 })
      const answer = await bearer(client, token)
      const lifetimeMs = answer === 'closed' ? 0 : Number(answer.sessionLifetimeMs)
      return [codeOf(answer), lifetimeMs > 3_590_000 && lifetimeMs <= 3_600_000]
    },
    hears: [0, true],
  },
  {
    name: 'brings a token that is over',
    async run(client) {
      const token = unsecuredToken({ sub: 'carol', exp: Math.floor(client.wallNow() / 1000) - 3600 })
      return [told(await bearer(client, token)), told(await client.token('\x01')), await client.frame()]
    },
    hears: [[0, '', '{"status":"invalid_token"}', 0], [58, '{"status":"invalid_token"}', '', 0], 'closed'],
  },
  {
    name: 'brings a token for somebody else',
    async run(client) {
      const token = unsecuredToken({ sub: 'carol', exp: Math.floor(client.wallNow() / 1000) + 3600 })
      return [told(await bearer(client, token, 'n,a=bob,')), await client.frame()]
    },
    hears: [
      [
        58,
        "Authentication failed: Client requested an authorization id (bob) that is different from the token's principal name (carol)",
        '',
        0,
      ],
      'closed',
    ],
  },
  {
    name: 'sends nonsense to OAUTHBEARER',
    async run(client) {
      return [codeOf(await client.handshake('OAUTHBEARER')), told(await client.token('\x01')), await client.frame()]
    },
    hears: [0, [58, wrong('OAUTHBEARER'), '', 0], 'closed'],
  },
  {
    name: 'tries another token after the error document',
    async run(client) {
      const [old, good] = [-3600, 3600].map((s) =>
        unsecuredToken({ sub: 'carol', exp: Math.floor(client.wallNow() / 1000) + s }),
      )
      return [told(await bearer(client, old ?? '')), codeOf(await client.token(`n,,\x01auth=Bearer ${good}\x01\x01`))]
    },
    hears: [[0, '', '{"status":"invalid_token"}', 0], 0],
  },
  {
    name: 'logs in by raw tokens',
    async run(client, { alice }) {
      return [
        await client.handshake('PLAIN', 0).then(mechanismsOf),
        text(await client.rawToken(plainToken('alice', alice))),
        brokersOf(await client.ask(metadata, 12, ALL)),
      ]
    },
    hears: [[0, MECHANISMS], '', 1],
  },
  {
    name: 'has a wrong password in a raw token',
    async run(client) {
      return [codeOf(await client.handshake('PLAIN', 0)), text(await client.rawToken(plainToken('alice', 'wrong')))]
    },
    hears: [0, 'closed'],
  },
  {
    name: 'sends SaslAuthenticate where a raw token belongs',
    async run(client, { alice }) {
      return [codeOf(await client.handshake('PLAIN', 0)), await client.token(plainToken('alice', alice))]
    },
    hears: [0, 'closed'],
  },
  {
    name: 'logs in by raw tokens with SCRAM',
    async run(client, { alice }) {
      return scramRawLogin(client, 'alice', alice)
    },
    hears: [0, 'r=', 'v=', 1],
  },
  {
    name: 'waits until the session is over, and asks for metadata',
    async run(client, { alice }) {
      const heard = [codeOf(await client.handshake('PLAIN')), told(await client.token(plainToken('alice', alice)))]
      await client.passTime(SESSION_MS + 200)
      return [...heard, await client.ask(metadata, 12, ALL)]
    },
    hears: [0, [0, '', '', SESSION_MS], 'closed'],
  },
  {
    name: 'waits until the session is over, and asks for versions',
    async run(client, { alice }) {
      const heard = [codeOf(await client.handshake('PLAIN')), told(await client.token(plainToken('alice', alice)))]
      await client.passTime(SESSION_MS + 200)
      return [...heard, await client.versions()]
    },
    hears: [0, [0, '', '', SESSION_MS], 'closed'],
  },
  {
    name: 'waits until the session is over, and logs in again',
    async run(client, { alice }) {
      const heard = [codeOf(await client.handshake('PLAIN')), told(await client.token(plainToken('alice', alice)))]
      await client.passTime(SESSION_MS + 200)
      return [
        ...heard,
        codeOf(await client.handshake('PLAIN')),
        told(await client.token(plainToken('alice', alice))),
        brokersOf(await client.ask(metadata, 12, ALL)),
      ]
    },
    hears: [0, [0, '', '', SESSION_MS], 0, [0, '', '', SESSION_MS], 1],
  },
  {
    name: 'was logged in by version 0 when the session ends',
    async run(client, { alice }) {
      const heard = [codeOf(await client.handshake('PLAIN')), told(await client.token(plainToken('alice', alice), 0))]
      await client.passTime(SESSION_MS + 200)
      return [...heard, await client.ask(metadata, 12, ALL)]
    },
    hears: [0, [0, '', '', 0], 'closed'],
  },
]

/** What a listener without SASL says. */
export const plaintextScripts: readonly Script[] = [
  {
    name: 'shakes hands with a listener that has no SASL',
    async run(client) {
      return [await client.handshake('PLAIN').then(mechanismsOf), brokersOf(await client.ask(metadata, 12, ALL))]
    },
    hears: [[34, []], 1],
  },
  {
    name: 'sends a token to a listener that has no SASL',
    async run(client) {
      return [told(await client.token('\0alice\0secret')), brokersOf(await client.ask(metadata, 12, ALL))]
    },
    hears: [[34, 'SaslAuthenticate request received after successful authentication', '', 0], 1],
  },
]

function codeOf(heard: Heard<{ readonly errorCode: number }>): number | 'closed' {
  return heard === 'closed' ? heard : heard.errorCode
}

function mechanismsOf(heard: Heard<{ errorCode: number; mechanisms: readonly string[] }>): unknown {
  return heard === 'closed' ? heard : [heard.errorCode, [...heard.mechanisms].sort()]
}

function brokersOf(heard: Heard<{ brokers: readonly unknown[] }>): number | 'closed' {
  return heard === 'closed' ? heard : heard.brokers.length
}

/** Error, message, token and lifetime; of what SCRAM says only which attribute it is. */
function told(
  heard: Heard<{ errorCode: number; errorMessage: string | null; authBytes: Uint8Array; sessionLifetimeMs: bigint }>,
): unknown[] | 'closed' {
  if (heard === 'closed') return heard
  return [heard.errorCode, heard.errorMessage, text(heard.authBytes), Number(heard.sessionLifetimeMs)]
}

function text(heard: Heard<Uint8Array>): string {
  const said = heard === 'closed' ? heard : Buffer.from(heard).toString()
  return /^[rv]=/.test(said) ? said.slice(0, 2) : said
}

function unsecuredToken(claims: object): string {
  const [header, body] = [{ alg: 'none' }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  )
  return `${header}.${body}.`
}

async function bearer(client: SaslClient, token: string, gs2Header = 'n,,') {
  await client.handshake('OAUTHBEARER')
  return client.token(`${gs2Header}\x01auth=Bearer ${token}\x01\x01`)
}

interface ScramTwist {
  readonly finalNonce?: (nonce: string) => string
}

/** A client's SCRAM without a check: what it says last depends on what it was told first. */
export function scramFinal(
  hash: 'sha256' | 'sha512',
  user: string,
  password: string,
  serverFirst: string,
  { finalNonce = (nonce) => nonce }: ScramTwist = {},
): string {
  const [, nonce = '', salt = '', iterations = ''] = /^r=([^,]+),s=([^,]+),i=(\d+)/.exec(serverFirst) ?? []
  const hmac = (key: Buffer, data: string): Buffer => createHmac(hash, key).update(data).digest()
  const length = hash === 'sha256' ? 32 : 64
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), length, hash)
  const clientKey = hmac(salted, 'Client Key')
  const withoutProof = `c=biws,r=${finalNonce(nonce)}`
  const message = `n=${user},r=${CLIENT_NONCE},${serverFirst},${withoutProof}`
  const signature = hmac(createHash(hash).update(clientKey).digest(), message)
  const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (signature[i] ?? 0)))
  return `${withoutProof},p=${proof.toString('base64')}`
}

export const CLIENT_NONCE = 'fyko-d2lbbFgONRv9qkxdawL'

async function scramLogin(
  client: SaslClient,
  hash: 'sha256' | 'sha512',
  user: string,
  password: string,
  twist?: ScramTwist,
): Promise<unknown[]> {
  const shaken = codeOf(await client.handshake(`SCRAM-SHA-${hash.slice(3)}`))
  const first = await client.token(`n,,n=${user},r=${CLIENT_NONCE}`)
  if (first === 'closed') return [shaken, first]
  const serverFirst = Buffer.from(first.authBytes).toString()
  return [shaken, told(first), told(await client.token(scramFinal(hash, user, password, serverFirst, twist)))]
}

async function scramRawLogin(client: SaslClient, user: string, password: string): Promise<unknown[]> {
  const shaken = codeOf(await client.handshake('SCRAM-SHA-256', 0))
  const first = await client.rawToken(`n,,n=${user},r=${CLIENT_NONCE}`)
  if (first === 'closed') return [shaken, first]
  const last = await client.rawToken(scramFinal('sha256', user, password, first.toString()))
  return [shaken, text(first), text(last), brokersOf(await client.ask(metadata, 12, ALL))]
}
