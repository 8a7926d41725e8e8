import { timingSafeEqual } from 'node:crypto'
import { brokerText } from './broker-text.ts'
import { SaslProblem } from './exchange.ts'

/** RFC 7677, section 4; Kafka gives no fewer either. */
export const MIN_ITERATIONS = 4096
const MAX_SALT_BYTES = 1024
const ITERATIONS = /^[1-9][0-9]{0,8}$/
/** `printable` of RFC 5802: no space, no comma. */
const NONCE = /^[\x21-\x2b\x2d-\x7e]+$/
const ATTRIBUTE = /^[A-Za-z]=[^\0]+$/
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export interface ServerFirst {
  /** Ours, and what the broker has added. */
  readonly nonce: string
  readonly salt: Buffer
  readonly iterations: number
}

export interface Expected {
  /** Ours. */
  readonly nonce: string
  readonly maxIterations: number
  /** Are not repeated when the broker is quoted. */
  readonly secrets: readonly string[]
}

/**
 * The broker's first message, `r=...,s=...,i=...` and extensions that may be ignored, in the strict order of RFC 5802,
 * section 7. Problems quote nothing of it: nonce and salt are for nobody's log.
 */
export function readServerFirst(message: Uint8Array, { nonce, maxIterations, secrets }: Expected): ServerFirst {
  const attributes = attributesOf(message, 'first')
  throwServerError(attributes, secrets)
  const [r, s, i] = attributes
  const where = "the broker's first SCRAM message"
  if (r?.name === 'm') throw new SaslProblem(`${where} demands an extension that headrace does not know`)
  if (r?.name !== 'r' || s?.name !== 's' || i?.name !== 'i') {
    throw new SaslProblem(`${where} does not hold nonce, salt and iterations, in this order`)
  }
  if (!NONCE.test(r.value)) throw new SaslProblem(`${where} has characters in its nonce that are not allowed`)
  if (!r.value.startsWith(nonce) || r.value === nonce) {
    throw new SaslProblem(`${where} has a nonce that does not extend ours: it may be a replay`)
  }
  const salt = strictBase64(s.value, MAX_SALT_BYTES)
  if (salt === null) throw new SaslProblem(`${where} has a salt that is not 1 to ${MAX_SALT_BYTES} bytes of base64`)
  return { nonce: r.value, salt, iterations: iterationsOf(i.value, maxIterations) }
}

function iterationsOf(text: string, maxIterations: number): number {
  if (!ITERATIONS.test(text)) {
    throw new SaslProblem("the broker's number of iterations is none, or one of more than nine digits")
  }
  const iterations = Number(text)
  if (iterations < MIN_ITERATIONS) {
    const why = 'a password would be easy to guess from what is sent'
    throw new SaslProblem(`the broker asks for ${iterations} iterations, the minimum is ${MIN_ITERATIONS}: ${why}`)
  }
  if (iterations > maxIterations) {
    throw new SaslProblem(
      `the broker asks for ${iterations} iterations, the limit is ${maxIterations} (sasl.maxIterations)`,
    )
  }
  return iterations
}

/** The broker's last message: either why not, or the proof that it knows the password, too. */
export function checkServerFinal(message: Uint8Array, signature: Uint8Array, secrets: readonly string[]): void {
  const attributes = attributesOf(message, 'final')
  throwServerError(attributes, secrets)
  const [v] = attributes
  const sent = v?.name === 'v' ? strictBase64(v.value, signature.length) : null
  // timingSafeEqual throws for lengths that differ.
  if (sent?.length !== signature.length || !timingSafeEqual(sent, signature)) {
    const who = 'it is not the one that was set up with it, or something in between answers for it'
    throw new SaslProblem(`the broker could not prove that it knows the password: ${who}`)
  }
}

interface Attribute {
  readonly name: string
  readonly value: string
}

function attributesOf(message: Uint8Array, which: 'first' | 'final'): Attribute[] {
  const where = `the broker's ${which} SCRAM message`
  const attributes = decoded(message, where)
    .split(',')
    .map((part) => {
      // An empty value is refused here, but for `v=` and `s=`, whose own checks say more.
      if (!ATTRIBUTE.test(part) && part !== 'v=' && part !== 's=') {
        throw new SaslProblem(message.length === 0 ? `${where} is empty` : `${where} is malformed`)
      }
      return { name: part.slice(0, 1), value: part.slice(2) }
    })
  if (new Set(attributes.map(({ name }) => name)).size < attributes.length) {
    throw new SaslProblem(`${where} has an attribute twice`)
  }
  if (attributes.slice(1).some(({ name }) => name === 'm')) throw new SaslProblem(`${where} is malformed`)
  return attributes
}

function decoded(message: Uint8Array, where: string): string {
  try {
    return utf8.decode(message)
  } catch (cause) {
    throw new SaslProblem(`${where} is not UTF-8`, { cause })
  }
}

/** What a broker says of itself in `e=`. Source: RFC 5802, section 7, `server-error-value`. */
const SERVER_ERRORS: Readonly<Record<string, string>> = {
  'invalid-proof': 'the password is wrong (invalid-proof)',
  'unknown-user': 'the broker does not know this user (unknown-user)',
  'invalid-username-encoding': 'the broker cannot read this user name (invalid-username-encoding)',
  'no-resources': 'the broker has no resources for this at the moment (no-resources)',
}

function throwServerError([first, ...others]: readonly Attribute[], secrets: readonly string[]): void {
  if (first?.name !== 'e') return
  if (others.length > 0) throw new SaslProblem("the broker's error message in SCRAM is malformed")
  const known = Object.hasOwn(SERVER_ERRORS, first.value) ? SERVER_ERRORS[first.value] : undefined
  const retriable = first.value === 'no-resources'
  throw new SaslProblem(known ?? `the broker says: ${brokerText(first.value, secrets)}`, { retriable })
}

/** Null: it is not the one way to write 1 to `maxBytes` bytes. `Buffer.from` would take anything. */
function strictBase64(text: string, maxBytes: number): Buffer | null {
  if (text.length > Math.ceil(maxBytes / 3) * 4) return null
  const bytes = Buffer.from(text, 'base64')
  const isStrict = bytes.length > 0 && bytes.length <= maxBytes && bytes.toString('base64') === text
  return isStrict ? bytes : null
}

/** A name as it may stand in a message: each `=` and each `,` is escaped, in this order. */
export function saslName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C')
}
