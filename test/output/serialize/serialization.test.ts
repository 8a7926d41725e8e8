import { describe, expect, it } from 'vitest'
import { checkAvroSettings } from '../../../src/output/serialize/avro-settings.ts'
import { checkSerialization } from '../../../src/output/serialize/serialization.ts'

const delimiters = 'comma ",", semicolon ";", space " ", tab "\\t", vertical bar "|"'

describe('serialization', () => {
  it.each<[unknown, object]>([
    [
      { type: 'Json', properties: { encoding: 'UTF8', format: 'LineSeparated' } },
      { type: 'Json', format: 'LineSeparated' },
    ],
    [
      { type: 'Json', properties: { encoding: 'UTF8', format: 'Array' } },
      { type: 'Json', format: 'Array' },
    ],
    [
      { type: 'Json', properties: { encoding: 'UTF8', format: null } },
      { type: 'Json', format: 'LineSeparated' },
    ],
    [
      { type: 'Csv', properties: { encoding: 'UTF8', fieldDelimiter: '|' } },
      { type: 'Csv', fieldDelimiter: '|' },
    ],
    [{ type: 'Avro', properties: {} }, { type: 'Avro' }],
    [
      { type: 'JSON', properties: { encoding: 'utf8', format: 'array' } },
      { type: 'Json', format: 'Array' },
    ],
    ['json', { type: 'Json', format: 'LineSeparated' }],
    ['CSV', { type: 'Csv', fieldDelimiter: ',' }],
    ['avro', { type: 'Avro' }],
    [
      { type: 'csv', fieldDelimiter: 'Semicolon' },
      { type: 'Csv', fieldDelimiter: ';' },
    ],
    [
      { type: 'csv', fieldDelimiter: '\t' },
      { type: 'Csv', fieldDelimiter: '\t' },
    ],
    [
      { type: 'csv', fieldDelimiter: ' ' },
      { type: 'Csv', fieldDelimiter: ' ' },
    ],
    [
      { type: 'csv', fieldDelimiter: 'vertical bar' },
      { type: 'Csv', fieldDelimiter: '|' },
    ],
    [
      { type: 'json', format: 'lineSeparated' },
      { type: 'Json', format: 'LineSeparated' },
    ],
  ])('takes %j', (input, value) => {
    expect(checkSerialization(input)).toEqual({ value })
  })

  it.each<[unknown, string[]]>([
    [
      { type: 'Json', properties: { encoding: 'UTF16' } },
      ['serialization.properties.encoding: got "UTF16", expected UTF8'],
    ],
    [{ type: 'Json', encoding: 'utf-8' }, ['serialization.encoding: got "utf-8", expected UTF8']],
    [{ type: 'Json', format: 'Lines' }, ['serialization.format: got "Lines", expected one of LineSeparated, Array']],
    [
      { type: 'Csv', properties: { encoding: 8, fieldDelimiter: ':' } },
      [
        'serialization.properties.encoding: got 8, expected UTF8',
        `serialization.properties.fieldDelimiter: got ":", expected one of ${delimiters}`,
      ],
    ],
    [{ type: 'Parquet', properties: {} }, ['serialization.type: got "Parquet", expected one of Json, Csv, Avro']],
    ['xml', ['serialization: got "xml", expected one of Json, Csv, Avro']],
    [
      { type: 'Avro', fieldDelimiter: ',' },
      ['serialization.fieldDelimiter: got ",", but Avro has no such property, only encoding'],
    ],
    [
      { type: 'Json', toString: 'x' },
      ['serialization.toString: got "x", but Json has no such property, only encoding, format'],
    ],
    [
      { type: 'Json', format: 'constructor' },
      ['serialization.format: got "constructor", expected one of LineSeparated, Array'],
    ],
    [{ type: 'Json', properties: 5 }, ['serialization.properties: got 5, expected an object']],
    [{}, ['serialization.type: got undefined, expected one of Json, Csv, Avro']],
  ])('asa-Z4: refuses %j, naming property, value and what is allowed', (input, problems) => {
    expect(checkSerialization(input)).toEqual({ problems })
  })

  it.each([[null], [undefined], [5], [['json']]])('asa-Z4: refuses %j', (input) => {
    expect(checkSerialization(input)).toHaveProperty('problems.length', 1)
  })
})

describe('the options of Avro', () => {
  it('have defaults, match without regard to case, and take a schema as object or text', () => {
    const schema = '{"type":"record","name":"R","fields":[]}'
    expect(checkAvroSettings({})).toEqual({ value: { framing: 'container', schema: null, schemaId: null } })
    const given = { avroFraming: 'Confluent', schemaId: 7, avroSchema: JSON.parse(schema) as unknown }
    expect(checkAvroSettings(given)).toEqual({ value: { framing: 'confluent', schema, schemaId: 7 } })
    expect(checkAvroSettings({ avroSchema: schema })).toHaveProperty('value.schema', schema)
  })

  it('asa-Z4: name every problem at once', () => {
    expect(checkAvroSettings({ avroFraming: 'file', schemaId: 1, avroSchema: '"long"' })).toEqual({
      problems: [
        'avroFraming: got "file", expected one of container, raw, confluent',
        "schemaId: got 1, expected nothing unless avroFraming is 'confluent'",
        'avroSchema: got "\\"long\\"", expected an Avro schema of a record, as an object or as JSON',
      ],
    })
    for (const schemaId of [undefined, -1, 2 ** 31, 1.5, '1']) {
      expect(checkAvroSettings({ avroFraming: 'confluent', schemaId })).toHaveProperty('problems.length', 1)
    }
  })
})
