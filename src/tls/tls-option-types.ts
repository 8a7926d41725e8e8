import type { ConnectionOptions } from 'node:tls'

/** PEM in any shape (with or without headers, on one line, several certificates at once), or DER. */
export type TlsMaterial = string | Uint8Array | readonly (string | Uint8Array)[]

type Plain =
  | 'passphrase'
  | 'rejectUnauthorized'
  | 'servername'
  | 'checkServerIdentity'
  | 'minVersion'
  | 'maxVersion'
  | 'ciphers'
  | 'ecdhCurve'
  | 'sigalgs'
  | 'minDHSize'
  | 'secureOptions'
  | 'ALPNProtocols'

/** The option `tls`: what of `tls.ConnectionOptions` makes sense for a Kafka client. */
export type TlsOptions = { readonly [Name in Plain]?: ConnectionOptions[Name] | undefined } & {
  readonly ca?: TlsMaterial | undefined
  readonly cert?: TlsMaterial | undefined
  readonly key?:
    TlsMaterial | ConnectionOptions['key'] | { readonly pem: string; readonly passphrase: string } | undefined
  readonly pfx?: Uint8Array | string | undefined
  readonly crl?: TlsMaterial | undefined
  readonly allowPartialTrustChain?: boolean | undefined
}
