import { describe, expect, it, vi } from 'vitest'
import { BrokerError } from '../../src/errors.ts'
import { Batch } from '../../src/producer/batch.ts'
import { recordErrors } from '../../src/producer/batch-errors.ts'
import type { PartitionAnswer } from '../../src/producer/produce-exchange.ts'
import type * as errorCodes from '../../src/protocol/error-codes.ts'
import { toBrokerError } from '../../src/protocol/error-codes.ts'

// Counted, so that a test sees how much work an answer makes.
vi.mock('../../src/protocol/error-codes.ts', async (importOriginal) => {
  const original = await importOriginal<typeof errorCodes>()
  return { ...original, toBrokerError: vi.fn(original.toBrokerError) }
})

const INVALID_RECORD = 87
const refusal = new BrokerError('INVALID_RECORD', INVALID_RECORD, 'the batch')

function batchOf(count: number): Batch {
  const batch = new Batch({ topic: 't', partition: 0, createdMs: 0, deadlineMs: 1 }, 100)
  const receipt = { settleDelivered: () => undefined, settleFailed: () => undefined }
  for (let token = 0; token < count; token++) {
    batch.append({ key: null, value: null, headers: [], timestamp: 0 }, receipt, token, 1)
  }
  return batch
}

const answerNaming = (named: number[]): PartitionAnswer => ({
  index: 0,
  errorCode: INVALID_RECORD,
  baseOffset: -1n,
  logAppendTimeMs: -1n,
  logStartOffset: -1n,
  recordErrors: named.map((batchIndex) => ({ batchIndex, batchIndexErrorMessage: `no ${batchIndex}` })),
  errorMessage: 'no',
  currentLeader: { leaderId: -1, leaderEpoch: -1 },
})

describe('records that an answer names', () => {
  it('are passed over where the batch has no such record: the answer is about all of them', () => {
    expect(recordErrors(batchOf(2), answerNaming([-1, 2, 7]), refusal)).toBeNull()
    const errorOf = recordErrors(batchOf(2), answerNaming([7, 1]), refusal)
    expect([0, 1].map((index) => errorOf?.(index).code)).toEqual(['BATCH_REJECTED', 'INVALID_RECORD'])
  })

  it('make no more errors than the batch has records, however many are named', () => {
    vi.mocked(toBrokerError).mockClear()
    const named = Array.from({ length: 100_000 }, (_, index) => index)
    const errorOf = recordErrors(batchOf(1), answerNaming(named), refusal)
    expect(errorOf?.(0)).toMatchObject({ code: 'INVALID_RECORD', message: expect.stringContaining('no 0') as string })
    expect(toBrokerError).toHaveBeenCalledTimes(1)
  })
})
