import { describe, expect, it } from 'vitest'
import { DeliveryError } from '../../src/errors.ts'
import { BatchDeliveryError, ReportReceipt } from '../../src/producer/delivery-report.ts'
import { Offsets } from '../../src/producer/offsets.ts'
import { RecordMetadata } from '../../src/producer/record-metadata.ts'

const lost = new DeliveryError('DELIVERY_TIMEOUT', 'late', { retriable: true, maybeWritten: true })

describe('ReportReceipt', () => {
  it('keeps where each of many records went, in the order of their places', async () => {
    const report = new ReportReceipt()
    const places = Array.from({ length: 1000 }, () => report.next())
    for (const place of [...places].reverse())
      report.settleDelivered(place, `t${place % 3}`, place % 7, new Offsets(BigInt(place) * 10n), 5)
    await report.allSettled()
    expect(report.count).toBe(1000)
    for (const place of places) {
      expect(report.metadata(place)).toEqual(new RecordMetadata(`t${place % 3}`, place % 7, BigInt(place) * 10n, 5))
    }
  })

  it('is settled only when every record is', async () => {
    const report = new ReportReceipt()
    report.next()
    report.next()
    let isSettled = false
    const settled = report.allSettled().then(() => (isSettled = true))
    report.settleFailed(0, lost)
    await Promise.resolve()
    expect(isSettled).toBe(false)
    report.settleDelivered(1, 't', 0, new Offsets(1n), 0)
    await settled
    expect(report.failed).toEqual([{ index: 0, error: lost }])
    expect(() => report.metadata(0)).toThrow(lost)
    expect(() => report.metadata(2)).toThrow('no record 2; the report has 2')
    expect(() => report.metadata(-1)).toThrow('no record -1')
  })
})

describe('BatchDeliveryError', () => {
  it('counts, gives each reason once, and is as open as its worst record', () => {
    const report = new ReportReceipt()
    for (let i = 0; i < 3; i++) report.next()
    report.settleFailed(0, lost)
    report.settleFailed(1, lost)
    const error = new BatchDeliveryError(report)
    expect(error.message).toBe('sendAll: BATCH_FAILED: 2 of 3 records were not delivered; late')
    expect(error).toMatchObject({ errors: [lost], maybeWritten: true, retriable: true, cause: lost, report })
  })
})

describe('RecordMetadata', () => {
  it('becomes JSON with the offset as a decimal string', () => {
    const metadata = new RecordMetadata('t', 1, 9007199254740993n, 5)
    expect(JSON.stringify(metadata)).toBe('{"topic":"t","partition":1,"offset":"9007199254740993","timestamp":5}')
  })
})
