import type { Mechanism } from '../sasl/mechanism.ts'
import type { TlsSource } from '../tls/tls-settings.ts'
import type { TlsWarnings } from '../tls/warnings.ts'

/** How connections are secured; the same for all of a producer. Left out: plaintext, and nobody is asked who they are. */
export interface Security {
  readonly tls?: TlsSource | null | undefined
  /** Hears what is worth a word of certificates. */
  readonly tlsWarnings?: TlsWarnings | undefined
  readonly mechanism?: Mechanism | null | undefined
  /** Secrets may travel without TLS to other places than this machine, too. */
  readonly allowPlaintextCredentials?: boolean | undefined
}
