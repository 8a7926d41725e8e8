/**
 * Quotas (KIP-219): a broker answers at once, says for how long it will not read, and expects us not to send meanwhile.
 *
 * Source: `shouldClientThrottle` of Kafka's response classes, 4.3.1, called for every API and version. In older versions
 * the broker has waited already before it answered.
 */
import type { Clock } from '../clock.ts'
import type { Api } from '../protocol/schema.ts'

/** Longest wait that a broker is granted; whatever it asks for beyond that is a mistake of somebody's. */
export const MAX_THROTTLE_MS = 60_000

const FIRST_THROTTLING_VERSION: Readonly<Record<string, number>> = {
  Produce: 6,
  Metadata: 6,
  FindCoordinator: 2,
  ApiVersions: 2,
  CreateTopics: 3,
  InitProducerId: 1,
  AddPartitionsToTxn: 1,
  AddOffsetsToTxn: 1,
  EndTxn: 1,
  TxnOffsetCommit: 1,
  DescribeConfigs: 2,
}

/** Whether it is up to the client to wait for the `throttleTimeMs` of an answer. */
export function shouldClientThrottle(api: Pick<Api, 'name'>, version: number): boolean {
  return version >= (FIRST_THROTTLING_VERSION[api.name] ?? Infinity)
}

/** For how long a broker wants to be left alone; overlapping wishes do not add up, the one that ends last counts. */
export class Throttle {
  readonly #clock: Clock
  #untilMs = -Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** When the broker reads again, by the clock; `-Infinity`: it does now. */
  get untilMs(): number {
    if (this.#untilMs === -Infinity) return -Infinity
    if (this.#untilMs <= this.#clock.now()) this.#untilMs = -Infinity
    return this.#untilMs
  }

  /** How long that is from now, whole milliseconds; undefined: it reads now. */
  get leftMs(): number | undefined {
    const { untilMs } = this
    return untilMs === -Infinity ? undefined : Math.ceil(untilMs - this.#clock.now())
  }

  /** @returns what is granted of it, milliseconds; 0: nothing was asked for. */
  ask(api: Api, version: number, response: unknown): number {
    const { throttleTimeMs } = response as { throttleTimeMs?: number }
    if (throttleTimeMs === undefined || throttleTimeMs <= 0 || !shouldClientThrottle(api, version)) return 0
    const grantedMs = Math.min(throttleTimeMs, MAX_THROTTLE_MS)
    this.#untilMs = Math.max(this.#untilMs, this.#clock.now() + grantedMs)
    return grantedMs
  }
}
