import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import type { KeyVaultError, KeyVaultErrorCode } from './key-vault-error.ts'
import { readBlocks, type NoPem, type PemBlock } from './pem-blocks.ts'
import { problem, type VaultSecret } from './secret-answer.ts'

/** Certificate and key for the option `tls`. */
export interface ClientPem {
  readonly cert: string
  readonly key: string
}

/** Where a secret is, for messages, and what time it is. */
export interface Checking {
  readonly host: string
  readonly nowMs: number
}

/**
 * The authorities of a truststore secret. One that has expired does no harm next to others, as bundles have them.
 *
 * @throws {KeyVaultError} it holds none, none that is still valid, or what is no PEM.
 */
export function readTruststore(secret: VaultSecret, { host, nowMs }: Checking): string[] {
  const fail = failing(host, secret.name)
  const certificates = certificatesOf(blocksOf(secret, fail), fail)
  const [first] = certificates
  if (first !== undefined && certificates.every((one) => untilMs(one) <= nowMs)) {
    throw fail('CERTIFICATE_EXPIRED', `${expired(first)}: store what the brokers' certificates are signed by now`)
  }
  return certificates.map(String)
}

/**
 * Certificate, chain and key of a client certificate secret, the certificate of the key first.
 *
 * @throws {KeyVaultError} one of them is missing, does not fit, or is out of its dates. Nothing of a key is in the error.
 */
export function readClientCertificate(secret: VaultSecret, { host, nowMs }: Checking): ClientPem {
  const fail = failing(host, secret.name)
  const blocks = blocksOf(secret, fail)
  const key = blocks.some(({ kind }) => kind === 'certificate') ? readKey(blocks, fail) : null
  const certificates = certificatesOf(blocks, fail)
  const own = certificates.find((one) => key !== null && one.checkPrivateKey(key.object))
  if (own === undefined || key === null) {
    throw fail('KEY_MISMATCH', 'its private key belongs to none of its certificates: store those that belong together')
  }
  if (untilMs(own) <= nowMs) {
    throw fail('CERTIFICATE_EXPIRED', `${expired(own)}: have a new one issued, and store it with its key and chain`)
  }
  if (Date.parse(own.validFrom) > nowMs) {
    throw fail('CERTIFICATE_NOT_YET_VALID', `its certificate is valid from ${new Date(own.validFrom).toISOString()}`)
  }
  const chain = [own, ...certificates.filter((one) => one !== own)]
  return { cert: chain.map(String).join(''), key: key.pem }
}

type Fail = (code: KeyVaultErrorCode, what: string) => KeyVaultError

function failing(host: string, name: string): Fail {
  return (code, what) => problem(code, { host, name }, what)
}

const NO_PEM: Readonly<Record<NoPem, readonly [KeyVaultErrorCode, string]>> = {
  pkcs12: [
    'KEY_STORE_NOT_PEM',
    'it holds a PKCS#12 store: convert it (openssl pkcs12 -in store.p12 -nodes -out cert.pem), and store the PEM',
  ],
  'java-key-store': [
    'KEY_STORE_NOT_PEM',
    'it holds a Java key store: convert it (keytool -importkeystore -deststoretype PKCS12, then openssl pkcs12 -nodes), and store the PEM',
  ],
  damaged: ['PEM_INVALID', 'its PEM is damaged: a label without its end, or something between them that is no base64'],
  nothing: ['PEM_INVALID', 'it holds no PEM: store the file itself (az keyvault secret set --file cert.pem)'],
}

function blocksOf(secret: VaultSecret, fail: Fail): readonly PemBlock[] {
  const read = readBlocks(secret.value.reveal())
  if (typeof read !== 'string') return read
  throw fail(...NO_PEM[secret.isPkcs12 && read === 'nothing' ? 'pkcs12' : read])
}

function certificatesOf(blocks: readonly PemBlock[], fail: Fail): X509Certificate[] {
  const found = blocks.filter(({ kind }) => kind === 'certificate')
  if (found.length === 0) throw fail('CERTIFICATE_MISSING', 'its PEM holds no certificate')
  return found.map(({ pem }, i) => {
    try {
      return new X509Certificate(pem)
    } catch {
      // OpenSSL's reason is a place in its source; which certificate it is helps more.
      throw fail('PEM_INVALID', `certificate ${i + 1} of ${found.length} is damaged: OpenSSL cannot read it`)
    }
  })
}

function readKey(blocks: readonly PemBlock[], fail: Fail): { readonly pem: string; readonly object: KeyObject } {
  if (blocks.some(({ kind }) => kind === 'encrypted-key')) {
    throw fail('KEY_ENCRYPTED', 'its private key is encrypted: store it without a passphrase, the vault protects it')
  }
  const [key, ...others] = blocks.filter(({ kind }) => kind === 'key')
  if (key === undefined) {
    throw fail('KEY_MISSING', 'its PEM holds no private key: store certificate, chain and key in one PEM')
  }
  if (others.length > 0) throw fail('PEM_INVALID', `it holds ${others.length + 1} private keys, expected one`)
  try {
    return { pem: key.pem, object: createPrivateKey(key.pem) }
  } catch {
    // OpenSSL's own error is not kept, so that nothing of a key can be in it.
    throw fail('PEM_INVALID', 'its private key is damaged: OpenSSL cannot read it')
  }
}

function untilMs(certificate: X509Certificate): number {
  return Date.parse(certificate.validTo)
}

function expired(certificate: X509Certificate): string {
  return `its certificate expired ${new Date(certificate.validTo).toISOString()}`
}
