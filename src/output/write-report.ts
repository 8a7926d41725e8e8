/** Rows that go through the output: what programs give (plain objects), and what `readNdjson` gives. */
export type OutputRow = object

export interface WriteOptions {
  /** Ends the reading; the write rejects with `ABORTED` at once. What was sent goes on, and may be written. */
  readonly signal?: AbortSignal | undefined
  /** The number of the first row in errors. `safeRows` and the other counts begin with this write all the same. Default 1. */
  readonly firstRow?: number | undefined
  /** Told whenever rows have settled, at most once a turn of the microtask queue. What it throws is ignored. */
  readonly onProgress?: ((progress: WriteProgress) => void) | undefined
}

/** How far a write is. All are counts of rows unless they say otherwise. */
export interface WriteProgress {
  /** Taken from the source. */
  readonly rows: number
  /** Acknowledged by the brokers. */
  readonly delivered: number
  /** Could not be converted, and dropped by policy. */
  readonly dropped: number
  /**
   * So many rows from the beginning need never be given again: each is delivered or dropped. A checkpoint holds this; from
   * the first row behind it on all are to be given again after a crash, of which some may be written already.
   */
  readonly safeRows: number
  /** Kafka records that were acknowledged. */
  readonly messages: number
  /** Rows that were given to the producer again after it had given them up. */
  readonly retried: number
  /** Of those: may have been written before, and so twice. */
  readonly possibleDuplicates: number
}

/** What became of a write: of its rows none is missing, `delivered + dropped` is `rows` unless it failed. */
export type WriteReport = WriteProgress
