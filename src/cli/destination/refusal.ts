/** A request that is answered with an error; the message is for whoever sent it. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: 400 | 401 | 403 | 404 | 429 | 503
  readonly code: string
  /** When to come again. Seconds. */
  readonly retryAfterSeconds: number | null

  constructor(status: Refusal['status'], code: string, message: string, retryAfterSeconds: number | null = null) {
    super(message)
    this.status = status
    this.code = code
    this.retryAfterSeconds = retryAfterSeconds
  }
}
