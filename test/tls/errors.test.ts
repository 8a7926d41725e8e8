import { describe, expect, it } from 'vitest'
import type { KafkaError } from '../../src/errors.ts'
import { AuthenticationError, ConnectionError } from '../../src/errors.ts'
import { explainTls } from '../../src/tls/tls-errors.ts'
import type { SeenCertificate, TlsFacts } from '../../src/tls/tls-facts.ts'

/** What real servers say is in faults.test.ts; here is what they were not made to say, and how others spell it. */
const FACTS: TlsFacts = {
  ...{ address: 'b:9093', name: 'b', stage: 'handshake', hasClientCertificate: false, authorities: null },
  ...{ chain: [], receivedBytes: 2000, nowMs: Date.UTC(2026, 10, 21) },
}
const OURS = { hasClientCertificate: true }
const SILENT = { receivedBytes: 0 }

function said(code: string, more: Partial<TlsFacts> = {}, reason = 'some words'): KafkaError {
  return explainTls(Object.assign(new Error(reason), { code, reason }), { ...FACTS, ...more })
}

describe('explainTls', () => {
  it.each<[string, string, Partial<TlsFacts>, string, boolean]>([
    ['Java 11: no certificate', 'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', {}, 'CLIENT_CERTIFICATE_REQUIRED', false],
    ['Java: unknown CA', 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN', OURS, 'CLIENT_CERTIFICATE_REFUSED', false],
    ['OpenSSL 3.5: unknown CA', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', OURS, 'CLIENT_CERTIFICATE_REFUSED', false],
    ['expired, ours', 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', OURS, 'CLIENT_CERTIFICATE_REFUSED', false],
    ['revoked, ours', 'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_REVOKED', OURS, 'CLIENT_CERTIFICATE_REFUSED', false],
    ['TLS 1.3: none', 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', {}, 'CLIENT_CERTIFICATE_REQUIRED', false],
    ['TLS 1.3: ours not sent', 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', OURS, 'CLIENT_CERTIFICATE_REQUIRED', false],
    ['OpenSSL 3.5: TLS 1.2, none', 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', {}, 'CLIENT_CERTIFICATE_REQUIRED', false],
    ['OpenSSL 3.0: TLS 1.2, none', 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', {}, 'CLIENT_CERTIFICATE_REQUIRED', false],
    ['TLS 1.2, ours', 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', OURS, 'CLIENT_CERTIFICATE_REFUSED', false],
    ['nothing fits', 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', { receivedBytes: 7 }, 'TLS_FAILED', false],
    ['old versions', 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', {}, 'TLS_VERSION_REFUSED', false],
    ['old versions, said by us', 'ERR_SSL_UNSUPPORTED_PROTOCOL', {}, 'TLS_VERSION_REFUSED', false],
    ['plaintext', 'ERR_SSL_WRONG_VERSION_NUMBER', {}, 'PEER_NOT_TLS', false],
    ['plaintext, long', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', {}, 'PEER_NOT_TLS', false],
    ['noise, later', 'ERR_SSL_WRONG_VERSION_NUMBER', { stage: 'proven' }, 'TLS_FAILED', true],
    [
      'Kafka 2.8.2, TLS 1.3: none',
      'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC',
      { stage: 'unproven' },
      'CLIENT_CERTIFICATE_REQUIRED',
      true,
    ],
    ['noise in the handshake', 'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC', {}, 'TLS_FAILED', true],
    ['Kafka 1.1.1, TLS 1.2: ours', 'ERR_SSL_UNEXPECTED_MESSAGE', OURS, 'CLIENT_CERTIFICATE_REFUSED', true],
    ['noise on a proven connection', 'ERR_SSL_UNEXPECTED_MESSAGE', { stage: 'proven' }, 'TLS_FAILED', true],
    ['reset at the greeting', 'ECONNRESET', SILENT, 'PEER_NOT_TLS', true],
    ['reset in the handshake', 'ECONNRESET', {}, 'CONNECTION_CLOSED', true],
    ['reset in the handshake, ours', 'EPIPE', OURS, 'CLIENT_CERTIFICATE_REFUSED', true],
    ['reset before an answer', 'ECONNRESET', { stage: 'unproven' }, 'CONNECTION_CLOSED', true],
    ['reset before an answer, ours', 'ECONNRESET', { ...OURS, stage: 'unproven' }, 'CLIENT_CERTIFICATE_REFUSED', true],
    ['reset, later', 'ECONNRESET', { ...OURS, stage: 'proven' }, 'CONNECTION_CLOSED', true],
    ['revoked', 'CERT_REVOKED', {}, 'CERTIFICATE_REVOKED', false],
    ['bad signature', 'CERT_SIGNATURE_FAILURE', {}, 'CERTIFICATE_INVALID', false],
    ['chain of rubbish', 'INVALID_CA', {}, 'CERTIFICATE_INVALID', false],
    ['no issuer', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', {}, 'CERTIFICATE_UNTRUSTED', false],
    ['no issuer, older', 'UNABLE_TO_GET_ISSUER_CERT', {}, 'CERTIFICATE_UNTRUSTED', false],
    ['weak key, handshake', 'ERR_SSL_EE_KEY_TOO_SMALL', {}, 'CERTIFICATE_TOO_WEAK', false],
    ['old digest', 'ERR_SSL_CA_MD_TOO_WEAK', {}, 'CERTIFICATE_TOO_WEAK', false],
    ['expired, without a chain to show', 'CERT_HAS_EXPIRED', {}, 'CERTIFICATE_EXPIRED', false],
    ['anything else', 'ERR_SSL_BAD_EXTENSION', {}, 'TLS_FAILED', true],
    ['a timeout of the system', 'ETIMEDOUT', {}, 'TLS_FAILED', true],
  ])('%s: %s', (_, code, more, expected, retriable) => {
    const error = said(code, more)
    expect([error.code, error.retriable, error.maybeWritten]).toEqual([expected, retriable, false])
    expect(error.message.startsWith(`b:9093: ${expected}: `)).toBe(true)
    expect(error.message.length).toBeLessThan(400)
    expect(error.cause).toBeInstanceOf(Error)
    expect(error).toBeInstanceOf(/CERTIFICATE_/.test(expected) ? AuthenticationError : ConnectionError)
  })

  it('knows a weak key by words, where OpenSSL has no code for it', () => {
    expect(said('UNSPECIFIED', {}, 'EE certificate key too weak').code).toBe('CERTIFICATE_TOO_WEAK')
    expect(said('UNSPECIFIED', {}, 'CA signature digest algorithm too weak').code).toBe('CERTIFICATE_TOO_WEAK')
    expect(said('UNSPECIFIED', {}, 'something else').code).toBe('CERTIFICATE_INVALID')
  })

  it('names the certificate of the chain that has expired, not always the first', () => {
    const leaf = certificate('leaf', FACTS.nowMs + 1e9)
    const issuer = certificate('issuer', Date.UTC(2026, 10, 1))
    const { message } = said('CERT_HAS_EXPIRED', { chain: [leaf, issuer] })
    expect(message).toContain('"issuer", in the chain of the broker\'s, expired on 2026-11-01 (here it is 2026-11-21)')
  })

  it('lets no peer write on our terminal, or fill it', () => {
    const evil = `x\u001b[2J\n\u202e${'y'.repeat(5000)}`
    const chain = [{ ...certificate(evil, 0), names: `DNS:${evil}`, issuer: evil }]
    const codes = ['CERT_HAS_EXPIRED', 'HOSTNAME_MISMATCH', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN']
    for (const code of [...codes, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'INVALID_PURPOSE', 'COMMON_NAME_ONLY']) {
      const { message } = said(code, { chain })
      expect(message).toMatch(/^[^\p{Cc}\p{Cf}]+$/u)
      expect(message.length).toBeLessThan(700)
    }
  })
})

function certificate(subject: string, toMs: number): SeenCertificate {
  return { subject, issuer: 'issuer', names: '', fromMs: 0, toMs, isSelfSigned: false }
}
