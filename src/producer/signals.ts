import { DeliveryError, OptionError, type KafkaError } from '../errors.ts'
import { show } from '../options.ts'
import type { Receipt } from './receipt.ts'

/** Something that ends when its signal aborts. */
interface Abortable {
  abort(): void
}

/** Who waits for what under an AbortSignal: at most one listener a signal, however much it guards. */
export class Signals {
  readonly #guarded = new WeakMap<AbortSignal, Set<Abortable>>()
  readonly #onWithdrawn: () => void

  /** @param onWithdrawn records that were called off may still be waiting somewhere. */
  constructor(onWithdrawn: () => void) {
    this.#onWithdrawn = onWithdrawn
  }

  /** A receipt whose records settle at the latest when the signal aborts. */
  guard(signal: AbortSignal, receipt: Receipt): Receipt {
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
    return () => void unsettled.delete(abortable)
  }

  #unsettled(signal: AbortSignal): Set<Abortable> {
    const known = this.#guarded.get(signal)
    if (known !== undefined) return known
    const all = new Set<Abortable>()
    this.#guarded.set(signal, all)
    const onAbort = (): void => {
      for (const each of [...all]) each.abort()
      all.clear()
      this.#onWithdrawn()
    }
    signal.addEventListener('abort', onAbort, { once: true })
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
  readonly #receipt: Receipt
  readonly #signal: AbortSignal
  /** What of this signal has something to settle. */
  readonly #unsettled: Set<Abortable>
  /** Tokens that have not settled; true: in a batch. */
  readonly #tokens = new Map<number, boolean>()

  constructor(receipt: Receipt, signal: AbortSignal, unsettled: Set<Abortable>) {
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
      this.#receipt.settleFailed(token, aborted('send', this.#signal, isBatched))
    }
  }

  settleDelivered(token: number, topic: string, partition: number, offset: bigint, timestamp: number): void {
    if (this.#settle(token)) this.#receipt.settleDelivered(token, topic, partition, offset, timestamp)
  }

  settleFailed(token: number, error: KafkaError): void {
    if (this.#settle(token)) this.#receipt.settleFailed(token, error)
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
