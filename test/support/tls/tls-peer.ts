import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions, type TLSSocket } from 'node:tls'

/** A server on 127.0.0.1 for one kind of client; what it does to a socket is the test's. */
export class Peer {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #secured: TLSSocket[] = []

  private constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => undefined) // clients that refuse us reset the connection
      socket.once('close', () => this.#sockets.delete(socket))
    })
  }

  /** A real TLS server that sends back what it gets, or does what `onClient` says. */
  static async tls(options: TlsOptions, onClient: (socket: TLSSocket) => void = echo): Promise<Peer> {
    const server: Server = createTlsServer(options, (socket) => {
      peer.#secured.push(socket)
      socket.on('error', () => undefined)
      onClient(socket)
    })
    server.on('tlsClientError', () => undefined) // what this server thinks of its client is not what is tested
    const peer = new Peer(server)
    return await Peer.#listen(peer)
  }

  static async plain(onClient: (socket: Socket) => void): Promise<Peer> {
    return await Peer.#listen(new Peer(createServer(onClient)))
  }

  static async #listen(peer: Peer): Promise<Peer> {
    peer.#server.listen(0, '127.0.0.1')
    await once(peer.#server, 'listening')
    return peer
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get openSockets(): number {
    return this.#sockets.size
  }

  /** Says goodbye to all TLS clients, in order. */
  endAll(): void {
    for (const socket of this.#secured) socket.end()
  }

  async dial(): Promise<Socket> {
    const socket = connect(this.port, '127.0.0.1')
    await once(socket, 'connect')
    return socket
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}

function echo(socket: TLSSocket): void {
  socket.on('data', (chunk: Buffer) => socket.write(chunk))
}
