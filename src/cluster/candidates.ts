import type { Clock } from '../clock.ts'
import type { BrokerAddress } from '../connection/broker-address.ts'
import type { Link } from './link.ts'
import type { Links } from './links.ts'

/**
 * Brokers in the order in which they are worth asking: connected ones, the least busy first; known ones; connected ones
 * that want to be left alone for a while (KIP-219); and where we began (KIP-899).
 *
 * @param whereToBegin asked only when all others were tried; null: only brokers that are known.
 */
export async function* candidates(
  links: Links,
  clock: Clock,
  whereToBegin: (() => Promise<readonly BrokerAddress[]>) | null,
): AsyncGenerator<Link> {
  const { known } = links
  const ready = known.filter((link) => link.ready !== null)
  ready.sort((a, b) => (a.ready?.inFlightCount ?? 0) - (b.ready?.inFlightCount ?? 0))
  yield* ready.filter((link) => !isThrottled(link))
  const others = shuffled(
    known.filter((link) => link.ready === null),
    clock,
  )
  others.sort((a, b) => waitMs(a, clock) - waitMs(b, clock))
  yield* others
  yield* ready.filter(isThrottled)
  if (whereToBegin === null) return
  for (const address of shuffled(await whereToBegin(), clock)) yield links.seed(address)
}

function isThrottled({ ready }: Link): boolean {
  return ready !== null && ready.throttledUntilMs > -Infinity
}

/** How long until it may be dialled. */
function waitMs({ retryAtMs }: Link, clock: Clock): number {
  return Math.max(retryAtMs - clock.now(), 0)
}

/** Fisher-Yates, on a copy: clients that start together should not all begin at the same broker. */
function shuffled<T>(list: readonly T[], clock: Clock): T[] {
  const copy = [...list]
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(clock.random() * (i + 1))
    const swap = copy[i] as T
    copy[i] = copy[j] as T
    copy[j] = swap
  }
  return copy
}
