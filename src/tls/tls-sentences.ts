import { isIP } from 'node:net'
import type { SeenCertificate, TlsFacts } from './tls-facts.ts'
import { dayOf } from './warnings.ts'

/**
 * What is wrong, and what to do about it, for somebody who reads it at night. Names in certificates are chosen by the peer:
 * they are cut and quoted.
 */
const MAX_NAME_CHARS = 100
const MAX_NAMES_CHARS = 300
/** No host of DNS is longer; a broker may advertise any text. */
export const MAX_HOST_CHARS = 255

export function expired(facts: TlsFacts): string {
  const bad = facts.chain.find(({ toMs }) => toMs < facts.nowMs) ?? facts.chain[0]
  if (bad === undefined) return "the broker's certificate has expired"
  return `${which(bad, facts)} expired on ${dayOf(bad.toMs)} (here it is ${dayOf(facts.nowMs)}): the broker needs a new one`
}

export function notYetValid(facts: TlsFacts): string {
  const bad = facts.chain.find(({ fromMs }) => fromMs > facts.nowMs) ?? facts.chain[0]
  if (bad === undefined) return "the broker's certificate is not valid yet"
  return `${which(bad, facts)} is valid only from ${dayOf(bad.fromMs)} (here it is ${dayOf(facts.nowMs)}): are the clocks right?`
}

export function wrongHost(facts: TlsFacts): string {
  const names = namesIn(facts.chain[0])
  const advice =
    isIP(facts.name) === 0
      ? 'dial one of these, let the broker advertise one, or say with tls.servername which one it is'
      : 'dial and advertise a name instead of an address, or say with tls.servername which name it is'
  return `the broker's certificate is not for ${cut(facts.name, MAX_HOST_CHARS)}, but for ${names}: ${advice}`
}

export function commonNameOnly(facts: TlsFacts): string {
  const common = facts.chain[0] === undefined ? '' : ` (${quoted(facts.chain[0].subject)})`
  return (
    `the broker's certificate names its host only as common name${common}, which no longer counts (RFC 9525): it needs ` +
    `${cut(facts.name, MAX_HOST_CHARS)} as subjectAltName; to take it as it is, set tls.checkServerIdentity to that of node:tls`
  )
}

export function refusedByCheck(_: TlsFacts, words: string): string {
  return `tls.checkServerIdentity refused the broker: ${cut(words.replace(/^REFUSED_BY_CHECK /, ''), MAX_NAMES_CHARS)}`
}

export function selfSigned(facts: TlsFacts): string {
  return `the broker's certificate${subjectOf(facts.chain[0])} is signed by itself and not in tls.ca: if it is the right one, set tls.ca to it`
}

export function untrusted(facts: TlsFacts): string {
  const top = facts.chain.at(-1)
  const authority = top === undefined ? 'an authority' : quoted(top.isSelfSigned ? top.subject : top.issuer)
  return `the broker's certificate goes back to ${authority}, which is not trusted: set tls.ca to the certificate of that authority (${trusted(facts)})`
}

export function chainIncomplete(facts: TlsFacts): string {
  const issuer = facts.chain[0] === undefined ? 'its issuer' : quoted(facts.chain[0].issuer)
  return (
    `the broker's certificate is signed by ${issuer}, whose certificate is neither in tls.ca nor sent by the broker: if that ` +
    `is an intermediate authority, the broker must send it, too; if it is your own authority, set tls.ca to it (${trusted(facts)})`
  )
}

export function purpose(facts: TlsFacts): string {
  return `the broker's certificate${subjectOf(facts.chain[0])} is not meant for servers: it needs serverAuth in its extended key usage`
}

export function revoked(facts: TlsFacts): string {
  return `the broker's certificate${subjectOf(facts.chain[0])} was revoked by its authority (tls.crl)`
}

export function tooWeak(_: TlsFacts, words: string): string {
  return `a certificate of the broker is too weak for OpenSSL (${reasonIn(words)}): it needs a longer key, or a newer digest`
}

export function invalid(_: TlsFacts, words: string): string {
  return `the broker's certificate cannot be trusted: ${reasonIn(words)}`
}

export function version(): string {
  return 'the broker and we have no version of TLS in common: TLS 1.2 is the least that is used here (tls.minVersion)'
}

export function certificateRequired(facts: TlsFacts): string {
  return facts.hasClientCertificate
    ? 'the broker asks for a client certificate, and took none of ours: are tls.cert and tls.key from an authority that it trusts?'
    : 'the broker asks for a client certificate: set tls.cert and tls.key'
}

export function certificateRefused(_: TlsFacts, words: string): string {
  const alert = /ALERT[_ ]([A-Z_]+)/.exec(words)?.[1]?.toLowerCase().replaceAll('_', ' ') ?? 'handshake failure'
  return `the broker refuses our client certificate, tls.cert (alert: ${alert}): is its authority in the broker's trust store, and is it valid?`
}

export function garbledAlert({ hasClientCertificate }: TlsFacts): string {
  const how = 'the broker broke off TLS with bytes that are none, as brokers before 3.0 do when'
  return hasClientCertificate
    ? `${how} they refuse a client certificate: is the authority of tls.cert in the broker's trust store, and is it valid?`
    : `${how} they miss one: it probably asks for a client certificate: set tls.cert and tls.key`
}

export function certificateProbablyRefused({ stage }: TlsFacts): string {
  const when = stage === 'handshake' ? 'in the TLS handshake' : 'after the TLS handshake, before its first answer'
  return `the broker closed the connection ${when}: our client certificate, tls.cert, is probably refused`
}

export function nothingInCommon(): string {
  return 'the broker refuses the TLS handshake: it has no cipher suite, group or signature in common with us (tls.ciphers, tls.minVersion)'
}

export function notTls(): string {
  return 'the port does not speak TLS: is this a plaintext listener? Leave out tls, or use the port of the TLS listener'
}

export function hungUpOnGreeting(): string {
  return `the connection was closed at the TLS greeting, without an answer: ${notTls()}`
}

export function closedInHandshake(): string {
  return 'the broker closed the connection in the TLS handshake: does it want a client certificate (tls.cert, tls.key)?'
}

export function closedBeforeAnswer(): string {
  return 'the broker closed the connection after the TLS handshake, before its first answer: does it want a client certificate (tls.cert, tls.key)?'
}

export function closed(): string {
  return 'the broker closed the connection'
}

export function failed(words: string): string {
  return `TLS failed: ${reasonIn(words)}`
}

export function handshakeTimeout(receivedBytes: number, timeoutMs: number): string {
  const silent = receivedBytes === 0 ? '; the peer has not said anything: is this a plaintext listener?' : ''
  return `no TLS handshake within connectTimeoutMs (${timeoutMs} ms)${silent}`
}

function which(certificate: SeenCertificate, { chain }: TlsFacts): string {
  if (certificate === chain[0]) return `the broker's certificate (${quoted(certificate.subject)})`
  return `the certificate of ${quoted(certificate.subject)}, in the chain of the broker's,`
}

function subjectOf(certificate: SeenCertificate | undefined): string {
  return certificate === undefined ? '' : ` (${quoted(certificate.subject)})`
}

function trusted({ authorities }: TlsFacts): string {
  return authorities === null ? 'it is not set' : `it has ${authorities.map(quoted).join(', ')}`
}

function namesIn(certificate: SeenCertificate | undefined): string {
  const names = certificate?.names.replaceAll(/(DNS|IP Address):/g, '') ?? ''
  return names === '' ? 'another host' : cut(names, MAX_NAMES_CHARS)
}

/** `UNSPECIFIED EE CERTIFICATE KEY TOO WEAK`: the code says nothing, the rest does. */
function reasonIn(words: string): string {
  return cut(words.replace(/^[A-Z0-9_/]+ (?=.)/, '').toLowerCase(), MAX_NAME_CHARS)
}

function quoted(name: string): string {
  return `"${cut(name, MAX_NAME_CHARS)}"`
}

/** On one line, without control characters. */
export function cut(text: string, maxChars: number): string {
  const plain = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?')
  return plain.length > maxChars ? `${plain.slice(0, maxChars)}...` : plain
}
