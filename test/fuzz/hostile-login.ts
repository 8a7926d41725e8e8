import { createHash, createHmac } from 'node:crypto'
import { Answers } from '../../src/connection/answers.ts'
import type { LoginWire } from '../../src/connection/login.ts'
import { asKafkaError } from '../../src/connection/failure.ts'
import { ConnectionError } from '../../src/errors.ts'
import { decodeResponseFrame, encodeResponseFrame } from '../../src/protocol/frame.ts'
import { saslAuthenticate } from '../../src/protocol/messages/sasl-authenticate.ts'
import { saslHandshake } from '../../src/protocol/messages/sasl-handshake.ts'
import type { Api, RequestInput, ResponseOf } from '../../src/protocol/schema.ts'
import { mapNothing } from './fields.ts'
import type { Mutator } from './mutate.ts'
import type { Random } from './random.ts'

const CAP_BYTES = 1024 * 1024
const MAX_INT64 = 2n ** 63n - 1n
const SIZES = { sha256: 32, sha512: 64 } as const

/** What this broker knows, and what it may say to embarrass whoever repeats it. */
export interface BrokerKnowledge {
  readonly mechanism: string
  /** SaltedPassword, whatever salt and iterations were said: nothing is computed a million times. */
  readonly saltedPassword: Buffer
  readonly repeats: readonly string[]
  /** Tokens that brokers have said, right and wrong. */
  readonly tokens: readonly Buffer[]
}

interface ScramFirst {
  readonly clientFirstBare: Buffer
  readonly serverFirst: Buffer
}

/** A broker that answers a login, mostly as it should: a lie in every step would never get to the second one. */
export class HostileWire implements LoginWire {
  /** Everything the client has said. */
  readonly said: Buffer[] = []
  /** SCRAM: what proves that this broker knows the password; null: it has not come to that. */
  signature: Buffer | null = null
  /** What it sent last. */
  sentLast: Buffer = Buffer.alloc(0)
  readonly #random: Random
  readonly #mutator: Mutator
  readonly #knows: BrokerKnowledge
  readonly #answers = new Answers('broker:9092', CAP_BYTES)
  #correlationId = 0
  #round = 0
  #scramFirst: ScramFirst | null = null

  constructor(knows: BrokerKnowledge, random: Random, mutator: Mutator) {
    this.#knows = knows
    this.#random = random
    this.#mutator = mutator
  }

  ask<A extends Api>(api: A, version: number, body: RequestInput<A>): Promise<ResponseOf<A>> {
    const correlationId = this.#correlationId++
    const bytes = api.key === saslHandshake.key ? this.#shake(version, correlationId) : this.#take(version, body)
    return this.#deliver(correlationId, bytes, (frame) => decodeResponseFrame(api, version, frame))
  }

  askBare(token: Uint8Array): Promise<Uint8Array> {
    const answer = this.#answerTo(Buffer.from(token))
    const length = Buffer.alloc(4)
    length.writeInt32BE(answer.length)
    return this.#deliver(null, Buffer.concat([length, answer]), (frame) => frame)
  }

  /** As the socket would: in pieces, once too often, cut off, or with an end instead. */
  #deliver<T>(correlationId: number | null, answer: Buffer, decode: (frame: Buffer) => T): Promise<T> {
    const random = this.#random
    return new Promise((resolve, reject) => {
      const pending = { correlationId, apiName: 'Sasl', capBytes: CAP_BYTES, deadlineMs: Infinity, fail: reject }
      this.#answers.expect({ ...pending, answer: (frame) => resolve(decode(frame)) })
      try {
        const isChanged = random.oneIn(12)
        const sent = isChanged ? this.#mutated(answer) : answer
        this.sentLast = sent
        const cutAt = random.oneIn(8) ? random.below(sent.length) : sent.length
        if (!random.oneIn(40)) this.#answers.take(sent.subarray(0, cutAt))
        if (!random.oneIn(40)) this.#answers.take(sent.subarray(cutAt))
        if (random.oneIn(60)) this.#answers.take(sent)
      } catch (error) {
        // What the connection does with it.
        return reject(asKafkaError('broker:9092', error))
      }
      // Nothing more comes: a promise that is settled by now does not mind.
      reject(
        new ConnectionError('CONNECTION_CLOSED', 'broker:9092: CONNECTION_CLOSED: it hung up', { retriable: true }),
      )
    })
  }

  #shake(version: number, correlationId: number): Buffer {
    const random = this.#random
    const name = (): string => (random.oneIn(3) ? this.#noise() : random.pick(['PLAIN', 'SCRAM-SHA-256', 'GSSAPI']))
    const errorCode = random.oneIn(10) ? random.pick([33, 34, 35, 58, -1, 32_767]) : 0
    const mechanisms = Array.from({ length: random.oneIn(20) ? 50 : random.below(4) }, name)
    return Buffer.concat(encodeResponseFrame(saslHandshake, version, correlationId, { errorCode, mechanisms }).chunks)
  }

  #take(version: number, body: object): Buffer {
    const random = this.#random
    const authBytes = this.#answerTo(Buffer.from((body as { authBytes: Uint8Array }).authBytes))
    const errorCode = random.oneIn(10) ? random.pick([58, 34, 33, -1, 32_767]) : 0
    const errorMessage = random.oneIn(4) ? null : this.#noise()
    const sessionLifetimeMs = random.pick([0n, 1n, 1000n, -1n, MAX_INT64, -MAX_INT64, BigInt(random.next())])
    const answer = { errorCode, errorMessage, authBytes, sessionLifetimeMs }
    return Buffer.concat(encodeResponseFrame(saslAuthenticate, version, this.#correlationId - 1, answer).chunks)
  }

  #answerTo(said: Buffer): Buffer {
    this.said.push(Buffer.from(said))
    this.#round++
    const random = this.#random
    const honest = this.#honest(said)
    const right = honest ?? Buffer.alloc(0)
    const kind = random.below(10)
    if (kind < 6) return this.#remember(right)
    if (kind === 6) return this.#remember(random.pick(this.#knows.tokens))
    if (kind === 7) return this.#remember(Buffer.from(this.#noise()))
    if (kind === 8 && random.oneIn(50)) return Buffer.alloc(65_536 + random.below(3), 97)
    return this.#remember(this.#mutated(right))
  }

  /** What a broker that knows the password says next; null: it has nothing more to say. */
  #honest(said: Buffer): Buffer | null {
    const { mechanism } = this.#knows
    if (mechanism === 'AWS_MSK_IAM') {
      return this.#round === 1 ? Buffer.from('{"version":"2020_10_22","request-id":"r-1"}') : null
    }
    if (!mechanism.startsWith('SCRAM')) return this.#round === 1 ? Buffer.alloc(0) : null
    if (this.#round === 1) {
      const nonce = /r=([^,]*)/.exec(said.toString())?.[1] ?? ''
      return Buffer.from(`r=${nonce}3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096`)
    }
    if (this.#round !== 2 || this.#scramFirst === null) return null
    return (this.signature = this.#signed(said, this.#scramFirst))
  }

  #signed(said: Buffer, { clientFirstBare, serverFirst }: ScramFirst): Buffer {
    const hash = this.#knows.mechanism === 'SCRAM-SHA-512' ? 'sha512' : 'sha256'
    const withoutProof = said.subarray(0, Math.max(said.lastIndexOf(',p='), 0))
    const comma = Buffer.from(',')
    const signed = Buffer.concat([clientFirstBare, comma, serverFirst, comma, withoutProof])
    const key = createHmac(hash, this.#knows.saltedPassword.subarray(0, SIZES[hash])).update('Server Key').digest()
    return Buffer.from(`v=${createHmac(hash, key).update(signed).digest('base64')}`)
  }

  /** What is signed is what was said, lies included. */
  #remember(token: Buffer): Buffer {
    const first = this.said[0]
    if (this.#round === 1 && first !== undefined) {
      this.#scramFirst = { clientFirstBare: first.subarray(first.indexOf('n=')), serverFirst: token }
    }
    return token
  }

  /** Text that brokers have no reason to say: our secrets, and what they sent of them. */
  #noise(): string {
    const random = this.#random
    const secret = Buffer.from(random.pick([...this.#knows.repeats, 'harmless']))
    const last = this.said.at(-1) ?? Buffer.alloc(0)
    const pieces = [
      ...[secret.toString(), secret.toString('base64'), secret.toString('hex'), encodeURIComponent(secret.toString())],
      ...[
        last.toString('latin1'),
        last.toString('hex'),
        last.toString('base64'),
        last.toString('base64url'),
        '\0\r\n\u001b[2J\u202e',
        'e=',
        'invalid-proof',
        'm=x,',
        ',',
        '=',
        '{"status":"',
      ],
      createHash('sha256').update(secret).digest('base64'),
      'x'.repeat(random.below(600)),
    ]
    return Array.from({ length: 1 + random.below(4) }, () => random.pick(pieces)).join('')
  }

  #mutated(bytes: Buffer): Buffer {
    const parent = { bytes, map: mapNothing() }
    this.#mutator.mutate(parent, { bytes: this.#random.pick(this.#knows.tokens), map: parent.map })
    return Buffer.from(this.#mutator.buffer.subarray(0, this.#mutator.length))
  }
}
