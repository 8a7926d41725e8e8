import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'

/** What connections of clients come in by. */
export interface Listener {
  readonly port: number
  /** No more connections; those that are open stay. Resolves when the port is free, which open connections may hold. */
  close(): Promise<void>
}

/** How brokers are reached: TCP, or what a test puts in its place. */
export interface Transport {
  /** @param port 0: any free one. */
  listen(nodeId: number, host: string, port: number, onConnection: (socket: Duplex) => void): Promise<Listener>
}

export const tcpTransport: Transport = {
  async listen(_nodeId, host, port, onConnection) {
    const server = createServer({ noDelay: true }, onConnection)
    server.listen({ host, port })
    await once(server, 'listening')
    return {
      port: (server.address() as AddressInfo).port,
      close: async () => {
        const closed = once(server, 'close')
        server.close()
        await closed
      },
    }
  },
}
