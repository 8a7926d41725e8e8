import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { holdCredentials } from '../../src/sasl/aws-credentials.ts'
import { mskPayload } from '../../src/sasl/aws-msk-iam.ts'
import { regionOfHost } from '../../src/sasl/aws-region.ts'
import { instantOf } from '../sasl/vectors.ts'
import type { LineProcess } from '../support/kafka/line-process.ts'
import { describeBrokers } from '../support/kafka/require-brokers.ts'
import { startAwsClient } from './aws-judge.ts'
import { SEED, VALUES } from './comparison.ts'

const label = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,10}$/)
// AWS's client takes the first region that is anywhere in a name; these labels hold none.
const host = fc
  .tuple(
    ...[fc.constantFrom('b-1.', 'b-12.', 'boot-'), label, fc.constantFrom('kafka', 'kafka-serverless')],
    fc.constantFrom('us-east-1', 'eu-west-1', 'ap-southeast-2', 'us-gov-west-1', 'cn-north-1'),
  )
  .map(([broker, cluster, service, region]) => {
    const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
    return `${broker}${cluster}.c2.${service}.${region}.${suffix}`
  })
/** Everything that must be encoded; AWS's SDK trims what it is given. */
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((value) => value.trim() === value)
const login = fc.record({
  host,
  accessKeyId: fc.stringMatching(/^[!-~]{1,24}$/),
  secretAccessKey: fc.oneof(text, fc.stringMatching(/^[A-Za-z0-9+/]{40}$/)),
  sessionToken: fc.option(fc.oneof(text, fc.base64String({ minLength: 4, maxLength: 400 })), { nil: null }),
  userAgent: fc.stringMatching(/^[ -~]{1,30}$/),
})

describeBrokers("AWS's own client says the same", () => {
  let java: LineProcess
  beforeAll(async () => {
    java = await startAwsClient()
  })
  afterAll(() => java.close())

  it('for random brokers and credentials', async () => {
    const logins = fc.sample(login, { seed: SEED, numRuns: VALUES })
    const { result } = await java.ask('payloads', { logins })
    const payloads = result as Record<string, string>[]
    expect(payloads).toHaveLength(logins.length)
    const ours = logins.map(({ userAgent, ...given }, i) => {
      const { 'x-amz-date': date = '', 'x-amz-expires': expires } = payloads[i] ?? {}
      // It reads the clock twice, so it may have a second less.
      expect(['899', '900']).toContain(expires)
      const region = regionOfHost(given.host) ?? 'none'
      const signing = { host: given.host, region, wallMs: instantOf(date), expiresSeconds: Number(expires) }
      return mskPayload({ ...signing, credentials: holdCredentials(given) }, userAgent)
    })
    expect(ours).toEqual(payloads)
  })
})
