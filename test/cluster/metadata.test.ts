import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Metadata, NO_TOPIC_ID, type MetadataResponse } from '../../src/cluster/metadata.ts'

/** Every topic is asked about. */
const all = (): boolean => true

const ID = 'bGVhZGVyIG9mIHRoZSBwYQ'
const OTHER_ID = 'YW5vdGhlciBsaWZlIG9mIA'

interface PartitionSpec {
  readonly index: number
  readonly leader: number
  readonly epoch: number
}

type TopicAnswer = MetadataResponse['topics'][number]

function topicOf(name: string, partitions: readonly PartitionSpec[], parts: Partial<TopicAnswer> = {}): TopicAnswer {
  return {
    ...{ errorCode: 0, name, topicId: ID, isInternal: false, topicAuthorizedOperations: 0 },
    partitions: partitions.map(({ index, leader, epoch }) => ({
      ...{ errorCode: 0, partitionIndex: index, leaderId: leader, leaderEpoch: epoch },
      ...{ replicaNodes: [], isrNodes: [], offlineReplicas: [] },
    })),
    ...parts,
  }
}

function answerOf(...topics: TopicAnswer[]): MetadataResponse {
  const brokers = [1, 2, 3].map((nodeId) => ({ nodeId, host: `b${nodeId}`, port: 9092, rack: null }))
  return {
    ...{ throttleTimeMs: 0, brokers, clusterId: 'c', controllerId: 1, topics },
    ...{ clusterAuthorizedOperations: 0, errorCode: 0 },
  }
}

function after(...answers: MetadataResponse[]): Metadata {
  return answers.reduce((metadata, answer, i) => metadata.merge(answer, i, all), new Metadata())
}

const p = (index: number, leader: number, epoch = 0): PartitionSpec => ({ index, leader, epoch })

describe('Metadata', () => {
  it('knows brokers, topics and leaders', () => {
    const metadata = after(answerOf(topicOf('t', [p(1, 2), p(0, 1)])))
    expect(metadata.brokers.get(2)).toEqual({ host: 'b2', port: 9092 })
    expect([metadata.leader('t', 0), metadata.leader('t', 1), metadata.leader('t', 2)]).toEqual([1, 2, -1])
    expect(metadata.leader('u', 0)).toBe(-1)
    expect([metadata.topicCount, metadata.clusterId]).toEqual([1, 'c'])
  })

  it('does not change; every answer gives a new one', () => {
    const first = after(answerOf(topicOf('t', [p(0, 1)])))
    const second = first.merge(answerOf(topicOf('t', [p(0, 2, 1)])), 1, all)
    expect([first.leader('t', 0), second.leader('t', 0)]).toEqual([1, 2])
  })

  it('keeps a topic that vanishes for a moment, and notes the problem', () => {
    const gone = answerOf(topicOf('t', [], { errorCode: 3 }))
    const metadata = after(answerOf(topicOf('t', [p(0, 1)])), gone)
    expect(metadata.leader('t', 0)).toBe(1)
    expect(metadata.problem('t')).toEqual({ errorCode: 3, atMs: 1 })
    expect(metadata.merge(answerOf(topicOf('t', [p(0, 1)])), 2, all).problem('t')).toBeUndefined()
    expect(metadata.merge(answerOf(), 2, all).leader('t', 0)).toBe(1)
  })

  it('forgets brokers that are gone', () => {
    const metadata = after(answerOf()).merge({ ...answerOf(), brokers: [] }, 1, all)
    expect(metadata.brokers.size).toBe(0)
  })

  it('does not believe in an older leader', () => {
    const metadata = after(answerOf(topicOf('t', [p(0, 2, 5)])), answerOf(topicOf('t', [p(0, 1, 4)])))
    expect(metadata.leader('t', 0)).toBe(2)
    expect(metadata.topic('t')?.leaderEpochs[0]).toBe(5)
  })

  it('begins anew with a topic that was made anew', () => {
    const again = topicOf('t', [p(0, 1, 0)], { topicId: OTHER_ID })
    const metadata = after(answerOf(topicOf('t', [p(0, 2, 5)])), answerOf(again))
    expect([metadata.leader('t', 0), metadata.topic('t')?.topicId]).toEqual([1, OTHER_ID])
  })

  it('takes what a broker says that is too old for epochs and ids', () => {
    const old = (leader: number): TopicAnswer => topicOf('t', [p(0, leader, -1)], { topicId: NO_TOPIC_ID })
    expect(after(answerOf(old(1)), answerOf(old(2))).leader('t', 0)).toBe(2)
  })

  it('counts a partition that the answer leaves out as leaderless, and ignores one that cannot be', () => {
    const metadata = after(answerOf(topicOf('t', [p(0, 1), p(7, 2)])))
    expect([metadata.leader('t', 0), metadata.leader('t', 1), metadata.leader('t', 7)]).toEqual([1, -1, -1])
  })

  it('calls partitions with a leader available, or all of them if none has one', () => {
    expect(after(answerOf(topicOf('t', [p(0, -1), p(1, 1)]))).topic('t')?.available).toEqual([1])
    expect(after(answerOf(topicOf('t', [p(0, -1), p(1, -1)]))).topic('t')?.available).toEqual([0, 1])
  })

  describe('withLeader', () => {
    const known = after(answerOf(topicOf('t', [p(0, 1, 3)])))
    const hint = { topic: 't', partition: 0, leader: 2, leaderEpoch: 4, endpoint: null }

    it('believes a newer leader', () => {
      const metadata = known.withLeader(hint)
      expect([metadata.leader('t', 0), known.leader('t', 0)]).toEqual([2, 1])
    })

    it.each([
      ['an epoch that is known', { leaderEpoch: 3 }],
      ['an older epoch', { leaderEpoch: 2 }],
      ['an unknown topic', { topic: 'u' }],
      ['an unknown partition', { partition: 1 }],
      ['a broker without an address', { leader: 9 }],
    ])('does not believe %s', (_what, change) => {
      expect(known.withLeader({ ...hint, ...change })).toBe(known)
    })

    it('learns the address of a new broker', () => {
      const metadata = known.withLeader({ ...hint, leader: 9, endpoint: { host: 'b9', port: 1 } })
      expect([metadata.leader('t', 0), metadata.brokers.get(9)]).toEqual([9, { host: 'b9', port: 1 }])
    })
  })

  it('never goes back to an older leader of the same topic, in whatever order the news comes', () => {
    const news = fc.record({ leader: fc.integer({ min: 1, max: 3 }), epoch: fc.nat(20), isHint: fc.boolean() })
    fc.assert(
      fc.property(fc.array(news, { minLength: 1 }), (list) => {
        let metadata = after(answerOf(topicOf('t', [p(0, 1, 0)])))
        let newest = 0
        for (const { leader, epoch, isHint } of list) {
          metadata = isHint
            ? metadata.withLeader({ topic: 't', partition: 0, leader, leaderEpoch: epoch, endpoint: null })
            : metadata.merge(answerOf(topicOf('t', [p(0, leader, epoch)])), 0, all)
          newest = Math.max(newest, epoch)
          expect(metadata.topic('t')?.leaderEpochs[0]).toBe(newest)
        }
      }),
    )
  })
})
