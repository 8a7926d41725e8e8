import { api, bytes, int16, int64, string, type Infer, type Input } from '../schema.ts'

/**
 * SaslAuthenticate (key 36) carries one step of a SASL mechanism, after SaslHandshake v1 (KIP-152).
 *
 * v1 answers when the session ends, in ms from now; 0 says never, otherwise one authenticates again before that
 * (KIP-368). v2 is flexible.
 *
 * Source: SaslAuthenticateRequest.json and SaslAuthenticateResponse.json of Apache Kafka 4.3.1.
 */
export const saslAuthenticate = api({
  name: 'SaslAuthenticate',
  key: 36,
  versions: [0, 2],
  flexible: 2,
  request: {
    authBytes: bytes,
  },
  response: {
    errorCode: int16,
    errorMessage: string.nullable(),
    authBytes: bytes,
    sessionLifetimeMs: int64.since(1, 0n).ignorable(),
  },
})
export type SaslAuthenticateRequest = Input<typeof saslAuthenticate.request>
export type SaslAuthenticateResponse = Infer<typeof saslAuthenticate.response>
