import { parseBrokerList } from './broker-list.ts'
import { checkLogin } from './check-login.ts'
import { checkMaterial } from './check-material.ts'
import { problem, SettingsError, type SettingsProblem } from './problem.ts'
import { readSettings, type ReadSettings } from './read-settings.ts'
import { usedSettings, type UsedSettings } from './used-settings.ts'

/**
 * Everything that is wrong with settings, in Segment's words and order where Segment has some; an empty list: nothing that
 * can be seen without a broker. Connects to nothing and never throws.
 */
export function validateSettings(settings: unknown): SettingsProblem[] {
  return check(settings).problems
}

/**
 * The settings that have an effect.
 *
 * @throws {SettingsError} with everything that is wrong.
 */
export function checkedSettings(settings: unknown): UsedSettings {
  const { problems, used } = check(settings)
  if (problems.length > 0) throw new SettingsError(problems)
  return used
}

function check(given: unknown): { readonly problems: SettingsProblem[]; readonly used: UsedSettings } {
  const { settings, problems } = readSettings(given)
  const used = usedSettings(settings)
  return { used, problems: [...problems, ...checkLogin(used), ...checkBrokers(settings), ...checkMaterial(used)] }
}

/** That they are missing is said already. */
function checkBrokers({ brokers }: ReadSettings): SettingsProblem[] {
  if (brokers === undefined) return []
  const items = parseBrokerList(brokers)
  if (!('detail' in items)) return []
  return [problem('BROKER_FORMAT_INVALID', 'brokers', 'Brokers must be in the format host:port', items.detail)]
}
