import type { Clock } from '../clock.ts'

/** What two round trips of a login and a slow event loop may need before a session ends. */
const RESERVE_MS = 1000

/**
 * Apache Kafka takes a second login on a connection for a mistake if it begins within a second of the one before
 * (KafkaChannel, MIN_REAUTH_INTERVAL_ONE_SECOND_NANOS).
 */
export const MIN_REAUTHENTICATION_INTERVAL_MS = 1000

export interface Session {
  /** `sessionLifetimeMs` of the last SaslAuthenticate; 0: it does not end. */
  readonly sessionLifetimeMs: bigint | number
  /** How long that login took, from its first byte to its last. */
  readonly authenticationMs: number
}

/**
 * When to authenticate again on the same connection (KIP-368): milliseconds after the last SaslAuthenticate was *sent*, on
 * the monotonic clock; `Infinity`: never. At a random point in 85 to 95 % of the session, so that connections made together
 * do not come back together, and early enough for a slow login, unless the session is too short for both.
 *
 * Source: SaslClientAuthenticator of Apache Kafka.
 */
export function reauthenticateAfterMs(
  { sessionLifetimeMs, authenticationMs }: Session,
  clock: Pick<Clock, 'random'>,
): number {
  const lifetimeMs = Number(sessionLifetimeMs)
  if (!(lifetimeMs > 0)) return Infinity
  const drawnMs = lifetimeMs * (0.85 + 0.1 * clock.random())
  const latestMs = lifetimeMs - 2 * authenticationMs - RESERVE_MS
  return latestMs > MIN_REAUTHENTICATION_INTERVAL_MS ? Math.min(drawnMs, latestMs) : drawnMs
}

/** When to get a new token: at 75 to 85 % of what it lives, that is before any session that ends with it is renewed. */
export function renewTokenAfterMs(lifetimeMs: number, random: number): number {
  return lifetimeMs * (0.75 + 0.1 * random)
}

/** When to assume the role again: 5 minutes before the end, as AWS's own client does; or halfway, if that is later. */
export function renewRoleAfterMs(lifetimeMs: number): number {
  return Math.max(lifetimeMs - 5 * 60_000, lifetimeMs / 2)
}
