import { brokerTexts } from './broker-list.ts'
import type { ReadSettings } from './read-settings.ts'

/** How to log in, with the settings of that mechanism; null: the mechanism is none that we know. */
export type UsedLogin =
  | {
      readonly kind: 'password'
      readonly mechanism: PasswordMechanism
      readonly username: string
      readonly password: string
    }
  | { readonly kind: 'aws'; readonly accessKeyId: string; readonly secretAccessKey: string; readonly role: string }
  | { readonly kind: 'certificate'; readonly cert: string; readonly key: string }

export type PasswordMechanism = 'plain' | 'scram-sha-256' | 'scram-sha-512'

/** `ca` is empty: the system's authorities. */
export interface UsedTls {
  readonly ca: string
  readonly isVerifying: boolean
}

/** What of the settings has an effect: fields that belong to another mechanism, or to TLS that is off, are not here. */
export interface UsedSettings {
  readonly clientId: string
  readonly brokers: readonly string[]
  readonly login: UsedLogin | null
  /** Null: TLS is off. */
  readonly tls: UsedTls | null
}

/**
 * Picks what has an effect; what is missing is empty text. Switches that are left out are on, as the form says. (Segment's
 * destination does not speak TLS then; the form always writes the switch, so only settings written by hand can tell.)
 */
export function usedSettings(settings: ReadSettings): UsedSettings {
  const { clientId = '', brokers = '', ssl_enabled = true, ssl_ca = '', ssl_reject_unauthorized_ca = true } = settings
  return {
    clientId,
    brokers: brokerTexts(brokers),
    login: usedLogin(settings),
    tls: ssl_enabled ? { ca: ssl_ca.trim(), isVerifying: ssl_reject_unauthorized_ca } : null,
  }
}

/** What is pasted has line ends around it. Only in a password they may be meant. */
function usedLogin(settings: ReadSettings): UsedLogin | null {
  const { mechanism, username = '', password = '' } = settings
  const { accessKeyId = '', secretAccessKey = '', authorizationIdentity = '', ssl_cert = '', ssl_key = '' } = settings
  switch (mechanism) {
    case 'plain':
    case 'scram-sha-256':
    case 'scram-sha-512':
      return { kind: 'password', mechanism, username, password }
    case 'aws':
      return {
        kind: 'aws',
        accessKeyId: accessKeyId.trim(),
        secretAccessKey: secretAccessKey.trim(),
        role: authorizationIdentity.trim(),
      }
    case 'client-cert-auth':
      return { kind: 'certificate', cert: ssl_cert.trim(), key: ssl_key.trim() }
    default:
      return null
  }
}
