import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { malformed, OTHER_AUTHORIZATION_ID, Refused, refused, type ServerExchange } from './server-exchange.ts'
import { hmac, type ScramHash, type Users } from './users.ts'

/** The grammar of ScramMessages.java: names in ASCII, with `,` and `=` escaped. */
const NAME = '(?:[\\x01-\\x2b\\x2d-\\x3c\\x3e-\\x7f]|=2C|=3D)+'
const PRINTABLE = '[\\x21-\\x2b\\x2d-\\x7e]+'
const EXTENSIONS = '(?:,[A-Za-z]+=[\\x01-\\x2b\\x2d-\\x7f]+)*'
const BASE64 = '(?:[a-zA-Z0-9/+]{4})*(?:[a-zA-Z0-9/+]{3}=|[a-zA-Z0-9/+]{2}==)?'
const CLIENT_FIRST = new RegExp(
  `^(?<gs2Header>n,(?:a=(?<authorizationId>${NAME}))?,)(?<bare>n=(?<name>${NAME}),r=(?<nonce>${PRINTABLE})${EXTENSIONS})$`,
  's',
)
const CLIENT_FINAL = new RegExp(
  `^(?<withoutProof>c=(?<channel>${BASE64}),r=(?<nonce>${PRINTABLE})${EXTENSIONS}),p=(?<proof>${BASE64})$`,
  's',
)

/**
 * SCRAM, as strictly as RFC 5802 has it: the nonce of the last message is compared (CVE-2024-56128 is a broker that did
 * not), and so is its header, which Kafka does not look at. Who is not known, and who has a wrong password, hears the same.
 *
 * Source: RFC 5802 and 7677; ScramSaslServer of Apache Kafka.
 */
export function* scramServer(hash: ScramHash, users: Users, said: Buffer): ServerExchange {
  const {
    gs2Header = '',
    authorizationId,
    bare = '',
    name: escaped = '',
    nonce = '',
  } = read(CLIENT_FIRST, said, 'first')
  const name = unescape(escaped)
  const credential = users.scram(name, hash)
  if (credential === undefined) throw new Refused('unknown user')
  if (authorizationId !== undefined && unescape(authorizationId) !== name) throw refused(OTHER_AUTHORIZATION_ID)
  const { salt, iterations, storedKey, serverKey } = credential
  const fullNonce = nonce + randomBytes(24).toString('base64url')
  const serverFirst = `r=${fullNonce},s=${salt.toString('base64')},i=${iterations}`

  const final = read(CLIENT_FINAL, yield Buffer.from(serverFirst), 'last')
  const { nonce: finalNonce, channel, withoutProof = '', proof: proofText = '' } = final
  if (finalNonce !== fullNonce) throw malformed('the last SCRAM message has another nonce')
  if (channel !== Buffer.from(gs2Header).toString('base64')) {
    throw malformed('the last SCRAM message has another header than the first')
  }
  const message = `${bare},${serverFirst},${withoutProof}`
  const proof = Buffer.from(proofText, 'base64')
  const signature = hmac(hash, storedKey, message)
  if (proof.length !== signature.length) throw malformed(`a SCRAM proof of ${proof.length} bytes`)
  const clientKey = proof.map((byte, i) => byte ^ (signature[i] ?? 0))
  if (!timingSafeEqual(createHash(hash).update(clientKey).digest(), storedKey)) throw new Refused('wrong password')
  return { name, answer: Buffer.from(`v=${hmac(hash, serverKey, message).toString('base64')}`) }
}

function read(pattern: RegExp, said: Buffer, which: string): Readonly<Record<string, string | undefined>> {
  const groups = pattern.exec(said.toString())?.groups
  if (groups === undefined) throw malformed(`the ${which} SCRAM message is malformed`)
  return groups
}

function unescape(name: string): string {
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=')
}
