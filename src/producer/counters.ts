/** What has happened since the producer was made; `stats()` gives a copy. Records, unless it says otherwise. */
export interface ProducerCounters {
  accepted: number
  delivered: number
  failed: number
  /** Batches that were sent again. */
  retries: number
  /** Batches that were cut in two because a broker found them too large. */
  splits: number
  requests: number
  /** Of record batches, as they were sent. */
  sentBytes: number
  /** Batches that were sent, each time counted. */
  sentBatches: number
  epochBumps: number
}

export function newCounters(): ProducerCounters {
  return {
    accepted: 0,
    delivered: 0,
    failed: 0,
    retries: 0,
    splits: 0,
    requests: 0,
    sentBytes: 0,
    sentBatches: 0,
    epochBumps: 0,
  }
}
