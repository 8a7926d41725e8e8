import { X509Certificate } from 'node:crypto'
import type { DetailedPeerCertificate } from 'node:tls'
import { nameIn } from './warnings.ts'

/** One certificate of the broker, in words. All of it was chosen by the peer. */
export interface SeenCertificate {
  readonly subject: string
  readonly issuer: string
  /** As Node writes it: `DNS:a.example, IP Address:10.0.0.1`; empty: it has none. */
  readonly names: string
  readonly fromMs: number
  readonly toMs: number
  readonly isSelfSigned: boolean
}

/**
 * How far a connection got: the greeting is out, the handshake is done, the broker has answered a question. Under TLS 1.3
 * the client's certificate is judged after the handshake, so that only an answer proves that it was taken.
 */
export type TlsStage = 'handshake' | 'unproven' | 'proven'

/** What an error needs to be put into words. */
export interface TlsFacts {
  /** `host:port`, as it is advertised. */
  readonly address: string
  /** The name that the certificate must carry. */
  readonly name: string
  readonly stage: TlsStage
  readonly hasClientCertificate: boolean
  /** Common names in `tls.ca`; null: the system's. */
  readonly authorities: readonly string[] | null
  /** The broker's certificate first; empty: it has shown none. */
  readonly chain: readonly SeenCertificate[]
  /** Bytes that came from the peer since our greeting. */
  readonly receivedBytes: number
  readonly nowMs: number
}

const MAX_CHAIN = 10

/** The chain that a peer has sent, and what `tls.ca` adds to it. */
export function seenChain(leaf: DetailedPeerCertificate): SeenCertificate[] {
  const chain: SeenCertificate[] = []
  const seen = new Set<string>()
  // Where the issuer is not known, there is none, whatever the type says; a self-signed one is its own.
  let at: DetailedPeerCertificate | undefined = leaf
  for (; at !== undefined; at = at.issuerCertificate as DetailedPeerCertificate | undefined) {
    if (!Buffer.isBuffer(at.raw) || seen.has(at.fingerprint256) || chain.length === MAX_CHAIN) break
    seen.add(at.fingerprint256)
    chain.push(seenCertificate(new X509Certificate(at.raw)))
  }
  return chain
}

function seenCertificate(certificate: X509Certificate): SeenCertificate {
  return {
    subject: nameIn(certificate.subject),
    issuer: nameIn(certificate.issuer),
    names: certificate.subjectAltName ?? '',
    fromMs: Date.parse(certificate.validFrom),
    toMs: Date.parse(certificate.validTo),
    isSelfSigned: certificate.checkIssued(certificate),
  }
}
