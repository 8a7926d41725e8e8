import { readFileSync } from 'node:fs'

export interface MessageVector {
  readonly api: string
  readonly version: number
  readonly kind: 'request' | 'response'
  readonly bodyHex: string
}

/** A vector from Kafka's own classes; the derived ones have a body only. */
export interface FullMessageVector extends MessageVector {
  readonly headerVersion: number
  readonly headerHex: string
  readonly bodyJson: Readonly<Record<string, unknown>>
}

interface Golden {
  readonly messages: { readonly vectors: readonly FullMessageVector[]; readonly derived: readonly MessageVector[] }
  readonly varint: {
    readonly unsigned: readonly { readonly value: number; readonly hex: string }[]
    readonly zigzag32: readonly { readonly value: number; readonly hex: string }[]
    readonly zigzag64: readonly { readonly value: string; readonly hex: string }[]
    readonly mustReject: readonly { readonly type: string; readonly hex: string; readonly why: string }[]
  }
  readonly hostileFrames: { readonly vectors: readonly { readonly name: string; readonly hex: string }[] }
}

const file = new URL('../fixtures/golden.json', import.meta.url)

/** The parts of golden.json that protocol and bytes are tested with; PROVENANCE.md says where they come from. */
export const golden = JSON.parse(readFileSync(file, 'utf8')) as Golden
