import { api, array, int16, string, type Infer, type Input } from '../schema.ts'

/**
 * SaslHandshake (key 17) names the SASL mechanism of a connection; the answer lists those that the broker has.
 *
 * After v0 the mechanism's bytes follow as they are, each behind a length of four bytes; after v1 they travel in
 * SaslAuthenticate (KIP-152). Never flexible: old clients could not read the answer (KAFKA-9577).
 *
 * Source: SaslHandshakeRequest.json and SaslHandshakeResponse.json of Apache Kafka 4.3.1.
 */
export const saslHandshake = api({
  name: 'SaslHandshake',
  key: 17,
  versions: [0, 1],
  flexible: Infinity,
  request: {
    mechanism: string,
  },
  response: {
    errorCode: int16,
    mechanisms: array(string),
  },
})
export type SaslHandshakeRequest = Input<typeof saslHandshake.request>
export type SaslHandshakeResponse = Infer<typeof saslHandshake.response>
