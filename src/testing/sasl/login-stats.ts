/** What came of the logins at a broker, or at all of them. */
export interface LoginStats {
  /** Connections that got in. */
  readonly logins: number
  /** Logins again on connections that were in (KIP-368). */
  readonly reauthentications: number
  /** Logins that failed: password, user, token, mechanism, another principal. */
  readonly refused: number
  /** Requests out of turn: answered with ILLEGAL_SASL_STATE, or by hanging up. */
  readonly illegal: number
  /** Connections that went on after the end of their session, and were closed. */
  readonly expired: number
}

export type LoginEvent = keyof LoginStats

/** By broker. */
export class LoginBook {
  readonly #byBroker = new Map<number, Record<LoginEvent, number>>()

  note(broker: number, event: LoginEvent): void {
    const stats = this.#byBroker.get(broker) ?? none()
    stats[event]++
    this.#byBroker.set(broker, stats)
  }

  /** @param broker node id; undefined: all together. */
  stats(broker: number | undefined): LoginStats {
    const sum = none()
    for (const [nodeId, stats] of this.#byBroker) {
      if (nodeId !== (broker ?? nodeId)) continue
      for (const event of Object.keys(sum) as LoginEvent[]) sum[event] += stats[event]
    }
    return sum
  }
}

function none(): Record<LoginEvent, number> {
  return { logins: 0, reauthentications: 0, refused: 0, illegal: 0, expired: 0 }
}
