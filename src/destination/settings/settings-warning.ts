import { labelOf } from './fields.ts'
import type { UsedSettings } from './used-settings.ts'

/** What a user should know although it works. */
export interface SettingsWarning {
  readonly code: 'PLAINTEXT'
  readonly message: string
}

export type OnSettingsWarning = (warning: SettingsWarning) => void

/** What was said to whom, by key of the settings. A listener that is gone takes its entry along. */
const said = new WeakMap<OnSettingsWarning, Set<string>>()

/** Tells a listener once for the same settings. */
export function warnOnce(warning: SettingsWarning | null, key: string, listener: OnSettingsWarning): void {
  if (warning === null) return
  const keys = said.get(listener) ?? new Set<string>()
  said.set(listener, keys)
  if (keys.has(key)) return
  keys.add(key)
  listener(warning)
}

/** Null: nothing to say. */
export function plaintextWarning({ tls, login }: UsedSettings): SettingsWarning | null {
  if (tls !== null || login?.kind !== 'password') return null
  const what = login.mechanism === 'plain' ? 'the password and every event' : 'every event'
  const guess = login.mechanism === 'plain' ? '' : ', and passwords can be tried against the login'
  const message = `${labelOf('ssl_enabled')} is off: whoever is on the way can read ${what}${guess}.`
  return { code: 'PLAINTEXT', message }
}
