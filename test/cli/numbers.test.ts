import { expect, test } from 'vitest'
import { bytes, counted, grouped, seconds } from '../../src/cli/numbers.ts'
import { table } from '../../src/cli/table.ts'

test('numbers are written for people', () => {
  expect([0, 999, 1000, 1234567, 1e9].map(grouped)).toEqual(['0', '999', '1,000', '1,234,567', '1,000,000,000'])
  expect([0, 1, 2000].map((count) => counted(count, 'record'))).toEqual(['0 records', '1 record', '2,000 records'])
  expect([0, 999, 1000, 9994, 9996, 99_960, 999_600, 1e15].map(bytes)).toEqual([
    '0 B',
    '999 B',
    '1.00 kB',
    '9.99 kB',
    '10.0 kB',
    '100 kB',
    '1.00 MB',
    '1000 TB',
  ])
  expect([0.0341, 2.414, 75.44, 754.4].map(seconds)).toEqual(['0.034 s', '2.41 s', '75.4 s', '754 s'])
})

test('columns are aligned, without blanks at the end', () => {
  expect(
    table(
      [{ title: 'A' }, { title: 'NUMBER', align: 'right' }, { title: 'C' }],
      [
        ['long', '7', ''],
        ['x', '12', 'c'],
      ],
    ),
  ).toEqual(['A     NUMBER  C', 'long       7', 'x         12  c'])
})
