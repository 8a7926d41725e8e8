import { describe, expect, it } from 'vitest'
import { nearestNames } from '../src/nearest.ts'

describe('nearestNames', () => {
  const names = ['brokers', 'compression', 'batchBytes', 'lingerMs', 'acks']

  it.each([
    ['brokerz', 'brokers'],
    ['compresion', 'compression'],
    ['borkers', 'brokers'],
    ['batch.bytes', 'batchBytes'],
    ['LINGER_MS', 'lingerMs'],
    ['akcs', 'acks'],
  ])('finds what %s was meant to be', (typed, meant) => {
    expect(nearestNames(typed, names)).toEqual([meant])
  })

  it('keeps silent when nothing is near', () => {
    expect(nearestNames('whatever', names)).toEqual([])
  })

  it('gives the nearest first, at most as many as asked', () => {
    expect(nearestNames('order', ['orders', 'order-s', 'border', 'other'], 2)).toEqual(['border', 'order-s'])
  })
})
