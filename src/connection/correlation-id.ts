/**
 * "\r\n\r\n" as a correlation id. To an HTTP server that waits for the end of a request line our first request now has
 * one, so it answers (400) at once and the mistake can be named instead of timing out (DESIGN.md, "Non-obvious").
 */
export const FIRST_CORRELATION_ID = 0x0d0a0d0a

/** Kafka's Java client keeps the last 8 ids for SASL (SaslClientAuthenticator); ours wrap before them. */
const MAX_CORRELATION_ID = 2 ** 31 - 1 - 8

/** The id of the next request; begins again at 0 before those of SASL. */
export function correlationIdAfter(id: number): number {
  return id >= MAX_CORRELATION_ID ? 0 : id + 1
}
