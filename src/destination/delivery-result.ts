/** What became of one event under one mapping. */
export interface DeliveryResult {
  /** Its index in what was given to `deliver`. */
  readonly event: number
  /** Name of the mapping. Null: the event is no object, so that no mapping could be asked. */
  readonly mapping: string | null
  /**
   * 200: acknowledged by the brokers. 400, 401, 403, 404, 413: refused. 429 and 5xx: it may work later. A duplicate that
   * was left out (`dedupe`) has the result of the first one.
   */
  readonly status: number
  readonly topic?: string
  readonly partition?: number
  /** `-1n`: nobody told us. */
  readonly offset?: bigint
  readonly error?: DeliveryFailure
  /** Whether delivering the event again may succeed. There for everything but 200. */
  readonly retry?: boolean
  /** How long to wait before that, where the cluster said so. */
  readonly retryAfterMs?: number
  /** The event may be in the log although this is an error: delivering it again may write a second copy. */
  readonly maybeWritten?: true
  /** Not sent, because an event with the same messageId was, within the window of `dedupe`. */
  readonly isDuplicate?: true
  /** The event was written to the dead-letter topic; or why it was not. */
  readonly deadLetter?:
    { readonly topic: string; readonly partition: number; readonly offset: bigint } | { readonly error: string }
}

export interface DeliveryFailure {
  /** For programs: `PAYLOAD_VALIDATION_FAILED`, `MAPPING_FAILED`, `TOPIC_NOT_ALLOWED`, or the code of the `KafkaError`. */
  readonly code: string
  /** For people. No secrets, no contents of the event. */
  readonly message: string
}
