import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromDate, fromIsoText } from '../../../src/output/types/date-time.ts'
import { DateTime } from '../../../src/output/types/value.ts'

describe('fromIsoText', () => {
  it.each([
    ['2014-09-10', '2014-09-10T00:00:00.0000000Z'],
    ['2014-09-10T12:01', '2014-09-10T12:01:00.0000000Z'],
    ['2014-09-10 12:01:02', '2014-09-10T12:01:02.0000000Z'],
    ['2014-09-10t12:01:02.5z', '2014-09-10T12:01:02.5000000Z'],
    ['2017-11-10T07:27:47.2779369Z', '2017-11-10T07:27:47.2779369Z'],
    ['2017-11-10T07:27:47.277936900Z', '2017-11-10T07:27:47.2779369Z'],
    ['2017-11-10T00:30:00.0000001+01:00', '2017-11-09T23:30:00.0000001Z'],
    ['2017-12-31T23:30:00-0130', '2018-01-01T01:00:00.0000000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.0000000Z'],
    ['9999-12-31T23:59:59.9999999Z', '9999-12-31T23:59:59.9999999Z'],
    ['2016-02-29', '2016-02-29T00:00:00.0000000Z'],
  ])('%s is %s', (text, moment) => {
    expect(fromIsoText(text)).toStrictEqual(new DateTime(moment))
  })

  it.each([
    '2015-02-29',
    '2015-13-01',
    '2015-00-01',
    '2015-01-01T24:00',
    '2015-01-01T00:60',
    '2015-01-01T00:00:60',
    '2015-01-01T00:00+15:00',
    '0000-12-31',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    '2015-01-01T00:00:00.00000001Z',
    '2015-1-1',
    '10000-01-01',
    '',
  ])('refuses %s', (text) => {
    expect(fromIsoText(text)).toHaveProperty('reason')
  })

  it('reads what Date writes, and four zeros more', () => {
    const dates = fc.date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    })
    fc.assert(
      fc.property(dates, (date) => {
        expect(fromIsoText(date.toISOString())).toStrictEqual(fromDate(date))
        expect((fromDate(date) as DateTime).text).toBe(date.toISOString().replace('Z', '0000Z'))
      }),
    )
  })
})
