import type { ProducerOptions, SaslOptions, TlsOptions } from '../../index.ts'
import { regionOfBrokers } from './check-login.ts'
import { settingsKey } from './settings-key.ts'
import { plaintextWarning, warnOnce, type OnSettingsWarning } from './settings-warning.ts'
import { unshown } from './unshown.ts'
import type { UsedLogin, UsedSettings } from './used-settings.ts'
import { checkedSettings } from './validate-settings.ts'

/** As with Segment's destination; milliseconds. */
const REQUEST_TIMEOUT_MS = 10_000

/**
 * The options of a `Producer` for these settings. Records without a key take turns, as they do with Segment's; what is
 * acknowledged by all in-sync replicas counts. Secrets in it are not printed by accident.
 *
 * @param onWarning hears, once for the same settings, that they make things readable on the way.
 * @throws {SettingsError} with everything that is wrong.
 */
export function toProducerOptions(settings: unknown, onWarning?: OnSettingsWarning): ProducerOptions {
  const used = checkedSettings(settings)
  if (onWarning !== undefined) warnOnce(plaintextWarning(used), settingsKey(settings), onWarning)
  const { clientId, brokers, tls } = used
  const sasl = saslOptions(used)
  return {
    ...{ clientId, brokers, requestTimeoutMs: REQUEST_TIMEOUT_MS, partitioner: 'round-robin' },
    ...(tls === null ? {} : { tls: tlsOptions(tls, used.login) }),
    ...(sasl === null ? {} : { sasl: unshown(sasl) }),
    // Whoever switches TLS off has decided: the credentials have to travel, too.
    ...(tls === null && sasl !== null ? { allowPlaintextCredentials: true } : {}),
  }
}

function tlsOptions({ ca, isVerifying }: NonNullable<UsedSettings['tls']>, login: UsedLogin | null): TlsOptions {
  const own = login?.kind === 'certificate' ? { cert: login.cert, key: login.key } : {}
  return unshown({ ...(ca === '' ? {} : { ca }), ...own, rejectUnauthorized: isVerifying })
}

function saslOptions({ login, brokers }: UsedSettings): SaslOptions | null {
  if (login?.kind === 'password') {
    const { mechanism, username, password } = login
    return { mechanism, username, password }
  }
  if (login?.kind !== 'aws') return null
  const { accessKeyId, secretAccessKey, role } = login
  const found = regionOfBrokers(brokers)
  return {
    ...{ mechanism: 'aws-msk-iam', credentials: { accessKeyId, secretAccessKey } },
    ...('region' in found ? { region: found.region } : {}),
    ...(role === '' ? {} : { roleArn: role }),
  }
}
