import type { Clock, Timer } from '../clock.ts'
import type { KafkaError } from '../errors.ts'
import { MIN_REAUTHENTICATION_INTERVAL_MS, reauthenticateAfterMs } from '../sasl/renewal.ts'
import type { LoggedIn } from './login.ts'

/** A request that waits until the broker knows again who we are. */
interface Parked {
  readonly write: () => void
  readonly fail: (error: KafkaError) => void
}

/** The connection, as far as it is asked. */
export interface Reauthenticating {
  /** Requests that the broker has not answered. */
  outCount(): number
  isOver(): boolean
  login(): Promise<LoggedIn>
  /** Requests wait from now on, or no longer. */
  onState(isWaiting: boolean): void
  onFailed(error: KafkaError): void
}

/**
 * Authenticates again on a connection whose session is about to end (KIP-368), so that no request ever meets a session
 * that has ended: Kafka hangs up on those.
 *
 *     request > [due] > parked; what is in flight is answered > login > the parked ones are written, in their order
 *
 * A request brings it about, not a timer: an idle connection does not log in, and at least one request passes between two
 * logins, however short a session is.
 */
export class Reauthentication {
  readonly #clock: Clock
  readonly #connection: Reauthenticating
  #parked: Parked[] = []
  #isWaiting = false
  #isLoggingIn = false
  #dueAtMs = Infinity
  #shookHandsAtMs = -Infinity
  #pause: Timer | null = null

  constructor(clock: Clock, connection: Reauthenticating) {
    this.#clock = clock
    this.#connection = connection
  }

  get parkedCount(): number {
    return this.#parked.length
  }

  /** A login was taken; from here on its session counts. */
  began(session: LoggedIn): void {
    this.#shookHandsAtMs = session.shookHandsAtMs
    this.#dueAtMs = session.sentAtMs + reauthenticateAfterMs(session, this.#clock)
  }

  /** Writes a request, now or when it may be. */
  admit(write: () => void, fail: (error: KafkaError) => void): void {
    if (!this.#isWaiting && (this.#dueAtMs === Infinity || this.#clock.now() < this.#dueAtMs)) {
      write()
      return
    }
    this.#parked.push({ write, fail })
    if (this.#isWaiting) return
    this.#isWaiting = true
    this.#connection.onState(true)
    this.review()
  }

  /** Something was answered, perhaps the last that was in flight. */
  review(): void {
    if (!this.#isWaiting || this.#isLoggingIn || this.#connection.outCount() > 0) return
    this.#isLoggingIn = true
    void this.#login()
  }

  /** The connection is over. */
  giveUp(error: KafkaError): void {
    this.#pause?.cancel()
    for (const { fail } of this.#parked.splice(0)) fail(error)
  }

  async #login(): Promise<void> {
    try {
      await this.#untilBrokerMayListen()
      if (this.#connection.isOver()) return
      this.began(await this.#connection.login())
    } catch (error) {
      this.#connection.onFailed(error as KafkaError)
      return
    }
    this.#isLoggingIn = false
    this.#isWaiting = false
    this.#connection.onState(false)
    // Without a look at the new session, which may have ended by now: some requests must pass.
    for (const { write } of this.#parked.splice(0)) write()
  }

  /** Where sessions are that short. */
  async #untilBrokerMayListen(): Promise<void> {
    const waitMs = this.#shookHandsAtMs + MIN_REAUTHENTICATION_INTERVAL_MS + 1 - this.#clock.now()
    if (waitMs > 0) await new Promise<void>((resolve) => (this.#pause = this.#clock.after(waitMs, resolve, false)))
  }
}
