import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OptionError } from '../../../src/index.ts'
import { decodeLong, encodeLong } from '../../../src/output/serialize/avro-long.ts'
import { AvroFormat, type AvroOptions } from '../../../src/output/serialize/avro.ts'
import { Avsc } from '../../../src/output/serialize/avsc.ts'
import { MessagePacker } from '../../../src/output/serialize/message-packer.ts'
import { RowTyper } from '../../../src/output/types/row-typer.ts'
import { Row } from '../../../src/output/types/value.ts'
import { avroRow, conversionError, row } from '../support.ts'

/** Bytes of fastavro, for a schema written by hand after destination-and-output.md B.9 item 4. */
const golden = JSON.parse(readFileSync(new URL('fastavro.json', import.meta.url), 'utf8')) as {
  schema: object
  rowHex: string
  longs: [string, string][]
}
const goldenRow = {
  big: 9007199254740993n,
  real: 45.67935044443204,
  text: 'é日😀',
  at: new Date('2014-09-10T12:01:00Z'),
  on: true,
  none: null,
  machine: { rpm: -(2n ** 63n) },
  readings: [1.5, null, 0],
}

function avro(options: Partial<AvroOptions> = {}): AvroFormat {
  return new AvroFormat({ framing: 'raw', schema: null, schemaId: null, columns: [], ...options })
}

function bytesOf(format: AvroFormat, input: object): Buffer {
  const typed = input instanceof Row ? input : row(input)
  return Buffer.from(format.assemble([format.encodeRow(typed)]))
}

/** The types of the schema's fields. */
function fields(format: AvroFormat): Record<string, unknown> {
  const schema = JSON.parse(format.schema ?? '{}') as { fields: { name: string; type: unknown }[] }
  return Object.fromEntries(schema.fields.map(({ name, type }) => [name, type]))
}

function schemaOf(fieldTypes: Record<string, unknown>): string {
  return JSON.stringify({
    type: 'record',
    name: 'R',
    fields: Object.entries(fieldTypes).map(([name, type]) => ({ name, type })),
  })
}

describe('Avro long', () => {
  it.each(golden.longs)('asa-Z3: %s is %s, as fastavro writes it', (digits, hex) => {
    expect(encodeLong(BigInt(digits)).toString('hex')).toBe(hex)
    expect(decodeLong(Buffer.from(hex, 'hex'))).toBe(BigInt(digits))
  })

  it('every int64 comes back', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (it) => {
        expect(decodeLong(encodeLong(it))).toBe(it)
      }),
    )
  })
})

describe('the derived schema', () => {
  it('asa-Z3: and the bytes of a row are those of fastavro', () => {
    const format = avro()
    const typed = row(goldenRow)
    // 0 in a row of JavaScript is a bigint; the golden row has the float -0.
    const values = typed.values.map((value, i) => (typed.names[i] === 'readings' ? [1.5, null, -0] : value))
    expect(bytesOf(format, new Row(typed.names, values)).toString('hex')).toBe(golden.rowHex)
    expect(JSON.parse(format.schema ?? '')).toEqual(golden.schema)
  })

  it('confluent is a zero and the id before the same bytes', () => {
    expect(bytesOf(avro({ framing: 'confluent', schemaId: 0x01020304 }), { a: 1 }).toString('hex')).toBe(
      '00010203040202',
    )
  })

  it('container begins with Obj, has the schema, codec null, and the sync marker twice', () => {
    const file = bytesOf(avro({ framing: 'container' }), { a: 1 })
    expect(file.subarray(0, 4).toString('latin1')).toBe('Obj\x01')
    expect(file.includes('avro.codec\x08null')).toBe(true)
    const sync = file.subarray(-16)
    expect(file.indexOf(sync)).toBe(file.length - 16 - 4 - 16)
    expect(file.subarray(-20, -16).toString('hex')).toBe('02040202')
  })

  it('asa-Z3: in containers a column that changes between bigint and float is double from then on', () => {
    const format = avro({ framing: 'container' })
    const types = [1, 2.5, 3, null, 4].map((a) => {
      bytesOf(format, { a })
      return fields(format)['a']
    })
    const double = ['null', 'double']
    expect(types).toEqual([['null', 'long'], double, double, double, double])
    bytesOf(format, { b: true, a: 5 })
    expect(fields(format)).toEqual({ b: ['null', 'boolean'], a: double })
    expect(conversionError(() => bytesOf(format, { a: 2n ** 53n + 1n })).reason).toContain('digits would be lost')
  })

  it('asa-Z3: a column that was only null takes the type of its first value; other columns are another schema', () => {
    const format = avro({ framing: 'container' })
    const seen = [{ a: null }, { a: 'x' }, { a: null }, { b: true }, { b: null, a: null }].map((it) => {
      bytesOf(format, it)
      return fields(format)
    })
    const [text, bit] = [
      ['null', 'string'],
      ['null', 'boolean'],
    ]
    expect(seen).toEqual([{ a: ['null'] }, { a: text }, { a: text }, { b: bit }, { b: bit, a: text }])
  })

  it('asa-Z3: rows are packed until the schema changes', () => {
    const packer = new MessagePacker(avro({ framing: 'container' }), {
      rowsPerMessage: 10,
      bytesPerMessage: 1e6,
      maxMessageBytes: 1e6,
    })
    const rows = [{ a: 1 }, { a: null }, { a: 2 }, { a: 2.5 }, { a: 3 }, { b: 1 }]
    const messages = [...rows.flatMap((it) => packer.push(row(it))), ...packer.flush()]
    expect(messages.map(({ rowCount }) => rowCount)).toEqual([3, 2, 1])
  })

  it('asa-Z3: raw may not change: float after bigint, a new column, another type are conversion errors', () => {
    const format = avro()
    bytesOf(format, { a: 1, b: { x: 1 }, d: 1.5 })
    const refused = (input: object): unknown => conversionError(() => bytesOf(format, input))
    expect(refused({ a: 1.5 })).toMatchObject({ code: 'TYPE_CONVERSION_ERROR', column: 'a', valueKind: 'double' })
    expect(refused({ a: 1, c: 1 })).toMatchObject({ code: 'COLUMN_NAME_INVALID', column: 'c' })
    expect(refused({ b: { y: 1 } })).toMatchObject({ code: 'COLUMN_NAME_INVALID', path: 'b.y' })
    expect(refused({ b: 'text' })).toMatchObject({ code: 'TYPE_CONVERSION_ERROR', column: 'b' })
    expect(bytesOf(format, { d: 2 }).toString('hex')).toBe('0000020000000000000040')
  })

  it('asa-Z3: raw: a column that was only null may take a type, for the bytes before stay readable', () => {
    const format = avro()
    const before = bytesOf(format, { a: null, l: [], r: 1 })
    bytesOf(format, { a: 'x', l: [1n], r: 2 })
    expect(new Avsc().parse(JSON.parse(format.schema ?? '')).fromBuffer(before)).toEqual({ a: null, l: [], r: 1n })
    expect(conversionError(() => bytesOf(format, { a: 5, l: [], r: 3 })).column).toBe('a')
  })

  it('declared columns fix it beforehand', () => {
    const columns = [
      { name: 'a', type: 'float' },
      { name: 'b', type: 'datetime' },
    ] as const
    const format = avro({ columns })
    const typer = new RowTyper(columns)
    bytesOf(format, typer.type({ b: '2014-09-10' }))
    expect(fields(format)).toEqual({ a: ['null', 'double'], b: ['null', 'string'] })
    expect(conversionError(() => bytesOf(format, typer.type({ c: 1 }))).column).toBe('c')
  })

  it.each(['machine temperature', '1st', 'a.b', '', 'é'])(
    'refuses the column name %j, which Avro does not allow',
    (name) => {
      expect(conversionError(() => bytesOf(avro({ framing: 'container' }), { [name]: 1 }))).toMatchObject({
        dataErrorType: 'OutputDataConversionError.ColumnNameInvalid',
        column: name,
      })
    },
  )

  it('refuses an array of several types and half a surrogate pair', () => {
    expect(conversionError(() => bytesOf(avro(), { a: [1, 'x'] })).path).toBe('a[1]')
    expect(conversionError(() => bytesOf(avro(), { a: '\udc00' })).reason).toContain('surrogate')
  })

  it('takes names that mean something to JavaScript, and records of the same name at several places', () => {
    const input = JSON.parse(
      '{"__proto__":1,"constructor":"x","class":true,"a_b":{"c":1},"a":{"b":{"c":2},"item":{"item":3}}}',
    ) as object
    const format = avro()
    const bytes = bytesOf(format, input)
    expect(bytes.toString('hex')).toBe(['0202', '020278', '0201', '020202', '02', '020204', '020206'].join(''))
  })

  it('writes every row with such names, in every framing, and a row that fails changes nothing', () => {
    fc.assert(
      fc.property(fc.array(avroRow, { maxLength: 4 }), (inputs) => {
        const format = avro({ framing: 'container' })
        for (const input of inputs) {
          try {
            bytesOf(format, input)
          } catch {
            conversionError(() => bytesOf(format, input))
            expect(() => bytesOf(format, { fresh_after_failure: 1 })).not.toThrow()
          }
        }
      }),
    )
  })
})

describe('a given schema', () => {
  it('decides the types; what would lose something is a conversion error', () => {
    const schema = schemaOf({
      i: 'int',
      l: 'long',
      f: 'float',
      d: 'double',
      s: { type: 'enum', name: 'E', symbols: ['A'] },
      m: { type: 'map', values: 'long' },
    })
    const fine = { i: 1, l: 5, f: 0.5, d: 7, s: 'A', m: { 'a b': 1 } }
    const format = avro({ schema })
    expect(bytesOf(format, fine).toString('hex')).toBe(
      '020a' + '0000003f' + '0000000000001c40' + '00' + '0206612062' + '0200',
    )
    for (const [name, value] of Object.entries({ i: 2n ** 31n, l: 1.5, f: 0.1, d: 2n ** 53n + 1n, s: 'B', m: [1] })) {
      expect(conversionError(() => bytesOf(format, { ...fine, [name]: value })).column).toBe(name)
    }
    expect(conversionError(() => bytesOf(format, { ...fine, more: 1 }))).toMatchObject({
      code: 'COLUMN_NAME_INVALID',
      column: 'more',
    })
    const { l: _l, ...without } = fine
    expect(conversionError(() => bytesOf(format, without))).toMatchObject({
      code: 'REQUIRED_COLUMN_MISSING',
      column: 'l',
    })
  })

  it('takes the branch of the value’s own kind, and defaults', () => {
    const schema = schemaOf({ u: ['null', 'double', 'long', 'string'] }).replace(
      '"name":"u"',
      '"name":"u","default":null',
    )
    const format = avro({ schema })
    expect(
      [{ u: 1 }, { u: 1.5 }, { u: 'x' }, { u: null }, {}].map((it) => bytesOf(format, it).toString('hex')),
    ).toEqual(['0402', '02000000000000f83f', '060278', '00', '00'])
  })

  it('that is none is an OptionError', () => {
    const error = (): unknown => avro({ schema: schemaOf({ a: 'lnog' }) })
    expect(error).toThrow(OptionError)
    expect(error).toThrow('avroSchema: not an Avro schema')
  })
})

describe('the package avsc', () => {
  it('missing is an OptionError with the command that installs it', () => {
    const requirePackage = (): unknown => createRequire(import.meta.url)('no-such-package')
    expect(() => avro({ requirePackage })).toThrow(OptionError)
    expect(() => avro({ requirePackage })).toThrow(
      /CODEC_UNAVAILABLE.*avsc, which is not installed: npm install avsc@5\.7\.9/,
    )
    const forbidden = (): unknown => {
      throw new EvalError('Code generation from strings disallowed')
    }
    expect(() => avro({ requirePackage: forbidden })).toThrow('which cannot be loaded (Code generation from strings')
    expect(() => avro({ requirePackage: () => ({}) })).toThrow('in a version that does not fit: npm install avsc')
  })
})
