import type { Clock } from '../clock.ts'
import { formatAddress, type BrokerAddress } from '../connection/broker-address.ts'
import type { Begun, ConnectStep } from '../connection/connection-options.ts'
import type { Connection } from '../connection/connection.ts'
import { asKafkaError } from '../connection/failure.ts'
import { openConnection } from '../connection/handshake.ts'
import type { SocketTarget } from '../connection/socket-hooks.ts'
import type { KafkaError } from '../errors.ts'
import type { ResolvedProducerOptions } from '../producer/options.ts'
import type { Mechanism } from '../sasl/mechanism.ts'
import { TlsWarnings, type TlsWarning } from '../tls/warnings.ts'
import { VERSION } from '../version.ts'

export interface VisitHooks {
  readonly onStep?: (step: ConnectStep) => void
  readonly onWarnings?: (warnings: readonly TlsWarning[]) => void
}

/** Goes to brokers as a producer does, with its options, and remembers which doors it has opened. */
export class Visitor {
  readonly options: ResolvedProducerOptions
  readonly mechanism: Mechanism | null
  readonly clock: Clock
  readonly #begun: Begun[] = []
  #isOver = false

  constructor(options: ResolvedProducerOptions, mechanism: Mechanism | null, clock: Clock) {
    this.options = options
    this.mechanism = mechanism
    this.clock = clock
  }

  /** @param nodeId null: a bootstrap address. @throws {KafkaError} why it cannot be used. */
  async open(address: BrokerAddress, nodeId: number | null, { onStep, onWarnings }: VisitHooks): Promise<Connection> {
    const { clientId, connectTimeoutMs, requestTimeoutMs, connectionsMaxIdleMs: maxIdleMs } = this.options
    const { createSocket, mapAddress, connectGuard, tls, allowPlaintextCredentials } = this.options
    const target: SocketTarget = { ...address, nodeId }
    const options = {
      ...{ ...target, clientId, clock: this.clock, connectTimeoutMs, requestTimeoutMs, maxIdleMs },
      ...{ createSocket, mapAddress, connectGuard, tls, allowPlaintextCredentials, mechanism: this.mechanism },
      ...{ onStep, tlsWarnings: new Every(onWarnings) },
    }
    const opened = (begun: Begun): void => {
      this.#begun.push(begun)
      if (this.#isOver) begun.close()
    }
    try {
      return await openConnection(options, { name: 'headrace', version: VERSION }, opened)
    } catch (error) {
      throw asKafkaError(formatAddress(address), error) as Error & KafkaError
    }
  }

  /** Nobody listens any more: what is open is closed, what is being opened is given up. */
  close(): void {
    this.#isOver = true
    for (const begun of this.#begun) begun.close()
  }
}

/** A producer says a thing once; who looks for what is wrong wants to hear it each time. */
class Every extends TlsWarnings {
  readonly #hear: VisitHooks['onWarnings']

  constructor(hear: VisitHooks['onWarnings']) {
    super(() => undefined)
    this.#hear = hear
  }

  override tell(warnings: readonly TlsWarning[]): void {
    this.#hear?.(warnings)
  }
}
