/** A request as a broker saw it. */
export interface LoggedRequest {
  readonly api: string
  /** -1: a SASL token without a header, after SaslHandshake v0; it counts as SaslAuthenticate. */
  readonly version: number
  readonly clientId: string | null
  /** Node id of the broker. */
  readonly broker: number
  readonly correlationId: number
  /** Who asked, as Kafka names them: `User:alice`, `User:CN=...` by a certificate, `User:ANONYMOUS`. */
  readonly principal: string
}

/** A cluster that is used for load must not be eaten by its own memories. */
const MAX_REQUESTS = 100_000
const MAX_VIOLATIONS = 1000

/** What went on in the cluster, for tests to look at. */
export class Journal {
  #requests: LoggedRequest[] = []
  readonly #violations: string[] = []

  /** The latest ones, 50 000 at least, oldest first. */
  get requests(): readonly LoggedRequest[] {
    return this.#requests
  }

  get violations(): readonly string[] {
    return this.#violations
  }

  request(request: LoggedRequest): void {
    if (this.#requests.length >= MAX_REQUESTS) this.#requests = this.#requests.slice(MAX_REQUESTS / 2)
    this.#requests.push(request)
  }

  violation(broker: number, what: string): void {
    if (this.#violations.length < MAX_VIOLATIONS) this.#violations.push(`broker ${broker}: ${what}`)
  }
}
