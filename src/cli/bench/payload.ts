import type { ProducerRecord } from '../../index.ts'

/** So much text is made up, in values that differ: a codec must not find in a batch what it has seen a moment ago. */
const TEXT_BYTES = 4 * 1024 * 1024
const [MIN_VALUES, MAX_VALUES] = [4, 20_000]

const WORDS = 'cart page search order refund login profile invoice shipment coupon review wishlist alert report'.split(
  ' ',
)
const COUNTRIES = ['DE', 'US', 'GB', 'FR', 'IN', 'BR', 'JP', 'NL']

export interface PayloadOptions {
  readonly topic: string
  readonly valueBytes: number
  /** How many different keys; 0: none. */
  readonly keys: number
}

/**
 * Records whose values are pieces of JSON events: neither zeros, which a codec makes vanish, nor noise, which it cannot make
 * smaller. They are the same in every run.
 */
export class Payload {
  /** Of a record: key and value. */
  readonly recordBytes: number
  readonly #topic: string
  readonly #values: readonly Buffer[]
  readonly #keys: readonly Buffer[]

  constructor({ topic, valueBytes, keys }: PayloadOptions) {
    this.#topic = topic
    this.#values = valuesOf(valueBytes)
    this.#keys = Array.from({ length: keys }, (_, i) => Buffer.from(`key-${String(i).padStart(8, '0')}`))
    this.recordBytes = valueBytes + (this.#keys[0]?.length ?? 0)
  }

  record(index: number): ProducerRecord {
    const value = this.#values[index % this.#values.length] ?? null
    if (this.#keys.length === 0) return { topic: this.#topic, value }
    return { topic: this.#topic, key: this.#keys[index % this.#keys.length], value }
  }
}

function valuesOf(valueBytes: number): Buffer[] {
  const count = Math.min(Math.max(Math.floor(TEXT_BYTES / valueBytes), MIN_VALUES), MAX_VALUES)
  const text = eventText(count * valueBytes)
  return Array.from({ length: count }, (_, i) => text.subarray(i * valueBytes, (i + 1) * valueBytes))
}

function eventText(bytes: number): Buffer {
  const text = Buffer.alloc(bytes)
  const random = lehmer()
  for (let at = 0; at < bytes;) at += text.write(`${JSON.stringify(eventFrom(random))}\n`, at, 'latin1')
  return text
}

function eventFrom(random: (below: number) => number): object {
  const word = (): string => WORDS[random(WORDS.length)] ?? ''
  return {
    id: `${random(2 ** 30).toString(16)}${random(2 ** 30).toString(16)}`,
    time: new Date(1_790_000_000_000 + random(1_000_000_000)).toISOString(),
    type: `${word()} ${word()}`,
    user: `u-${random(1_000_000)}`,
    country: COUNTRIES[random(COUNTRIES.length)],
    total: random(100_000) / 100,
    items: Array.from({ length: 1 + random(3) }, () => ({ sku: random(100_000), name: word(), count: 1 + random(5) })),
  }
}

/** MINSTD, from a fixed seed; whole numbers below the one that it is given. */
function lehmer(): (below: number) => number {
  let state = 20_261_121
  return (below) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
}
