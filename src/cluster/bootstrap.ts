import type { Clock } from '../clock.ts'
import type { BrokerAddress } from '../connection/broker-address.ts'
import { ConnectionError, KafkaError } from '../errors.ts'

export interface BootstrapOptions {
  readonly brokers: () => Promise<readonly BrokerAddress[]>
  readonly clock: Clock
  readonly connectTimeoutMs: number
}

/** Where to begin: asked of the user's function each time, which may fail, take long, or never answer. */
export class Bootstrap {
  readonly #options: BootstrapOptions
  readonly #waiting = new Set<(error: KafkaError) => void>()
  #latest: readonly BrokerAddress[] = []

  constructor(options: BootstrapOptions) {
    this.#options = options
  }

  /** As they were when they were asked for last. */
  get latest(): readonly BrokerAddress[] {
    return this.#latest
  }

  /** What a function of the user's throws may pass, and must not reach a caller as it is. @throws {KafkaError} */
  async addresses(): Promise<readonly BrokerAddress[]> {
    try {
      this.#latest = await this.#inTime(this.#options.brokers())
      return this.#latest
    } catch (error) {
      if (error instanceof KafkaError) throw error
      const what = `the brokers function failed: ${error instanceof Error ? error.message : String(error)}`
      const details = { retriable: true, cause: error }
      throw new ConnectionError('BOOTSTRAP_FAILED', `connect: BOOTSTRAP_FAILED: ${what}`, details)
    }
  }

  /** Nobody waits any more. */
  close(error: KafkaError): void {
    for (const giveUp of this.#waiting) giveUp(error)
  }

  #inTime<T>(work: Promise<T>): Promise<T> {
    const { clock, connectTimeoutMs } = this.#options
    return new Promise((resolve, reject) => {
      const giveUp = (error: Error): void => {
        end()
        reject(error)
      }
      const timer = clock.after(connectTimeoutMs, () => {
        giveUp(new Error(`no answer within connectTimeoutMs (${connectTimeoutMs} ms)`))
      })
      const end = (): void => {
        timer.cancel()
        this.#waiting.delete(giveUp)
      }
      this.#waiting.add(giveUp)
      work.then(resolve, reject).finally(end)
    })
  }
}
