import { DeliveryError, OptionError, type KafkaError } from '../errors.ts'
import { show } from '../options.ts'
import type { Offsets } from './offsets.ts'
import { settleDelivered, settleFailed, type Awaiter, type Receipt } from './receipt.ts'

/** Something that ends when its signal aborts. */
interface Abortable {
  abort(): void
}

/**
 * What a signal guards. It is listened to as long as that is something: one that lives as long as its program must not
 * keep every producer that it was ever given to.
 */
class Guarded {
  readonly #signal: AbortSignal
  readonly #all = new Set<Abortable>()
  readonly #onAbort: () => void

  constructor(signal: AbortSignal, onWithdrawn: () => void) {
    this.#signal = signal
    this.#onAbort = () => {
      for (const each of [...this.#all]) each.abort()
      this.#all.clear()
      onWithdrawn()
    }
  }

  add(abortable: Abortable): void {
    if (this.#all.size === 0) this.#signal.addEventListener('abort', this.#onAbort, { once: true })
    this.#all.add(abortable)
  }

  delete(abortable: Abortable): void {
    if (this.#all.delete(abortable) && this.#all.size === 0) this.#signal.removeEventListener('abort', this.#onAbort)
  }
}

/** Who waits for what under an AbortSignal: at most one listener a signal, however much it guards. */
export class Signals {
  readonly #guarded = new WeakMap<AbortSignal, Guarded>()
  readonly #onWithdrawn: () => void

  /** @param onWithdrawn records that were called off may still be waiting somewhere. */
  constructor(onWithdrawn: () => void) {
    this.#onWithdrawn = onWithdrawn
  }

  /**
   * Whoever is told of a `send`.
   *
   * @throws {OptionError} the options are wrong.
   */
  guardSend(options: { readonly signal?: AbortSignal | undefined }, receipt: Awaiter): Awaiter {
    checkCallOptions('send', options)
    return options.signal === undefined ? receipt : this.guard(options.signal, receipt)
  }

  /** A receipt whose records settle at the latest when the signal aborts. */
  guard(signal: AbortSignal, receipt: Awaiter): Receipt {
    return new GuardedReceipt(receipt, signal, this.#unsettled(signal))
  }

  /** Work that is waited for at most until the signal aborts. @throws {DeliveryError} `ABORTED`. */
  race<T>(signal: AbortSignal | undefined, where: string, work: Promise<T>): Promise<T> {
    if (signal === undefined) return work
    return new Promise((resolve, reject) => {
      const end = this.onAbort(signal, () => reject(aborted(where, signal, false)))
      void work.then(resolve, reject).finally(end)
    })
  }

  /** Runs `act` when the signal aborts, at once if it has. @returns what calls that off. */
  onAbort(signal: AbortSignal, act: () => void): () => void {
    const unsettled = this.#unsettled(signal)
    const abortable = { abort: act }
    if (signal.aborted) act()
    else unsettled.add(abortable)
    return () => unsettled.delete(abortable)
  }

  #unsettled(signal: AbortSignal): Guarded {
    const known = this.#guarded.get(signal)
    if (known !== undefined) return known
    const all = new Guarded(signal, this.#onWithdrawn)
    this.#guarded.set(signal, all)
    return all
  }
}

/** The options object of a call that takes a signal. @throws {OptionError} `INVALID_ARGUMENT`. */
export function checkCallOptions(where: string, options: unknown): void {
  if (options === undefined) return
  if (typeof options !== 'object' || options === null)
    throw invalid(where, `options: got ${show(options)}, expected an object`)
  const { signal } = options as { signal?: unknown }
  if (signal === undefined || signal instanceof AbortSignal) return
  throw invalid(where, `signal: got ${show(signal)}, expected an AbortSignal`)
}

/** What an aborted wait fails with. */
export function aborted(where: string, signal: AbortSignal, maybeWritten: boolean): DeliveryError {
  const what = maybeWritten ? 'called off by its signal; the record may still be delivered' : 'called off by its signal'
  return new DeliveryError('ABORTED', `${where}: ABORTED: ${what}`, { maybeWritten, cause: signal.reason })
}

/**
 * Stands between a record and whoever awaits it. Once a record is in a batch its fate cannot be changed, only no longer
 * be waited for; before that it is withdrawn.
 */
class GuardedReceipt implements Receipt {
  readonly #receipt: Awaiter
  readonly #signal: AbortSignal
  /** What of this signal has something to settle. */
  readonly #unsettled: Guarded
  /** Tokens that have not settled; true: in a batch. */
  readonly #tokens = new Map<number, boolean>()

  constructor(receipt: Awaiter, signal: AbortSignal, unsettled: Guarded) {
    this.#receipt = receipt
    this.#signal = signal
    this.#unsettled = unsettled
  }

  begin(token: number): void {
    this.#tokens.set(token, false)
    this.#unsettled.add(this)
    if (this.#signal.aborted) this.abort()
  }

  isWithdrawn(token: number): boolean {
    return !this.#tokens.has(token)
  }

  batched(token: number): void {
    if (this.#tokens.has(token)) this.#tokens.set(token, true)
  }

  abort(): void {
    const tokens = [...this.#tokens]
    this.#tokens.clear()
    this.#unsettled.delete(this)
    for (const [token, isBatched] of tokens) {
      settleFailed(this.#receipt, token, aborted('send', this.#signal, isBatched))
    }
  }

  settleDelivered(token: number, topic: string, partition: number, offsets: Offsets, timestamp: number): void {
    if (this.#settle(token)) settleDelivered(this.#receipt, token, topic, partition, offsets, timestamp)
  }

  settleFailed(token: number, error: KafkaError): void {
    if (this.#settle(token)) settleFailed(this.#receipt, token, error)
  }

  #settle(token: number): boolean {
    const wasAwaited = this.#tokens.delete(token)
    if (this.#tokens.size === 0) this.#unsettled.delete(this)
    return wasAwaited
  }
}

function invalid(where: string, what: string): OptionError {
  return new OptionError('INVALID_ARGUMENT', `${where}: INVALID_ARGUMENT: ${what}`)
}
