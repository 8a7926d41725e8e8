import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { ClusterContext } from './api-handler.ts'
import { BrokerConnection } from './broker-connection.ts'

/** One broker: a port and the connections to it. Can be stopped and started again at the same port. */
export class Broker {
  readonly nodeId: number
  readonly #host: string
  readonly #cluster: ClusterContext
  readonly #sockets = new Set<Socket>()
  #port: number
  #server: Server | null = null

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
    return this.#server !== null
  }

  async start(): Promise<void> {
    if (this.#server !== null) return
    const server = createServer((socket) => this.#onSocket(socket))
    this.#server = server
    server.listen({ host: this.#host, port: this.#port })
    try {
      await once(server, 'listening')
    } catch (error) {
      this.#server = null
      throw error
    }
    this.#port = (server.address() as AddressInfo).port
  }

  /** Ends all connections at once, like a process that is killed. */
  async stop(): Promise<void> {
    const server = this.#server
    if (server === null) return
    this.#server = null
    const closed = once(server, 'close')
    server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #onSocket(socket: Socket): void {
    if (this.#server === null) {
      socket.destroy()
      return
    }
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    new BrokerConnection(socket, this.nodeId, this.#cluster)
  }
}
