import { AuthenticationError, Producer } from '../index.ts'
import { systemClock, type DestinationClock } from './destination-clock.ts'
import { DestinationError } from './destination-error.ts'
import type { KafkaDestinationOptions } from './destination-options.ts'
import { producerSettings } from './producer-settings.ts'

/** It says something within this, whatever the brokers do. Milliseconds. */
const TEST_TIMEOUT_MS = 15_000

type GivenOptions = Pick<KafkaDestinationOptions, 'settings' | 'producer' | 'logger'>

/**
 * Whether settings lead into a cluster: connects, logs in and asks for the topics, as a destination would, on connections of
 * its own. Resolves if so; broken settings are told without connecting.
 *
 * @throws {DestinationError} `CREDENTIALS_INVALID`, in Segment's words and with the reason; `status` 503 where trying again
 * may help; `cause` is the error of headrace.
 */
export function testAuthentication(given: GivenOptions): Promise<void>
/** @internal Tests own the time. */
export function testAuthentication(given: GivenOptions & Pick<KafkaDestinationOptions, 'clock'>): Promise<void>
export async function testAuthentication(given: GivenOptions & Pick<KafkaDestinationOptions, 'clock'>): Promise<void> {
  const controller = new AbortController()
  const { clock = systemClock } = given
  const timer = clock.after(TEST_TIMEOUT_MS, () => controller.abort(new Error(`no answer in ${TEST_TIMEOUT_MS} ms`)))
  try {
    await getIn(given, controller.signal, clock)
  } catch (cause) {
    throw refused(cause, controller.signal)
  } finally {
    timer.cancel()
  }
}

async function getIn(
  given: Pick<KafkaDestinationOptions, 'settings' | 'producer' | 'logger'>,
  signal: AbortSignal,
  clock: DestinationClock,
): Promise<void> {
  const producer = new Producer(producerSettings(given).options)
  try {
    await producer.connect({ signal })
    await Promise.race([producer.topics(), rejection(signal)])
  } finally {
    // Topics that are still asked for fail by that, and are told to nobody.
    await producer.close({ timeoutMs: 0 }).catch(() => clock.now())
  }
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(signal.reason as Error)
    if (signal.aborted) fail()
    else signal.addEventListener('abort', fail, { once: true })
  })
}

/** Two spaces: Segment has the status of an HTTP answer between them, and there never is one. */
function refused(cause: unknown, signal: AbortSignal): DestinationError {
  const reason: unknown = signal.aborted ? signal.reason : cause
  const message = reason instanceof Error ? reason.message : String(reason)
  return new DestinationError('CREDENTIALS_INVALID', `Credentials are invalid:  ${message}`, {
    cause,
    status: statusOf(cause, signal),
  })
}

function statusOf(cause: unknown, signal: AbortSignal): 400 | 401 | 503 {
  const isRetriable = (cause as { retriable?: unknown } | null)?.retriable === true
  if (signal.aborted || isRetriable) return 503
  return cause instanceof AuthenticationError ? 401 : 400
}
