import { describe, expect, it } from 'vitest'
import { likelyKafka } from '../../src/diagnose/kafka-version.ts'
import { PLAYED_KAFKAS, servedVersions } from '../../src/testing/served-apis.ts'

const KEYS = [0, 1, 2, 3, 11, 19, 22, 24, 29, 32, 35]

/**
 * The newest versions of those APIs, from `validVersions` in common/message/*.json of kafka-clients-*.jar, without what is
 * marked as unstable.
 */
const FROM_JARS: Readonly<Record<string, readonly number[]>> = {
  '2.8': [9, 12, 6, 11, 7, 7, 4, 3, 2, 4, 2], // 2.8.2
  '3.9': [11, 17, 9, 12, 9, 7, 5, 5, 3, 4, 4], // 3.9.1
  '4.1': [13, 18, 10, 13, 9, 7, 5, 5, 3, 4, 4], // 4.1.1
  '4.2': [13, 18, 11, 13, 9, 7, 5, 5, 3, 4, 4], // 4.2.0
  '4.3 or newer': [13, 18, 11, 13, 9, 7, 5, 5, 3, 4, 5], // 4.3.1
}

const rangesOf = (maxima: readonly number[]): Map<number, { min: number; max: number }> =>
  new Map(maxima.map((max, i) => [KEYS[i] ?? -1, { min: 0, max }]))

describe('the likely version of a broker', () => {
  it.each(Object.entries(FROM_JARS))('is %s for the versions in its jar', (release, maxima) => {
    expect(likelyKafka(rangesOf(maxima))).toBe(release)
  })

  it.each([
    ['0.10.0', '0.10.0'],
    ['0.10.2', '0.10.1 to 0.10.2'],
    ['0.11', '0.11'],
    ['1.1', '1.0 to 1.1'],
    ['2.8', '2.8 to 3.0'],
    ['3.9', '3.8 to 3.9'],
    ['4.3', '4.1 or newer'],
  ] as const)('is narrowed down for a broker with few APIs, as %s', (played, told) => {
    expect(PLAYED_KAFKAS).toContain(played)
    const served = servedVersions(played, {})
    expect(likelyKafka(new Map([...served].map(([key, [min, max]]) => [key, { min, max }])))).toBe(told)
  })

  it('cannot tell 3.3 from 3.4', () => {
    expect(likelyKafka(rangesOf([9, 13, 7, 12, 9, 7, 4, 3, 3, 4, 4]))).toBe('3.3 to 3.4')
  })

  it('is newer than we know for one that is', () => {
    expect(likelyKafka(rangesOf([99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99]))).toBe('4.3 or newer')
  })

  it('is older than 0.10 for one that has next to nothing', () => {
    expect(likelyKafka(new Map())).toBe('older than 0.10')
  })
})
