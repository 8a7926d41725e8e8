import type { Clock, Timer } from '../clock.ts'
import { backoffMs } from '../cluster/backoff.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { MetadataResponse } from '../cluster/metadata.ts'
import { KafkaError } from '../errors.ts'
import { metadata as metadataApi } from '../protocol/messages/metadata.ts'
import { asKafkaError } from './arguments.ts'
import { metadataTimeout } from './endings.ts'
import type { AskMetadata } from './topic-info.ts'

export interface AskUntilOptions {
  readonly clock: Clock
  readonly maxBlockMs: number
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
  readonly isClosed: () => boolean
}

/** Asks until a broker answers, as long as that may help, at most `maxBlockMs`. @throws {KafkaError} the latest failure. */
export async function askUntil(
  cluster: Cluster,
  question: Parameters<AskMetadata>[0],
  { clock, maxBlockMs, retryBackoffMs, retryBackoffMaxMs, isClosed }: AskUntilOptions,
): Promise<MetadataResponse> {
  const deadlineMs = clock.now() + maxBlockMs
  for (let failures = 1; ; failures++) {
    const asked = cluster.ask(metadataApi, question).catch((error: unknown) => asKafkaError(error))
    const answer = await within(clock, deadlineMs - clock.now(), asked)
    if (answer === 'late') throw metadataTimeout(maxBlockMs)
    if (!(answer instanceof KafkaError)) return answer
    const waitMs = backoffMs(failures, retryBackoffMs, retryBackoffMaxMs, clock.random())
    const isFinal = !answer.retriable || isClosed()
    if (isFinal || clock.now() + waitMs > deadlineMs) throw answer
    await new Promise<void>((resolve) => clock.after(waitMs, resolve))
  }
}

/** Work that is waited for so long; it goes on all the same. */
export function within<T>(clock: Clock, timeoutMs: number | undefined, work: Promise<T>): Promise<T | 'late'> {
  if (timeoutMs === undefined) return work
  return new Promise((resolve) => {
    const timer: Timer = clock.after(timeoutMs, () => resolve('late'))
    void work.then((value) => {
      timer.cancel()
      resolve(value)
    })
  })
}
