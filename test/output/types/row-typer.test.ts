import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KafkaError } from '../../../src/index.ts'
import { checkColumns, columnTypes, type ColumnType } from '../../../src/output/types/column-type.ts'
import { ConversionError } from '../../../src/output/types/conversion-error.ts'
import { RowTyper } from '../../../src/output/types/row-typer.ts'
import { DateTime, Row, typeOf, type Value } from '../../../src/output/types/value.ts'
import { anyRow, conversionError, row } from '../support.ts'

class TestClass {
  readonly x = 1
}

function only(value: unknown): Value {
  return row({ it: value }).values[0] ?? null
}

function declared(type: ColumnType, value: unknown): Value {
  return new RowTyper([{ name: 'it', type }]).type({ it: value }).values[0] ?? null
}

describe('a value without a declared column', () => {
  it.each([
    [5, 5n, 'bigint'],
    [-0, 0n, 'bigint'],
    [2 ** 53 - 1, 9007199254740991n, 'bigint'],
    [2 ** 53, 9007199254740992, 'float'],
    [42.7, 42.7, 'float'],
    [2n ** 63n - 1n, 9223372036854775807n, 'bigint'],
    [-(2n ** 63n), -9223372036854775808n, 'bigint'],
    ['2015-09-29T17:48:42', '2015-09-29T17:48:42', 'nvarchar(max)'],
    [true, true, 'bit'],
    [null, null, null],
    [new Date('2014-09-10T12:01:00.123Z'), new DateTime('2014-09-10T12:01:00.1230000Z'), 'datetime'],
    [[1, [2.5, null]], [1n, [2.5, null]], 'array'],
    [{ b: 1, a: { c: 'x' } }, new Row(['b', 'a'], [1n, new Row(['c'], ['x'])]), 'record'],
  ])('asa-Z1: %o is %o, a %s', (input, value, type) => {
    expect(only(input)).toStrictEqual(value)
    expect(typeOf(only(input))).toBe(type)
  })

  it('is no column when undefined, as in JSON; names without meaning to JavaScript keep their order', () => {
    expect(row(JSON.parse('{"__proto__":1,"b":2}') as object)).toStrictEqual(new Row(['__proto__', 'b'], [1n, 2n]))
    expect(row({ a: undefined, b: 1 }).names).toEqual(['b'])
  })

  it.each([
    [NaN, 'NaN'],
    [Infinity, 'Infinity'],
    [2n ** 63n, 'bigint'],
    [-(2n ** 63n) - 1n, 'bigint'],
    [() => 1, 'function'],
    [Symbol('s'), 'symbol'],
    [new Date(NaN), 'a Date'],
    [new Date(8.64e15), 'a Date'],
    [new Map([[1, 2]]), 'a Map'],
    [Buffer.from('x'), 'a Uint8Array'],
    [/x/, 'a RegExp'],
    [new TestClass(), 'a class instance'],
    [[1, undefined], 'undefined'],
  ])('asa-Z13: %o is a conversion error that says so', (input, kind) => {
    const error = conversionError(() => only(input))
    expect(error).toMatchObject({
      code: 'TYPE_CONVERSION_ERROR',
      dataErrorType: 'OutputDataConversionError.TypeConversionError',
      column: 'it',
      valueKind: kind,
      retriable: false,
      maybeWritten: false,
    })
    expect(error).toBeInstanceOf(KafkaError)
    expect(error.message).toContain(`column "it`)
  })

  it('asa-Z13: deep inside is named by its path, and the row by number; the value is not in the message', () => {
    const error = conversionError(() => row({ ok: 1, machine: { readings: [1, { secret: 2n ** 70n }] } })).inRow(17)
    expect(error).toMatchObject({ column: 'machine', path: 'machine.readings[1].secret', row: 17 })
    expect(error.message).toContain('row 17, column "machine.readings[1].secret"')
    expect(error.message).not.toContain(String(2n ** 70n))
  })

  it('forgets where a row failed before the next', () => {
    const typer = new RowTyper()
    conversionError(() => typer.type({ a: { b: NaN } }))
    expect(conversionError(() => typer.type({ c: NaN })).path).toBe('c')
  })

  it('ends at a cycle, and at a getter that throws', () => {
    const cycle: Record<string, unknown> = {}
    cycle['again'] = cycle
    expect(conversionError(() => row(cycle)).reason).toContain('more than 100')
    const failing = Object.defineProperty({}, 'x', {
      enumerable: true,
      get: () => {
        throw new TypeError('boom')
      },
    })
    expect(conversionError(() => row(failing)).cause).toBeInstanceOf(TypeError)
  })

  it.each([[null], ['text'], [[1]], [5], [new Map()], [undefined]])(
    'a row that is %o is a conversion error',
    (input) => {
      expect(conversionError(() => new RowTyper().type(input))).toMatchObject({
        column: null,
        reason: 'a row is a plain object',
      })
    },
  )

  it('two columns whose names differ in case only are DuplicateKey, in the words of Stream Analytics', () => {
    expect(conversionError(() => row({ Time: 1, b: 2, TIME: 3 }))).toMatchObject({
      dataErrorType: 'OutputDataConversionError.DuplicateKey',
      column: 'TIME',
      reason: "Column 'TIME' is being mapped to multiple columns.",
    })
    expect(row({ r: { Time: 1, TIME: 2 } }).names).toEqual(['r'])
  })

  it('takes every row of the type table, and gives nothing but rows and conversion errors for anything', () => {
    fc.assert(
      fc.property(anyRow, (input) => {
        expect(row(input).names).toEqual(Object.keys(input))
      }),
    )
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withTypedArray: true,
          withNullPrototype: true,
          withSparseArray: true,
        }),
        (input) => {
          try {
            new RowTyper().type(input)
          } catch (error) {
            expect(error).toBeInstanceOf(ConversionError)
          }
        },
      ),
    )
  })
})

describe('a value of a declared column', () => {
  it.each<[ColumnType, unknown, Value]>([
    ['bigint', '9223372036854775807', 9223372036854775807n],
    ['bigint', '-0042', -42n],
    ['bigint', '+7', 7n],
    ['bigint', 2 ** 60, 1152921504606846976n],
    ['bigint', true, 1n],
    ['float', 5, 5],
    ['float', 2n ** 53n, 2 ** 53],
    ['float', '98103.0', 98103],
    ['float', '-1.5e3', -1500],
    ['nvarchar(max)', 9007199254740993n, '9007199254740993'],
    ['nvarchar(max)', 0.1, '0.1'],
    ['nvarchar(max)', false, 'false'],
    ['nvarchar(max)', new Date(0), '1970-01-01T00:00:00.0000000Z'],
    ['datetime', '2014-12-11T02:24:56.885011Z', new DateTime('2014-12-11T02:24:56.8850110Z')],
    ['datetime', '2017-11-10T07:27:47.2779369Z', new DateTime('2017-11-10T07:27:47.2779369Z')],
    ['bit', 'TRUE', true],
    ['bit', 0, false],
    ['record', { a: 1 }, new Row(['a'], [1n])],
    ['array', [1], [1n]],
    ...columnTypes.map((type): [ColumnType, unknown, Value] => [type, null, null]),
  ])('%s takes %o as %o', (type, input, value) => {
    expect(declared(type, input)).toStrictEqual(value)
  })

  it.each<[ColumnType, unknown, string]>([
    ['bigint', '9223372036854775808', 'outside of int64'],
    ['bigint', '1.0', 'expected decimal digits'],
    ['bigint', '', 'expected decimal digits'],
    ['bigint', 1.5, 'it has a fraction'],
    ['bigint', 1e19, 'outside of int64'],
    ['bigint', new Date(0), 'cannot be written as bigint'],
    ['float', 2n ** 53n + 1n, 'digits would be lost'],
    ['float', '1e999', 'larger than'],
    ['float', 'NaN', 'expected a decimal number'],
    ['float', '0x10', 'expected a decimal number'],
    ['float', true, 'cannot be written as float'],
    ['datetime', '2014-02-30', 'no such day'],
    ['datetime', 'yesterday', 'expected a datetime'],
    ['datetime', '2014-02-01T00:00:00.12345678Z', 'more than seven'],
    ['datetime', 5, 'cannot be written as datetime'],
    ['bit', 'yes', 'expected true, false, 1 or 0'],
    ['bit', 2, 'expected true'],
    ['record', [1], 'cannot be written as record'],
    ['record', '{"a":1}', 'cannot be written as record'],
    ['array', { a: 1 }, 'cannot be written as array'],
    ['nvarchar(max)', { a: 1 }, 'cannot be written as nvarchar(max)'],
  ])('%s refuses %o: %s', (type, input, reason) => {
    expect(conversionError(() => declared(type, input)).reason).toContain(reason)
  })

  it('is found without regard to case, and has the name of its declaration', () => {
    const typer = new RowTyper([{ name: 'EntryTime', type: 'datetime' }])
    const typed = typer.type({ a: 1, entrytime: '2014-09-10T12:01Z' })
    expect(typed).toStrictEqual(new Row(['a', 'EntryTime'], [1n, new DateTime('2014-09-10T12:01:00.0000000Z')]))
  })

  it('takes a float of the reader that is whole as bigint only if declared so', () => {
    const read = new Row(['it'], [98103])
    expect(new RowTyper().type(read).values).toEqual([98103])
    expect(new RowTyper([{ name: 'it', type: 'bigint' }]).type(read).values).toEqual([98103n])
  })
})

describe('checkColumns', () => {
  it('reads type names without regard to case', () => {
    expect(checkColumns([{ name: 'a', type: 'NVARCHAR(MAX)' }])).toEqual({
      value: [{ name: 'a', type: 'nvarchar(max)' }],
    })
  })

  it('asa-Z4: names every problem at once', () => {
    expect(
      checkColumns([
        { name: 'a', type: 'int' },
        { name: '', type: 'bit' },
        { name: 'b', type: 'bit' },
        { name: 'B', type: 'bit' },
        null,
      ]),
    ).toEqual({
      problems: [
        'columns[0].type: got "int", expected one of bigint, float, nvarchar(max), datetime, bit, record, array',
        'columns[1].name: got "", expected a string that is not empty',
        'columns[3].name: got "B", which another column has already (case does not count)',
        'columns[4].name: got undefined, expected a string that is not empty',
        'columns[4].type: got undefined, expected one of bigint, float, nvarchar(max), datetime, bit, record, array',
      ],
    })
    expect(checkColumns('a')).toEqual({ problems: ['columns: got "a", expected a list of { name, type }'] })
  })
})
