import { say, SaslProblem, type Exchange } from './exchange.ts'

export interface PlainCredentials {
  readonly username: string
  /** Asked once per exchange. */
  readonly password: () => Promise<string>
  /** Who to act as; empty: the user. Apache Kafka takes no other. */
  readonly authorizationId?: string
}

/**
 * PLAIN: `[authorizationId] NUL username NUL password`, in UTF-8. What the broker answers to the right ones means nothing.
 *
 * Source: RFC 4616; PlainSaslServer of Apache Kafka, which refuses what is empty.
 */
export async function* plain({ username, password, authorizationId = '' }: PlainCredentials): Exchange {
  const secret = await password()
  for (const [name, part] of Object.entries({ username, password: secret, authorizationId })) {
    if (part.includes('\0')) throw new SaslProblem(`${name} holds a NUL character, which PLAIN cannot carry`)
    if (part === '' && name !== 'authorizationId') throw new SaslProblem(`${name} is empty`)
  }
  yield* say(Buffer.from(`${authorizationId}\0${username}\0${secret}`), [secret])
  return {}
}
