import type { Transport } from '../connection/transport.ts'
import type { SeenCertificate } from '../tls/tls-facts.ts'
import { dayOf, type TlsWarning } from '../tls/warnings.ts'
import { brokerText } from '../sasl/broker-text.ts'
import { counted, quoted } from './words.ts'

const DAY_MS = 86_400_000
/** As for our own certificates (tls/warnings.ts). */
const NEAR_MS = 30 * DAY_MS

/** What the broker has shown, and what of it needs somebody's care soon. */
export interface CertificateReport {
  readonly message: string
  /** Of the first warning. */
  readonly warning?: string
}

/**
 * `TLSv1.3; the broker's certificate "localhost" is for localhost, 127.0.0.1, expires on 2027-01-31 (in 71 days), and is
 * signed by "Example CA" (until 2030-01-31)`
 *
 * @param ours warnings about our own side.
 */
export function certificateReport(
  { tlsVersion, chain }: Pick<Transport, 'tlsVersion' | 'chain'>,
  ours: readonly TlsWarning[],
  nowMs: number,
): CertificateReport {
  const [leaf] = chain
  const about = leaf === undefined ? 'the broker has shown no certificate' : describe(leaf, chain.slice(1), nowMs)
  // A root is ours, in tls.ca, and warned of there.
  const shown = chain.filter(({ isSelfSigned }, i) => i === 0 || !isSelfSigned)
  const endings = shown.flatMap((certificate) => endingOf(certificate, nowMs))
  const warnings = [...endings, ...ours]
  const news = warnings.map(({ message }) => ` Warning: ${message}.`).join('')
  const [first] = warnings
  const message = `${tlsVersion ?? 'TLS'}; ${about}${news === '' ? '' : `.${news}`}`
  return { message, ...(first === undefined ? {} : { warning: first.code }) }
}

function describe(leaf: SeenCertificate, above: readonly SeenCertificate[], nowMs: number): string {
  const names = brokerText(leaf.names.replaceAll(/(DNS|IP Address):/g, ''))
  const good = `is for ${names === '' ? 'no host' : names}`
  const end = `expires on ${dayOf(leaf.toMs)} (${fromNow(leaf.toMs, nowMs)})`
  const signers = above.map((one) => `${quoted(one.subject)} (until ${dayOf(one.toMs)})`)
  const last = chainEnd(above.at(-1) ?? leaf)
  return `the broker's certificate ${quoted(leaf.subject)} ${good}, ${end}, and is signed by ${[...signers, ...last].join(', that by ')}`
}

/** Who is at the end of a chain that does not end in a root. */
function chainEnd(top: SeenCertificate): string[] {
  return top.isSelfSigned ? [] : [quoted(top.issuer)]
}

function endingOf({ subject, toMs }: SeenCertificate, nowMs: number): Pick<TlsWarning, 'code' | 'message'>[] {
  if (toMs - nowMs > NEAR_MS) return []
  const what = `the certificate of ${quoted(subject)}`
  if (toMs <= nowMs) return [{ code: 'CERTIFICATE_EXPIRED', message: `${what} expired on ${dayOf(toMs)}` }]
  return [{ code: 'CERTIFICATE_EXPIRES', message: `${what} expires ${fromNow(toMs, nowMs)}` }]
}

function fromNow(atMs: number, nowMs: number): string {
  if (atMs <= nowMs) return 'in the past'
  const days = Math.floor((atMs - nowMs) / DAY_MS)
  return days < 1 ? 'within a day' : `in ${counted(days, 'day')}`
}
