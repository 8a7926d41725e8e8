import type { X509Certificate } from 'node:crypto'

/** What a user should know although it works. `key` is the same for the same news. */
export interface TlsWarning {
  readonly code: 'BROKERS_NOT_VERIFIED' | 'CERTIFICATE_EXPIRES' | 'CERTIFICATE_EXPIRED'
  readonly message: string
  readonly key: string
}

const DAY_MS = 86_400_000
/** It is said again at each of these. */
const WARN_DAYS = [1, 7, 30]

export const NOT_VERIFIED: TlsWarning = {
  code: 'BROKERS_NOT_VERIFIED',
  key: 'not verified',
  message:
    'tls.rejectUnauthorized is false: whoever answers is taken for the broker, and gets passwords and records; ' +
    'set tls.ca to the certificate of your authority instead',
}

/** At 30 days, 7 and 1, and when it is over. */
export function expiryWarning(field: string, certificate: X509Certificate, nowMs: number): TlsWarning | null {
  const endMs = Date.parse(certificate.validTo)
  const key = `${field} ${certificate.fingerprint256}`
  const what = `tls.${field}: the certificate of ${JSON.stringify(nameIn(certificate.subject))}`
  const on = dayOf(endMs)
  if (endMs <= nowMs) return { code: 'CERTIFICATE_EXPIRED', key, message: `${what} expired on ${on}` }
  const days = WARN_DAYS.find((limit) => endMs - nowMs <= limit * DAY_MS)
  if (days === undefined) return null
  const left = Math.floor((endMs - nowMs) / DAY_MS)
  const when = left < 1 ? 'within a day' : `in ${left} ${left === 1 ? 'day' : 'days'}`
  return { code: 'CERTIFICATE_EXPIRES', key: `${key} ${days}`, message: `${what} expires ${when}, on ${on}` }
}

/** The common name of a subject as node:crypto writes it, a line for each part; all of it, if it has none. */
export function nameIn(subject: string): string {
  const lines = subject.split('\n')
  return lines.findLast((line) => line.startsWith('CN='))?.slice(3) ?? lines.join(', ')
}

export function dayOf(ms: number): string {
  return Number.isNaN(ms) ? 'a day that cannot be read' : new Date(ms).toISOString().slice(0, 10)
}

/** Of the whole process, not of a producer: a program with a hundred producers does one thing wrong, not a hundred. */
const saidInProcess = new Set<string>()

/** Says each thing once; that brokers are not verified, once per process. */
export class TlsWarnings {
  readonly #said = new Set<string>()
  readonly #say: (warning: TlsWarning) => void

  constructor(say: (warning: TlsWarning) => void) {
    this.#say = say
  }

  tell(warnings: readonly TlsWarning[]): void {
    for (const warning of warnings) {
      const said = warning.code === 'BROKERS_NOT_VERIFIED' ? saidInProcess : this.#said
      if (said.has(warning.key)) continue
      said.add(warning.key)
      this.#say(warning)
    }
  }
}
