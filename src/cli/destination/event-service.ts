import type { Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { UsageError } from '../exit-code.ts'
import { createEventApp, type EventAppOptions } from './event-app.ts'

export interface EventServiceOptions extends Omit<EventAppOptions, 'isDraining'> {
  readonly host: string
  /** 0: any. */
  readonly port: number
}

/** A client that needs longer for a request, or its head, is not waited for. Milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000
const HEADERS_TIMEOUT_MS = 10_000
const CHECK_EVERY_MS = 1000
/** Longer than load balancers keep a connection: they must not send into one that closes. */
const KEEP_ALIVE_MS = 65_000

/** The HTTP server of the event service. */
export class EventService {
  readonly #options: EventServiceOptions
  readonly #server: Server
  #isDraining = false
  /** Whose heads are there, and whose answers are not out. */
  #requests = 0
  #onQuiet: (() => void) | null = null

  constructor(options: EventServiceOptions) {
    this.#options = options
    const app = createEventApp({ ...options, isDraining: () => this.#isDraining })
    const times = { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: HEADERS_TIMEOUT_MS }
    this.#server = createAdaptorServer({
      // HTTP/1.0 has no Host, and some checks of health still speak it.
      ...{ fetch: app.fetch, overrideGlobalObjects: false, hostname: 'localhost' },
      serverOptions: { ...times, connectionsCheckingInterval: CHECK_EVERY_MS, keepAliveTimeout: KEEP_ALIVE_MS },
    }) as Server
    this.#server.on('request', (_, response) => this.#count(response))
  }

  /** @returns where it listens. @throws {UsageError} it cannot listen there. */
  async start(): Promise<string> {
    const { host, port } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(cannotListen(error, host, port)))
      this.#server.listen(port, host, resolve)
    })
    const { address, port: taken } = this.#server.address() as AddressInfo
    return `http://${address.includes(':') ? `[${address}]` : address}:${taken}`
  }

  /**
   * Takes no more requests, and answers those that are there. A connection on which none has come yet is closed: nobody
   * waits for an answer there.
   *
   * @returns false: something was not finished within `timeoutMs`, and was given up; its senders have not been told 200.
   */
  async drain(timeoutMs: number): Promise<boolean> {
    this.#isDraining = true
    this.#server.close()
    const isDone = await Promise.race([
      Promise.all([this.#quiet(), this.#options.load.idle()]).then(() => true),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(false), timeoutMs).unref()),
    ])
    this.#server.closeAllConnections()
    return isDone
  }

  #count(response: ServerResponse): void {
    this.#requests++
    response.once('close', () => {
      if (--this.#requests === 0) this.#onQuiet?.()
    })
  }

  /** Resolves when all requests are answered. */
  async #quiet(): Promise<void> {
    if (this.#requests > 0) await new Promise<void>((resolve) => (this.#onQuiet = resolve))
  }
}

function cannotListen(error: Error, host: string, port: number): Error {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') {
    return new UsageError(`port ${port} is taken; choose another with --listen, 0 finds a free one`, { cause: error })
  }
  if (code === 'EACCES') return new UsageError(`port ${port} may not be used by you`, { cause: error })
  return new UsageError(`--host ${host}: cannot listen there: ${error.message}`, { cause: error })
}
