import { ProtocolError } from '../../src/errors.ts'
import { brokerText } from '../../src/sasl/broker-text.ts'
import { SaslProblem } from '../../src/sasl/exchange.ts'
import { readMskAnswer } from '../../src/sasl/aws-msk-iam.ts'
import { readErrorDocument } from '../../src/sasl/oauth-messages.ts'
import { checkServerFinal, readServerFirst, type ServerFirst } from '../../src/sasl/scram-messages.ts'
import { readAssumedRole, readStsError } from '../../src/sasl/sts-response.ts'
import type { Input } from './corpus.ts'
import { mapNothing } from './fields.ts'
import type { Target } from './targets.ts'

const NONCE = 'fyko+d2lbbFgONRv9qkxdawL'
const SECRET = 'c4n4ry-3c1f'
const SIGNATURE = Buffer.alloc(32, 7)
const FIRST = `r=${NONCE}3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096`

/** What a broker says during a login, and what STS does. A login that is refused is a `SaslProblem` instead. */
export function saslTargets(): Target[] {
  return [
    saslTarget('scram-first', 3, {
      run: (input) => readServerFirst(input, { nonce: NONCE, maxIterations: 1_000_000, secrets: [SECRET] }),
      check(_, value) {
        const { nonce, salt, iterations } = value as ServerFirst
        const isFine = nonce.startsWith(NONCE) && nonce.length > NONCE.length && salt.length > 0 && salt.length <= 1024
        return isFine && iterations >= 4096 && iterations <= 1_000_000 ? null : 'a message that must be refused'
      },
    }),
    saslTarget('scram-final', 2, {
      run: (input) => checkServerFinal(input, SIGNATURE, [SECRET]),
      check: (input) =>
        input.toString().startsWith(`v=${SIGNATURE.toString('base64')}`) ? null : 'a forged signature',
    }),
    saslTarget('oauth-document', 1, { run: (input) => readErrorDocument(input, [SECRET]), check: checkLine }),
    saslTarget('msk-answer', 1, { run: (input) => readMskAnswer(input, [SECRET]) }),
    saslTarget('sts-response', 2, {
      run: (input) => [readAssumedRole(input.toString()), readStsError(input.toString())],
    }),
    saslTarget('text', 1, { run: (input) => brokerText(input.toString(), [SECRET]), check: checkLine }),
  ]
}

function saslTarget(name: string, weight: number, { run, check }: Pick<Target, 'run' | 'check'>): Target {
  return {
    ...{ name: `sasl/${name}`, family: `sasl/${name}`, weight, map: mapNothing },
    ...(check === undefined ? {} : { check }),
    run(input) {
      try {
        return run(input)
      } catch (error) {
        if (!(error instanceof SaslProblem)) throw error
        const wrong = checkLine(input, error.message)
        if (wrong !== null) throw new Error(wrong, { cause: error })
        throw new ProtocolError('INVALID_VALUE', error.message)
      }
    },
  }
}

function checkLine(_: Buffer, value: unknown): string | null {
  const line = value as string
  if (line.includes(SECRET)) return 'a secret in an error'
  if (/\p{C}/u.test(line)) return 'control characters in an error'
  return line.length <= 700 ? null : `an error of ${line.length} characters`
}

/** One right input of each, and some that are nearly so. */
export function saslSeeds(): Input[] {
  const role = '<AssumeRoleResponse xmlns="x"><AssumeRoleResult><Credentials><AccessKeyId>A</AccessKeyId>'
  const rest =
    '<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2026-01-01T00:00:00Z</Expiration>'
  const seeds: readonly (readonly [target: string, ...texts: string[]])[] = [
    [
      'scram-first',
      FIRST,
      `${FIRST},x=y`,
      `m=x,${FIRST}`,
      'e=unknown-user',
      `e=${SECRET}`,
      FIRST.replace('4096', '2147483647'),
    ],
    ['scram-final', `v=${SIGNATURE.toString('base64')}`, 'v=', 'e=invalid-proof', `e=${SECRET}`],
    ['oauth-document', '{"status":"invalid_token","scope":"a","openid-configuration":"x"}', `{"status":"${SECRET}"}`],
    ['msk-answer', '{"version":"2020_10_22","request-id":"x"}', `{"version":"${SECRET}"}`],
    ['sts-response', `${role}${rest}</Credentials></AssumeRoleResult></AssumeRoleResponse>`],
    ['sts-response', '<ErrorResponse><Error><Code>A</Code><Message>&lt;&amp;</Message></Error></ErrorResponse>'],
    ['text', `a\nb ${SECRET} ${'x'.repeat(300)}`],
  ]
  return seeds.flatMap(([target, ...texts]) =>
    texts.map((text) => ({ target: `sasl/${target}`, bytes: Buffer.from(text) })),
  )
}
