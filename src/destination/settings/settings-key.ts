import { createHmac, randomBytes } from 'node:crypto'
import { readSettings } from './read-settings.ts'
import { usedSettings } from './used-settings.ts'

/** New in every process: a key that gets into a log cannot be tried against a list of passwords later. */
const hmacKey = randomBytes(32)

/**
 * Tells settings apart, as the key of a cache: equal for settings with the same effect, whatever their order, the fields of
 * other mechanisms and the order of the brokers. Nothing can be learned from it, and it means nothing in another process.
 * Never throws; settings that are wrong have a key, too.
 */
export function settingsKey(settings: unknown): string {
  const used = usedSettings(readSettings(settings).settings)
  // The object is always built in the same order, so that its text is the same.
  const text = JSON.stringify({ ...used, brokers: [...new Set(used.brokers)].sort() })
  return createHmac('sha256', hmacKey).update(text).digest('base64url')
}
