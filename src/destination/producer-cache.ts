import { KafkaError, type Producer } from '../index.ts'
import type { DestinationClock } from './destination-clock.ts'
import { isWayInClosed } from './write-batch.ts'

export type CacheEvent = 'opened' | 'reused' | 'closed' | 'disconnect_error'

/** How a destination uses the cache. */
export interface CacheUser {
  /** Equal for producers that may be shared. */
  readonly key: string
  readonly create: () => Producer
  /** How long the producer is kept unused, milliseconds. */
  readonly idleMs: number
  readonly clock: DestinationClock
  readonly onEvent: (event: CacheEvent) => void
}

interface Entry {
  readonly producer: Producer
  /** Destinations that used it and are not closed. */
  readonly users: Set<CacheUser>
  /** Calls that use it now. */
  uses: number
  timer: { cancel(): void } | null
  isEvicted: boolean
}

/** Producers by settings: one for all that have the same, closed when nobody has used it for a while. */
export class ProducerCache {
  readonly #entries = new Map<string, Entry>()

  get size(): number {
    return this.#entries.size
  }

  /**
   * Runs `work` with the producer of this user, which stays open meanwhile.
   *
   * @throws {OptionError} the producer cannot be made; what `work` throws.
   */
  async use<T>(user: CacheUser, work: (producer: Producer) => Promise<T>): Promise<T> {
    const entry = this.#entryFor(user)
    entry.uses++
    entry.timer?.cancel()
    entry.timer = null
    try {
      return await work(entry.producer)
    } catch (error) {
      if (isBroken(error)) this.#evict(user.key, entry)
      throw error
    } finally {
      entry.uses--
      await this.#afterUse(user, entry)
    }
  }

  /** The producer of this user is not to be used again: the next call makes another one. Calls that use it go on. */
  evict(user: CacheUser, producer: Producer): void {
    const entry = this.#entries.get(user.key)
    if (entry?.producer === producer) this.#evict(user.key, entry)
  }

  /** The user is gone; a producer that was only its own is closed. */
  async release(user: CacheUser): Promise<void> {
    const entry = this.#entries.get(user.key)
    if (entry === undefined || !entry.users.delete(user) || entry.users.size > 0) return
    this.#evict(user.key, entry)
    if (entry.uses === 0) await this.#close(user, entry)
  }

  #entryFor(user: CacheUser): Entry {
    const known = this.#entries.get(user.key)
    if (known !== undefined) {
      known.users.add(user)
      user.onEvent('reused')
      return known
    }
    const entry = { producer: user.create(), users: new Set([user]), uses: 0, timer: null, isEvicted: false }
    this.#entries.set(user.key, entry)
    user.onEvent('opened')
    return entry
  }

  #evict(key: string, entry: Entry): void {
    entry.isEvicted = true
    entry.timer?.cancel()
    entry.timer = null
    if (this.#entries.get(key) === entry) this.#entries.delete(key)
  }

  async #afterUse(user: CacheUser, entry: Entry): Promise<void> {
    if (entry.uses > 0) return
    if (entry.isEvicted) {
      await this.#close(user, entry)
      return
    }
    entry.timer = user.clock.after(
      user.idleMs,
      () => {
        this.#evict(user.key, entry)
        void this.#close(user, entry)
      },
      false,
    )
  }

  /** Everything that was sent with it has settled: nothing is waited for. */
  async #close(user: CacheUser, { producer }: Entry): Promise<void> {
    try {
      await producer.close({ timeoutMs: 0 })
      user.onEvent('closed')
    } catch {
      user.onEvent('disconnect_error')
    }
  }
}

/** Of the whole process. */
export const sharedProducers = new ProducerCache()

/** A producer with which nothing can be sent any more, or that did not get in: another one may. */
export function isBroken(error: unknown): boolean {
  if (!(error instanceof KafkaError)) return false
  return isWayInClosed(error) || error.fatal || error.code === 'CLOSED' || error.code === 'METADATA_TIMEOUT'
}
