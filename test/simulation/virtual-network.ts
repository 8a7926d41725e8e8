import type { Duplex } from 'node:stream'
import type { SocketTarget } from '../../src/connection/socket-hooks.ts'
import type { Listener, Transport } from '../../src/testing/transport.ts'
import type { VirtualHost } from './virtual-host.ts'
import { systemError, VirtualSocket } from './virtual-socket.ts'
import { Wire, type WireSettings } from './wire.ts'
import type { World } from './world.ts'

/** A connection, for faults to be done to it. */
export interface Link {
  readonly name: string
  readonly nodeId: number
  readonly client: VirtualSocket
  readonly server: VirtualSocket
  /** To the broker. */
  readonly up: Wire
  /** To the client. */
  readonly down: Wire
}

/** What happens to whoever dials. */
export type DialPolicy = 'accept' | 'swallow'

export interface LinkSettings {
  readonly up: WireSettings
  readonly down: WireSettings
  readonly clientHighWaterMarkBytes: number
  readonly serverHighWaterMarkBytes: number
}

export interface VirtualNetworkOptions {
  readonly world: World
  readonly client: VirtualHost
  /** The process of a broker. */
  readonly brokerHost: (nodeId: number) => VirtualHost
  /** How the next connection is. */
  readonly settings: () => LinkSettings
}

interface Open {
  readonly nodeId: number
  readonly onConnection: (socket: Duplex) => void
}

const FIRST_PORT = 9091
const FIRST_GREETING_AGAIN_MS = 1000
const MAX_GREETINGS = 4

/** Ports, connections, and what becomes of those who dial. The brokers' `transport` and the producer's `createSocket`. */
export class VirtualNetwork {
  readonly #options: VirtualNetworkOptions
  readonly #listeners = new Map<number, Open>()
  readonly #policies = new Map<number, DialPolicy>()
  /** Those of which at least one end is open. */
  readonly #links = new Set<Link>()
  dialCount = 0

  constructor(options: VirtualNetworkOptions) {
    this.#options = options
  }

  get links(): readonly Link[] {
    for (const link of this.#links) if (link.client.destroyed && link.server.destroyed) this.#links.delete(link)
    return [...this.#links]
  }

  readonly transport: Transport = {
    listen: (nodeId, _host, port, onConnection) => {
      const chosen = port === 0 ? FIRST_PORT + nodeId : port
      this.#listeners.set(chosen, { nodeId, onConnection })
      const listener: Listener = {
        port: chosen,
        close: () => {
          this.#listeners.delete(chosen)
          return Promise.resolve()
        },
      }
      return Promise.resolve(listener)
    },
  }

  /** For a broker's port, until it is said otherwise. */
  setPolicy(nodeId: number, policy: DialPolicy): void {
    this.#policies.set(FIRST_PORT + nodeId, policy)
  }

  readonly createSocket = ({ port }: SocketTarget): Promise<Duplex> => {
    const { world } = this.#options
    const name = `${port - FIRST_PORT}/${this.dialCount++}`
    const settings = this.#options.settings()
    world.log('dial', name)
    return new Promise((resolve, reject) => {
      const greet = (attempt: number): void => {
        // TCP greets again after 1, 3 and 7 s, whoever has given up on it; a hook need not hear of that.
        if (this.#policies.get(port) === 'swallow') {
          if (attempt < MAX_GREETINGS) world.after(FIRST_GREETING_AGAIN_MS * 2 ** attempt, () => greet(attempt + 1))
          return
        }
        world.after(settings.up.latencyMs, () => this.#answerGreeting(name, port, settings, resolve, reject))
      }
      greet(0)
    })
  }

  #answerGreeting(
    name: string,
    port: number,
    settings: LinkSettings,
    resolve: (socket: Duplex) => void,
    reject: (error: Error) => void,
  ): void {
    const { world, client } = this.#options
    const listener = this.#listeners.get(port)
    world.after(settings.down.latencyMs, () => {
      client.io(() => {
        if (listener === undefined) reject(systemError('ECONNREFUSED', `connect ECONNREFUSED ${port}`))
        else resolve(this.#connect(name, listener, settings).client)
      })
    })
  }

  #connect(name: string, listener: Open, settings: LinkSettings): Link {
    const { world, client: clientHost, brokerHost } = this.#options
    const up = new Wire(`${name} up`, world, settings.up)
    const down = new Wire(`${name} down`, world, settings.down)
    const nodeId = listener.nodeId
    const serverHost = brokerHost(nodeId)
    const client = new VirtualSocket({
      ...{ host: clientHost, outgoing: up, incoming: down, isServer: false },
      highWaterMarkBytes: settings.clientHighWaterMarkBytes,
    })
    const server = new VirtualSocket({
      ...{ host: serverHost, outgoing: down, incoming: up, isServer: true },
      highWaterMarkBytes: settings.serverHighWaterMarkBytes,
    })
    up.attach(client, server)
    down.attach(server, client)
    const link = { name, nodeId, client, server, up, down }
    this.#links.add(link)
    client.on('close', () => world.log('closed', name))
    server.on('error', () => undefined)
    serverHost.io(() => {
      const isOpen = this.#listeners.get(FIRST_PORT + nodeId) === listener
      if (isOpen) listener.onConnection(server)
      else server.destroy()
    })
    return link
  }
}
