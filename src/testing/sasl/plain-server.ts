import { malformed, NOTHING, OTHER_AUTHORIZATION_ID, refused, type ServerExchange } from './server-exchange.ts'
import type { Users } from './users.ts'

/** It stops counting there, as Kafka does. */
const MAX_PARTS = 4

/**
 * PLAIN: one message, `[authorization id] NUL user NUL password`.
 *
 * Source: RFC 4616; PlainSaslServer of Apache Kafka, whose words these are.
 */
export function* plainServer(users: Users, said: Buffer): ServerExchange {
  const parts = said.toString().split('\0', MAX_PARTS)
  const [authorizationId = '', name = '', password = ''] = parts
  if (parts.length !== 3) {
    const what = `Invalid SASL/PLAIN response: expected 3 tokens, got ${parts.length}`
    throw malformed(what, what)
  }
  if (name === '') throw refused('Authentication failed: username not specified')
  if (password === '') throw refused('Authentication failed: password not specified')
  if (!users.isPassword(name, password)) throw refused('Authentication failed: Invalid username or password')
  if (authorizationId !== '' && authorizationId !== name) throw refused(OTHER_AUTHORIZATION_ID)
  return { name, answer: NOTHING }
}
