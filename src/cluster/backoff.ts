/** Kafka's RETRY_BACKOFF_EXP_BASE and RETRY_BACKOFF_JITTER (CommonClientConfigs; KIP-580). */
const BASE = 2
const JITTER = 0.2

/**
 * How long to wait before attempt `failures + 1`, milliseconds: `initialMs` doubled per failure, at most `maxMs`, give or
 * take a fifth so that clients which failed together do not come back together.
 *
 * @param failures how often it failed in a row, 1 or more.
 * @param random a number in [0, 1).
 */
export function backoffMs(failures: number, initialMs: number, maxMs: number, random: number): number {
  const exponent = Math.min(Math.max(failures - 1, 0), 30)
  const plain = Math.min(initialMs * BASE ** exponent, maxMs)
  return plain * (1 - JITTER + 2 * JITTER * random)
}
