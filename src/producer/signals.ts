import { DeliveryError, type KafkaError } from '../errors.ts'
import type { Receipt } from './receipt.ts'

/** Who waits for what under an AbortSignal: at most one listener a signal, however many records it guards. */
export class Signals {
  readonly #guarded = new WeakMap<AbortSignal, Set<GuardedReceipt>>()

  /** A receipt whose records settle at the latest when the signal aborts. */
  guard(signal: AbortSignal, receipt: Receipt): Receipt {
    let unsettled = this.#guarded.get(signal)
    if (unsettled === undefined) {
      const all = new Set<GuardedReceipt>()
      this.#guarded.set(signal, (unsettled = all))
      signal.addEventListener('abort', () => [...all].forEach((guard) => guard.abort()), { once: true })
    }
    return new GuardedReceipt(receipt, signal, unsettled)
  }

  /** Work that is waited for at most until the signal aborts. @throws {DeliveryError} `ABORTED`. */
  race<T>(signal: AbortSignal | undefined, where: string, work: Promise<T>): Promise<T> {
    if (signal === undefined) return work
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(aborted(where, signal, false))
      if (signal.aborted) return onAbort()
      signal.addEventListener('abort', onAbort, { once: true })
      void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
    })
  }
}

/**
 * Stands between a record and whoever awaits it. Once a record is in a batch its fate cannot be changed, only no longer
 * be waited for; before that it is withdrawn.
 */
class GuardedReceipt implements Receipt {
  readonly #receipt: Receipt
  readonly #signal: AbortSignal
  /** The guards of this signal that have something to settle. */
  readonly #unsettled: Set<GuardedReceipt>
  /** Tokens that have not settled; true: in a batch. */
  readonly #tokens = new Map<number, boolean>()

  constructor(receipt: Receipt, signal: AbortSignal, unsettled: Set<GuardedReceipt>) {
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

function aborted(where: string, signal: AbortSignal, maybeWritten: boolean): DeliveryError {
  const what = maybeWritten ? 'called off by its signal; the record may still be delivered' : 'called off by its signal'
  return new DeliveryError('ABORTED', `${where}: ABORTED: ${what}`, { maybeWritten, cause: signal.reason })
}
