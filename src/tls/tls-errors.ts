import {
  AuthenticationError,
  ConnectionError,
  type AuthenticationErrorCode,
  type ConnectionErrorCode,
  type KafkaError,
} from '../errors.ts'
import { IdentityError } from './identity.ts'
import type { TlsFacts } from './tls-facts.ts'
import * as sentences from './tls-sentences.ts'

type TlsErrorCode = ConnectionErrorCode | AuthenticationErrorCode

interface Verdict {
  readonly code: TlsErrorCode
  readonly what: string
  /** Only a guess, or a passing fault: another attempt may fare better. */
  readonly retriable?: boolean
}

interface Rule {
  readonly when: RegExp
  readonly stages?: readonly TlsFacts['stage'][]
  readonly judge: (facts: TlsFacts, words: string) => Verdict
}

const HANDSHAKE = ['handshake'] as const
const BEFORE_PROOF = ['handshake', 'unproven'] as const

/** A greeting that nobody could make anything of is answered by an alert of seven bytes; a flight of a server is longer. */
const ALERT_BYTES = 7

/**
 * By meaning, not by exact code: OpenSSL 3.0 says SSLV3_ALERT where 3.5 says SSL/TLS_ALERT. The first that fits counts.
 * Of codes of X.509, all are about the broker's certificate; of alerts, most are about ours.
 */
const RULES: readonly Rule[] = [
  final(/^CERT_HAS_EXPIRED/, 'CERTIFICATE_EXPIRED', sentences.expired),
  final(/^CERT_NOT_YET_VALID/, 'CERTIFICATE_NOT_YET_VALID', sentences.notYetValid),
  final(/^COMMON_NAME_ONLY/, 'CERTIFICATE_HOST_MISMATCH', sentences.commonNameOnly),
  final(
    /^HOST_NOT_IN_CERTIFICATE|^ERR_TLS_CERT_ALTNAME|^HOSTNAME_MISMATCH/,
    'CERTIFICATE_HOST_MISMATCH',
    sentences.wrongHost,
  ),
  final(/^REFUSED_BY_CHECK/, 'CERTIFICATE_REFUSED', sentences.refusedByCheck),
  final(/^DEPTH_ZERO_SELF_SIGNED/, 'CERTIFICATE_SELF_SIGNED', sentences.selfSigned),
  final(
    /^SELF_SIGNED_CERT_IN_CHAIN|^UNABLE_TO_GET_ISSUER|^CERT_UNTRUSTED/,
    'CERTIFICATE_UNTRUSTED',
    sentences.untrusted,
  ),
  final(/^UNABLE_TO_VERIFY_LEAF/, 'CERTIFICATE_CHAIN_INCOMPLETE', sentences.chainIncomplete),
  final(/^INVALID_PURPOSE/, 'CERTIFICATE_PURPOSE', sentences.purpose),
  final(/^CERT_REVOKED/, 'CERTIFICATE_REVOKED', sentences.revoked),
  final(
    /KEY TOO (WEAK|SMALL)|KEY_TOO_SMALL|MD_TOO_WEAK|DIGEST ALGORITHM TOO WEAK/,
    'CERTIFICATE_TOO_WEAK',
    sentences.tooWeak,
  ),
  final(
    /^(CERT|CRL|UNABLE_TO|INVALID_CA|PATH_LENGTH|ERROR_IN_CERT|UNSPECIFIED)/,
    'CERTIFICATE_INVALID',
    sentences.invalid,
  ),
  final(/ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW/, 'TLS_VERSION_REFUSED', sentences.version),
  final(/ALERT_CERTIFICATE_REQUIRED/, 'CLIENT_CERTIFICATE_REQUIRED', sentences.certificateRequired),
  { when: /ALERT_(UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR)|ALERT_\w*CERTIFICATE/, judge: aboutOurCertificate },
  { when: /ALERT_HANDSHAKE_FAILURE/, stages: HANDSHAKE, judge: handshakeRefused },
  final(
    /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|BAD_RECORD_TYPE|RECORD_LENGTH/,
    'PEER_NOT_TLS',
    sentences.notTls,
    HANDSHAKE,
  ),
  { when: /UNEXPECTED_MESSAGE/, stages: BEFORE_PROOF, judge: garbledAlert },
  { when: /BAD_RECORD_MAC/, stages: ['unproven'], judge: garbledAlert },
  { when: /^(ECONNRESET|EPIPE|ECONNABORTED|CLOSED)/, stages: BEFORE_PROOF, judge: hungUp },
  {
    when: /^(ECONNRESET|EPIPE|ECONNABORTED|CLOSED)/,
    judge: () => ({ code: 'CONNECTION_CLOSED', what: sentences.closed(), retriable: true }),
  },
]

function final(
  when: RegExp,
  code: TlsErrorCode,
  sentence: (facts: TlsFacts, words: string) => string,
  stages?: Rule['stages'],
): Rule {
  return { when, judge: (facts, words) => ({ code, what: sentence(facts, words) }), ...(stages && { stages }) }
}

/** Servers that want a certificate and got none mostly call that a bad certificate (Java); OpenSSL has an alert for it. */
function aboutOurCertificate(facts: TlsFacts, words: string): Verdict {
  if (!facts.hasClientCertificate) {
    return { code: 'CLIENT_CERTIFICATE_REQUIRED', what: sentences.certificateRequired(facts) }
  }
  return { code: 'CLIENT_CERTIFICATE_REFUSED', what: sentences.certificateRefused(facts, words) }
}

/** Before the server has said anything of its own nothing fits; after it, under TLS 1.2, it is our certificate. */
function handshakeRefused(facts: TlsFacts, words: string): Verdict {
  if (facts.receivedBytes > ALERT_BYTES) return aboutOurCertificate(facts, words)
  return { code: 'TLS_FAILED', what: sentences.nothingInCommon() }
}

/**
 * Brokers before 3.0 send bytes that are no TLS where they should send an alert about the certificate of the client:
 * seen on 2.8.2 (TLS 1.2, 1.3) and 1.1.1 (TLS 1.2).
 */
function garbledAlert(facts: TlsFacts): Verdict {
  const code = facts.hasClientCertificate ? 'CLIENT_CERTIFICATE_REFUSED' : 'CLIENT_CERTIFICATE_REQUIRED'
  return { code, what: sentences.garbledAlert(facts), retriable: true }
}

/** Without a word: whoever hangs up may have had another reason than the likely one, so it may be tried again. */
function hungUp(facts: TlsFacts): Verdict {
  const retriable = true
  if (facts.stage === 'handshake' && facts.receivedBytes === 0) {
    return { code: 'PEER_NOT_TLS', what: sentences.hungUpOnGreeting(), retriable }
  }
  if (facts.hasClientCertificate) {
    return { code: 'CLIENT_CERTIFICATE_REFUSED', what: sentences.certificateProbablyRefused(facts), retriable }
  }
  const what = facts.stage === 'handshake' ? sentences.closedInHandshake() : sentences.closedBeforeAnswer()
  return { code: 'CONNECTION_CLOSED', what, retriable }
}

/**
 * Puts into words what OpenSSL, Node or the system said; null: the peer closed the connection in order.
 *
 * `retriable` is false where the same would happen again; a peer that hangs up without a word leaves it open.
 */
export function explainTls(error: Error | null, facts: TlsFacts): KafkaError {
  const words = wordsOf(error)
  const rule = RULES.find(({ when, stages }) => when.test(words) && (stages?.includes(facts.stage) ?? true))
  const verdict = rule?.judge(facts, words) ?? { code: 'TLS_FAILED', what: sentences.failed(words), retriable: true }
  return tlsError(facts.address, verdict, error)
}

/** `CERTIFICATE_...` and `CLIENT_CERTIFICATE_...` are about who somebody is; all else is about the connection. */
export function tlsError(address: string, { code, what, retriable = false }: Verdict, cause: unknown): KafkaError {
  const message = `${address}: ${code}: ${what}`
  const details = { retriable, cause: cause ?? undefined }
  return isAboutIdentity(code)
    ? new AuthenticationError(code, message, details)
    : new ConnectionError(code, message, details)
}

function isAboutIdentity(code: TlsErrorCode): code is AuthenticationErrorCode {
  return /^(CLIENT_)?CERTIFICATE_/.test(code)
}

/** Code and reason, in capitals: `ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE`; OpenSSL has words only for some (`UNSPECIFIED`). */
function wordsOf(error: Error | null): string {
  if (error === null) return 'CLOSED'
  if (error instanceof IdentityError) return `${error.code} ${error.message}`
  const code = 'code' in error ? String(error.code) : ''
  const reason = 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message
  return `${code} ${reason}`.toUpperCase().trim()
}
