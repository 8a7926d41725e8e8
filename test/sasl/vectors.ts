import { readFileSync } from 'node:fs'

export interface ScramVector {
  readonly name: string
  readonly mechanism: string
  readonly username: string
  readonly password: string
  readonly clientNonce: string
  readonly clientFirst: string
  readonly serverFirst: string
  readonly clientFinal: string
  readonly serverFinal: string
  readonly saltedPasswordHex: string
}

interface Vectors {
  readonly scram: {
    readonly exchanges: readonly ScramVector[]
    readonly partial: readonly {
      readonly password: string
      readonly saltB64: string
      readonly iterations: number
      readonly hash: 'sha256' | 'sha512'
      readonly saltedPasswordHex: string
    }[]
    readonly rejectServerFirst: readonly { readonly msg: string; readonly why: string; readonly clientNonce: string }[]
    readonly rejectServerFinal: readonly { readonly msg: string; readonly why: string }[]
  }
  readonly saslPlain: readonly {
    readonly username: string
    readonly password: string
    readonly authzid: string
    readonly hex: string
  }[]
  readonly oauthbearer: {
    readonly clientInitialResponse: readonly {
      readonly token: string
      readonly authzid: string
      readonly extensions: Readonly<Record<string, string>>
      readonly hex: string
    }[]
    readonly afterServerErrorChallengeClientSendsHex: string
  }
  readonly awsMskIam: {
    readonly constants: Readonly<Record<string, string | number>>
    readonly signing: readonly {
      readonly input: SigningInput
      readonly canonicalQueryString: string
      readonly canonicalRequest: string
      readonly stringToSign: string
      readonly signingKeyHex: string
      readonly signature: string
      readonly payload: Readonly<Record<string, string>>
    }[]
    readonly oauthbearerTokens: readonly {
      readonly input: Omit<SigningInput, 'userAgent' | 'name'>
      readonly token: string
      readonly expiryTimeMs: number
    }[]
    readonly wrongFormula: { readonly signatureForKafkaGoVector: string; readonly mustNotEqual: string }
  }
}

export interface SigningInput {
  readonly name: string
  readonly host: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | null
  readonly date: string
  readonly expires: number
  readonly userAgent: string
}

/** What golden.json knows of SASL; PROVENANCE.md says where it comes from. */
export const vectors = JSON.parse(readFileSync(new URL('../fixtures/golden.json', import.meta.url), 'utf8')) as Vectors

/** `20240102T030405Z` as milliseconds. */
export function instantOf(date: string): number {
  return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
}
