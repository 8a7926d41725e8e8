import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Clock, Timer } from '../../../src/clock.ts'
import type { Random } from '../../fuzz/random.ts'
import { Pipe, type Chance, type Weather } from './proxy-pipe.ts'

export type Direction = 'requests' | 'answers'

/** What the proxy does from now on, until `calm()`. */
export type Disturbance =
  /** Every chunk arrives so much later, in order. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** Small pieces, each in a segment of its own. */
  | { readonly kind: 'drip' }
  /** One way is silent: bytes are swallowed. The connection is reset at the end, for it can never be whole again. */
  | { readonly kind: 'mute'; readonly direction: Direction }
  /** Nothing passes either way; at the end everything arrives, late. */
  | { readonly kind: 'hold' }
  /** Connections are reset, and new ones as soon as they are made. */
  | { readonly kind: 'refuse' }
  /** Each connection is reset when so many more bytes have passed in this direction: in the middle of a frame. */
  | { readonly kind: 'reset'; readonly direction: Direction; readonly afterBytes: number }

export interface ProxyOptions {
  readonly host: string
  readonly port: number
  readonly clock: Clock
  readonly random: Random
  /** Each connection lives so long, the least and the most milliseconds; half of them end by RST, half by FIN. */
  readonly livesMs?: readonly [number, number] | undefined
}

/** A TCP proxy on loopback before one broker, which makes the network bad on demand. */
export class ChaosProxy {
  readonly port: number
  /** Connections that were accepted. */
  accepted = 0
  /** Connections that the proxy ended by itself. */
  broken = 0
  readonly #server: Server
  readonly #options: ProxyOptions
  readonly #links = new Set<Link>()
  #disturbance: Disturbance | null = null

  private constructor(server: Server, options: ProxyOptions) {
    this.#server = server
    this.#options = options
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (client: Socket) => this.#accept(client))
  }

  static async start(options: ProxyOptions): Promise<ChaosProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', resolve)
    })
    return new ChaosProxy(server, options)
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#links.size
  }

  disturb(disturbance: Disturbance): void {
    this.#disturbance = disturbance
    for (const link of this.#links) link.suffer(disturbance)
  }

  calm(): void {
    this.#disturbance = null
    for (const link of this.#links) link.calm()
  }

  /** Resets every connection of this moment. */
  cut(): void {
    for (const link of this.#links) link.reset()
  }

  async close(): Promise<void> {
    for (const link of this.#links) link.reset()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #accept(client: Socket): void {
    this.accepted++
    const { host, port, clock, random, livesMs } = this.#options
    const broker = connect({ host, port, allowHalfOpen: true, noDelay: true })
    const link = new Link(client, broker, { clock, random }, (wasOurs) => {
      this.#links.delete(link)
      if (wasOurs) this.broken++
    })
    this.#links.add(link)
    if (livesMs !== undefined) {
      link.liveFor(livesMs[0] + random.below(livesMs[1] - livesMs[0] + 1), random.oneIn(2) ? 'reset' : 'end')
    }
    if (this.#disturbance !== null) link.suffer(this.#disturbance)
  }
}

const CALM: Weather = { delayMs: 0, isDripping: false, isMuted: false, isHeld: false, resetAfterBytes: Infinity }

/** One connection: the client's socket, the broker's, and a pipe each way. */
class Link {
  readonly #client: Socket
  readonly #broker: Socket
  readonly #pipes: Readonly<Record<Direction, Pipe>>
  readonly #onEnd: (wasOurs: boolean) => void
  readonly #clock: Clock
  #life: Timer | undefined
  #isOver = false

  constructor(client: Socket, broker: Socket, chance: Chance, onEnd: (wasOurs: boolean) => void) {
    this.#client = client
    this.#broker = broker
    this.#onEnd = onEnd
    this.#clock = chance.clock
    const reset = (): void => this.reset()
    this.#pipes = {
      requests: new Pipe(client, broker, chance, reset),
      answers: new Pipe(broker, client, chance, reset),
    }
    for (const socket of [client, broker]) {
      // A broker that died, or a client that gave up: the other side shall see the same.
      socket.on('error', () => this.#end(false))
      socket.on('close', () => {
        if (client.destroyed && broker.destroyed) this.#end(false)
      })
    }
  }

  liveFor(ms: number, then: 'reset' | 'end'): void {
    this.#life = this.#clock.after(ms, () => this.#end(true, then))
  }

  suffer(disturbance: Disturbance): void {
    const set = (direction: Direction, weather: Partial<Weather>): void =>
      this.#pipes[direction].setWeather({ ...CALM, ...weather })
    const both = (weather: Partial<Weather>): void => {
      set('requests', weather)
      set('answers', weather)
    }
    switch (disturbance.kind) {
      case 'delay':
        return both({ delayMs: disturbance.delayMs })
      case 'drip':
        return both({ isDripping: true })
      case 'mute':
        return set(disturbance.direction, { isMuted: true })
      case 'hold':
        return both({ isHeld: true })
      case 'reset':
        return set(disturbance.direction, { resetAfterBytes: disturbance.afterBytes })
      case 'refuse':
        return this.reset()
    }
  }

  calm(): void {
    if (this.#pipes.requests.hasSwallowed || this.#pipes.answers.hasSwallowed) return this.reset()
    for (const pipe of Object.values(this.#pipes)) pipe.setWeather(CALM)
  }

  /** By the proxy's will: RST both ways. */
  reset(): void {
    this.#end(true)
  }

  #end(wasOurs: boolean, how: 'reset' | 'end' = 'reset'): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#life?.cancel()
    for (const pipe of Object.values(this.#pipes)) pipe.stop()
    for (const socket of [this.#client, this.#broker]) {
      // While it connects there is nothing to reset.
      if (how === 'reset' && !socket.connecting) abort(socket)
      else socket.destroy()
    }
    this.#onEnd(wasOurs)
  }
}

/**
 * RST at once. Node's `resetAndDestroy` ends the stream first: it sends a FIN, and waits for a peer that does not read.
 * This is what it does after that. While a FIN is on its way libuv refuses to reset, and the socket would be left open
 * for ever.
 */
function abort(socket: Socket): void {
  if (!socket.writableEnded) Object.assign(socket, { resetAndClosing: true })
  socket.destroy()
}
