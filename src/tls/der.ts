/**
 * A look at DER: what a piece of it is, and how long, without understanding it. Enough to put the right label on what
 * people paste; node:crypto does the reading.
 *
 * Source: X.690; RFC 5280 (certificates, revocation lists), 2986 (requests), 5958 (PKCS#8), 8017 (PKCS#1), 5915 (SEC1),
 * 7292 (PKCS#12), 2315 (PKCS#7).
 */
export type DerKind =
  | 'certificate'
  | 'pkcs8-key'
  | 'encrypted-pkcs8-key'
  | 'pkcs1-key'
  | 'sec1-key'
  | 'public-key'
  | 'request'
  | 'crl'
  | 'pkcs7'
  | 'pkcs12'
  | 'unknown'

/** A part of a DER value: its tag, and where its contents are. */
interface Part {
  readonly tag: number
  readonly start: number
  readonly end: number
}

const SEQUENCE = 0x30

/** Tags of the parts in hexadecimal; what follows does not matter. An outer `30...` is told from its own parts. */
const SHAPES: readonly (readonly [RegExp, DerKind])[] = [
  [/^02 30 04/, 'pkcs8-key'],
  [/^30 04$/, 'encrypted-pkcs8-key'],
  [/^(02 ){8}02/, 'pkcs1-key'],
  [/^02 04/, 'sec1-key'],
  [/^30 03$|^02 02$/, 'public-key'],
  [/^06 a0/, 'pkcs7'],
  [/^02 30( 30)?$/, 'pkcs12'],
]

/** What is signed, inside `SEQUENCE { signed, algorithm, BIT STRING }`. */
const SIGNED_SHAPES: readonly (readonly [RegExp, DerKind])[] = [
  [/^a0 02 30 30 30|^02 30 30 30 30/, 'certificate'], // the second is version 1, which has no version
  [/^02 30 30( a0|$)/, 'request'],
  [/^(02 )?30 30 1[78]/, 'crl'],
]

/** How many bytes the DER value takes that `bytes` begins with; null: it does not begin with a SEQUENCE. */
export function derLength(bytes: Uint8Array): number | null {
  if (bytes[0] !== SEQUENCE) return null
  return partAt(bytes, 0)?.end ?? null
}

/** What a complete DER value is. */
export function derKind(der: Uint8Array): DerKind {
  const outer = partAt(der, 0)
  const parts = outer === null ? null : partsOf(der, outer)
  if (outer?.tag !== SEQUENCE || parts === null) return 'unknown'
  const shape = shapeOf(parts)
  const [first] = parts
  if (shape === '30 30 03' && first !== undefined) {
    const signed = shapeOf(partsOf(der, first) ?? [])
    return SIGNED_SHAPES.find(([pattern]) => pattern.test(signed))?.[1] ?? 'unknown'
  }
  return SHAPES.find(([pattern]) => pattern.test(shape))?.[1] ?? 'unknown'
}

function shapeOf(parts: readonly Part[]): string {
  return parts.map(({ tag }) => tag.toString(16).padStart(2, '0')).join(' ')
}

/** The parts that a value consists of; null: it is cut short or no DER. */
function partsOf(bytes: Uint8Array, outer: Part): Part[] | null {
  const parts: Part[] = []
  for (let at = outer.start; at < outer.end;) {
    const part = partAt(bytes, at)
    if (part === null || part.end > outer.end || part.end > bytes.length) return null
    parts.push(part)
    at = part.end
  }
  return parts
}

/** Lengths of up to four bytes: nobody pastes more. `end` may lie behind the end of `bytes`. */
function partAt(bytes: Uint8Array, at: number): Part | null {
  const [tag, short] = [bytes[at], bytes[at + 1]]
  if (tag === undefined || short === undefined) return null
  const start = at + 2
  if (short < 0x80) return { tag, start, end: start + short }
  const lengthBytes = short - 0x80
  if (lengthBytes < 1 || lengthBytes > 4 || start + lengthBytes > bytes.length) return null
  let length = 0
  for (let i = 0; i < lengthBytes; i++) length = length * 256 + (bytes[start + i] ?? 0)
  return { tag, start: start + lengthBytes, end: start + lengthBytes + length }
}
