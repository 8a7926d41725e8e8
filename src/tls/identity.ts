import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import { domainToASCII } from 'node:url'

/** The user's own check: what it returns is why the broker is refused. */
export type IdentityCheck = (host: string, certificate: PeerCertificate) => Error | undefined

/** Which name leaves in the greeting, and which one the certificate must carry. */
export interface ExpectedName {
  /** Server name indication; absent: none leaves. RFC 6066, section 3: never an address. */
  readonly servername?: string
  readonly name: string
}

/**
 * From the host that the broker advertises, or the name that the user says it has.
 *
 * @param override the user's `servername`; empty: send none, check the advertised host.
 */
export function expectedName(host: string, override: string | undefined): ExpectedName {
  const wanted = override === undefined || override === '' ? host : override
  const name = plainName(wanted)
  return isIP(name) !== 0 || override === '' ? { name } : { servername: name, name }
}

/** Without the zone of a link-local address, the dot at the end, and letters that certificates cannot carry. */
function plainName(host: string): string {
  if (isIP(host) !== 0) return host.replace(/%.*$/, '')
  const ascii = /^[\x21-\x7e]+$/.test(host) ? host : domainToASCII(host)
  return (ascii === '' ? host : ascii).replace(/\.$/, '')
}

/** Says why a certificate is not that of `name`; the codes are told apart by `tls-errors.ts`. */
export class IdentityError extends Error {
  readonly code: 'COMMON_NAME_ONLY' | 'HOST_NOT_IN_CERTIFICATE' | 'REFUSED_BY_CHECK'
  constructor(code: IdentityError['code'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

const NOBODY = { C: '', ST: '', L: '', O: '', OU: '', CN: '' }

/**
 * Node's rules (RFC 9525), without its way back to the common name, which nobody else checks alike any more.
 * `own`, if given, decides instead.
 */
export function checkIdentity(name: string, certificate: PeerCertificate, own?: IdentityCheck): Error | undefined {
  if (own !== undefined) return checkByUser(name, certificate, own)
  const hasNames = typeof certificate.subjectaltname === 'string' && certificate.subjectaltname !== ''
  if (!hasNames) return new IdentityError('COMMON_NAME_ONLY', 'no subjectAltName')
  // Node goes back to the common name where the subjectAltName has addresses only: it does not see one.
  const refusal = checkServerIdentity(name, { ...certificate, subject: NOBODY })
  return refusal === undefined ? undefined : new IdentityError('HOST_NOT_IN_CERTIFICATE', 'another host')
}

/** What a check throws inside an event of Node would end the process; a promise would count as a refusal without words. */
function checkByUser(name: string, certificate: PeerCertificate, own: IdentityCheck): Error | undefined {
  let answer: unknown
  try {
    answer = own(name, certificate)
  } catch (error) {
    return new IdentityError('REFUSED_BY_CHECK', error instanceof Error ? error.message : 'it threw', error)
  }
  if (answer === undefined) return undefined
  if (answer instanceof Error) return new IdentityError('REFUSED_BY_CHECK', answer.message, answer)
  if (answer instanceof Promise) void answer.catch(() => undefined) // it is refused anyway
  return new IdentityError('REFUSED_BY_CHECK', 'it must return an Error, or undefined, at once')
}
