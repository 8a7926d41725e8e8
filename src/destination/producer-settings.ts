import type { Logger, ProducerOptions } from '../index.ts'
import type { KafkaDestinationOptions } from './destination-options.ts'
import { tell } from './log-failures.ts'
import { optionsKey } from './options-key.ts'
import { toProducerOptions } from './settings/producer-options.ts'
import type { OnSettingsWarning } from './settings/settings-warning.ts'
import { settingsKey } from './settings/settings-key.ts'

/** How long an event may wait to learn its topic's partitions; an unknown topic has failed then. Milliseconds. */
const MAX_BLOCK_MS = 9000
/** A host tries again by itself, for hours: an event need not be held for longer. */
const DELIVERY_TIMEOUT_MS = 30_000
/** So that what `batch_bytes` keeps together stays together; its default. */
const BATCH_BYTES = 1_000_000

export interface ProducerSettings {
  readonly options: ProducerOptions
  /** Equal where a producer may be shared. No secret is in it. */
  readonly key: string
}

/**
 * The options of the producer of a destination.
 *
 * @throws {SettingsError} with everything that is wrong with the settings.
 */
export function producerSettings(
  given: Pick<KafkaDestinationOptions, 'settings' | 'producer' | 'compression' | 'logger'>,
): ProducerSettings {
  const { settings, producer = {}, compression, logger } = given
  const fromSettings = toProducerOptions(settings, logger === undefined ? undefined : listenerFor(logger))
  const limits = { maxBlockMs: MAX_BLOCK_MS, deliveryTimeoutMs: DELIVERY_TIMEOUT_MS, batchBytes: BATCH_BYTES }
  const own = { ...(compression === undefined ? {} : { compression }), ...producer }
  return {
    options: { ...fromSettings, ...limits, ...(logger === undefined ? {} : { logger }), ...own },
    key: `${settingsKey(settings)}?${optionsKey(own)}`,
  }
}

/** One for each logger: what was said to a listener is not said to it again. */
const listeners = new WeakMap<Logger, OnSettingsWarning>()

function listenerFor(logger: Logger): OnSettingsWarning {
  const listener = listeners.get(logger) ?? (({ code, message }) => tell(logger, 'warn', { code }, message))
  listeners.set(logger, listener)
  return listener
}
