import type { Duplex } from 'node:stream'
import type { ClusterContext } from './api-handler.ts'
import { BrokerConnection, type BlackHole } from './broker-connection.ts'
import type { Listener } from './transport.ts'

/** One broker: a port and the connections to it. Can be stopped and started again at the same port. */
export class Broker {
  readonly nodeId: number
  readonly #host: string
  readonly #cluster: ClusterContext
  readonly #connections = new Map<Duplex, BrokerConnection>()
  #port: number
  #listener: Listener | null = null
  #isUp = false
  #blackHole: BlackHole = 'none'

  /** @param port 0: any free one; it stays the same from then on. */
  constructor(nodeId: number, host: string, port: number, cluster: ClusterContext) {
    this.nodeId = nodeId
    this.#host = host
    this.#port = port
    this.#cluster = cluster
  }

  get port(): number {
    return this.#port
  }

  get isUp(): boolean {
    return this.#isUp
  }

  async start(): Promise<void> {
    if (this.#isUp) return
    this.#isUp = true
    const { transport } = this.#cluster.state.options
    try {
      this.#listener = await transport.listen(this.nodeId, this.#host, this.#port, (socket) => this.#onSocket(socket))
    } catch (error) {
      this.#isUp = false
      throw error
    }
    this.#port = this.#listener.port
  }

  /** Ends all connections at once, like a process that is killed. */
  async stop(): Promise<void> {
    const listener = this.#listener
    if (listener === null) return
    this.#listener = null
    this.#isUp = false
    const closed = listener.close()
    for (const socket of this.#connections.keys()) socket.destroy()
    await closed
  }

  /** For the connections that it has, and those to come. */
  setBlackHole(what: BlackHole): void {
    this.#blackHole = what
    for (const connection of this.#connections.values()) connection.setBlackHole(what)
  }

  #onSocket(socket: Duplex): void {
    if (!this.#isUp) {
      socket.destroy()
      return
    }
    const connection = new BrokerConnection(socket, this.nodeId, this.#cluster)
    this.#connections.set(socket, connection)
    socket.on('close', () => this.#connections.delete(socket))
    connection.setBlackHole(this.#blackHole)
  }
}
