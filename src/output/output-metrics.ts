/** Counts since the output was made, by the names of Stream Analytics (B.7). */
export interface OutputMetrics {
  /** Rows taken from sources. */
  readonly 'Input Events': number
  /** Rows that the brokers acknowledged. */
  readonly 'Output Events': number
  /** Failed conversions: each dropped row once, a blocked row at each attempt. */
  readonly 'Data Conversion Errors': number
  /** Deliveries and preparations that failed and were tried again, or given up. */
  readonly 'Runtime Errors': number
  /** Rows taken from sources that have not settled yet. */
  readonly 'Backlogged Input Events': number
  /** Age of the oldest of them, seconds. */
  readonly 'Watermark Delay': number
  /** Rows dropped by policy. */
  readonly 'Dropped Events': number
}
