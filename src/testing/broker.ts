import type { Duplex } from 'node:stream'
import type { ClusterContext } from './api-handler.ts'
import { BrokerConnection, type BlackHole } from './broker-connection.ts'
import { principalOf, TlsDoor } from './tls-door.ts'
import type { Listener } from './transport.ts'

/** One broker: a port and the connections to it. Can be stopped and started again at the same port. */
export class Broker {
  readonly nodeId: number
  readonly #host: string
  readonly #cluster: ClusterContext
  /** Whatever is open, also what is still in the handshake of TLS. */
  readonly #sockets = new Set<Duplex>()
  readonly #connections = new Set<BrokerConnection>()
  readonly #door: TlsDoor | null
  /** Who came while nothing got through, and has not been greeted. */
  #atTheDoor: Duplex[] = []
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
    const { tls } = cluster
    this.#door = tls === null ? null : new TlsDoor(tls, (socket) => this.#serve(socket))
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
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  /** For the connections that it has, and those to come. */
  setBlackHole(what: BlackHole): void {
    this.#blackHole = what
    for (const connection of this.#connections) connection.setBlackHole(what)
    if (what === 'none') for (const raw of this.#atTheDoor.splice(0)) this.#door?.enter(raw)
  }

  #onSocket(socket: Duplex): void {
    if (!this.#isUp) {
      socket.destroy()
      return
    }
    this.#watch(socket)
    if (this.#door === null) this.#serve(socket)
    else if (this.#blackHole === 'none') this.#door.enter(socket)
    else this.#atTheDoor.push(socket)
  }

  #serve(socket: Duplex): void {
    this.#watch(socket)
    const connection = new BrokerConnection(socket, this.nodeId, principalOf(socket), this.#cluster)
    this.#connections.add(connection)
    socket.on('close', () => this.#connections.delete(connection))
    connection.setBlackHole(this.#blackHole)
  }

  #watch(socket: Duplex): void {
    if (this.#sockets.has(socket)) return
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
  }
}
