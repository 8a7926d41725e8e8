import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeResponseFrame } from '../../src/protocol/frame.ts'
import { apiVersions } from '../../src/protocol/messages/api-versions.ts'
import { produce } from '../../src/protocol/messages/produce.ts'
import {
  chooseVersion,
  decodeApiVersionsFrame,
  nextApiVersionsAttempt,
  type ApiVersionsOutcome,
} from '../../src/protocol/negotiate.ts'

const ranges = (min: number, max: number) => new Map([[produce.key, { min, max }]])

describe('chooseVersion', () => {
  it.each([
    [0, 11, 11], // Kafka 4.0
    [0, 3, 3],
    [13, 20, 13], // a broker newer than we are
    [3, 3, 3],
  ])('of a broker with %i to %i takes %i', (min, max, version) => {
    expect(chooseVersion(produce, ranges(min, max), 'broker 1')).toBe(version)
  })

  it.each([
    [14, 20, 'versions 14 to 20'],
    [9, 4, 'versions 9 to 4'], // nonsense, but not ours to crash on
  ])('refuses a broker with %i to %i', (min, max, theirs) => {
    expect(() => chooseVersion(produce, ranges(min, max), 'b1:9092')).toThrow(
      `b1:9092: UNSUPPORTED_VERSION (35): Produce: the broker speaks ${theirs}, headrace 0 to 13`,
    )
  })

  it.each([
    [0, 13, 12], // what the caller can do at most
    [0, 7, 7],
    [3, 3, 3],
  ])('within 3 to 12, of a broker with %i to %i takes %i', (min, max, version) => {
    const limits = { minVersion: 3, maxVersion: 12 }
    expect(chooseVersion(produce, ranges(min, max), 'broker 1', limits)).toBe(version)
  })

  it.each([
    [0, 2], // Kafka 0.10 reads message sets only
    [13, 20],
  ])('refuses, for a caller limited to 3 to 12, a broker with %i to %i', (min, max) => {
    const call = () => chooseVersion(produce, ranges(min, max), 'b1:9092', { minVersion: 3, maxVersion: 12 })
    expect(call).toThrow(`Produce: the broker speaks versions ${min} to ${max}, headrace 3 to 12`)
  })

  it('refuses a broker that does not have the API', () => {
    expect(() => chooseVersion(produce, new Map(), 'b1:9092')).toThrow('the broker speaks no version, headrace 0 to 13')
  })
})

describe('nextApiVersionsAttempt', () => {
  const answer = (errorCode: number, maxVersion?: number): ApiVersionsOutcome => ({
    errorCode,
    apiKeys: maxVersion === undefined ? [] : [{ apiKey: 18, minVersion: 0, maxVersion }],
  })

  it.each([
    ['a hint', 4, answer(35, 2), 2],
    ['a hint of 3', 4, answer(35, 3), 3],
    ['a hint of 0', 4, answer(35, 0), 0],
    ['no hint (before Kafka 2.4)', 4, answer(35), 0],
    ['a hint that is not below', 4, answer(35, 4), 0],
    ['a hint that makes no sense', 4, answer(35, -1), 0],
    ['the connection closed (Event Hubs)', 4, 'closed' as const, 3],
    ['the connection closed again', 3, 'closed' as const, 0],
    ['the connection closed at v0', 0, 'closed' as const, null],
    ['INVALID_REQUEST, for our name', 4, answer(42), 0],
    ['a refusal of the hint itself', 2, answer(35, 1), 0],
    ['a refusal of v0', 0, answer(35, 4), null],
    ['success', 4, answer(0), null],
    ['any other error', 4, answer(58), null],
  ])('after %s at v%i', (_, previous, outcome, next) => {
    expect(nextApiVersionsAttempt(previous, outcome)).toBe(next)
  })

  it('goes down only, and ends after three attempts at most, whatever the broker answers', () => {
    const outcome = fc.oneof(
      fc.constant('closed' as const),
      fc
        .tuple(fc.constantFrom(0, 35, 42, 58), fc.option(fc.integer({ min: -5, max: 9 }), { nil: undefined }))
        .map((a) => answer(...a)),
    )
    fc.assert(
      fc.property(fc.array(outcome, { minLength: 4, maxLength: 4 }), (outcomes) => {
        const attempts = [apiVersions.maxVersion]
        for (const each of outcomes) {
          const next = nextApiVersionsAttempt(attempts.at(-1)!, each)
          if (next === null) break
          expect(next).toBeLessThan(attempts.at(-1)!)
          attempts.push(next)
        }
        expect(attempts.length).toBeLessThanOrEqual(3)
      }),
    )
  })
})

describe('decodeApiVersionsFrame', () => {
  const apiKeys = [{ apiKey: 18, minVersion: 0, maxVersion: 3 }]
  const frameOf = (version: number, errorCode: number) =>
    Buffer.concat(encodeResponseFrame(apiVersions, version, 1, { errorCode, apiKeys }).chunks).subarray(4)

  it('reads a refusal in the v0 format, whatever was asked', () => {
    expect(decodeApiVersionsFrame(4, frameOf(0, 35))).toMatchObject({ errorCode: 35, apiKeys })
  })

  it('reads any other answer in the version asked', () => {
    expect(decodeApiVersionsFrame(4, frameOf(4, 0))).toMatchObject({ errorCode: 0, apiKeys })
  })
})
