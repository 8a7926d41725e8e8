import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createFormat, type FormatOptions } from '../../../src/output/serialize/create-format.ts'
import type { MessageFormat } from '../../../src/output/serialize/message-format.ts'
import { MessagePacker } from '../../../src/output/serialize/message-packer.ts'
import type { Serialization } from '../../../src/output/serialize/serialization.ts'
import { ConversionError } from '../../../src/output/types/conversion-error.ts'
import { RowTyper } from '../../../src/output/types/row-typer.ts'
import { fixtureRows, jsonFixtures, row } from '../support.ts'

const avro = { framing: 'container', schema: null, schemaId: null } as const

function make(serialization: Serialization, more: Partial<FormatOptions> = {}): MessageFormat {
  return createFormat({ serialization, columns: [], header: true, newline: '\r\n', avro, ...more })
}

const formats: [string, () => MessageFormat][] = [
  ['JSON', () => make({ type: 'Json', format: 'LineSeparated' })],
  ['a JSON array', () => make({ type: 'Json', format: 'Array' })],
  ['CSV', () => make({ type: 'Csv', fieldDelimiter: ';' })],
  ['CSV without header', () => make({ type: 'Csv', fieldDelimiter: '\t' }, { header: false })],
  ['an Avro container', () => make({ type: 'Avro' })],
  ['raw Avro', () => make({ type: 'Avro' }, { avro: { ...avro, framing: 'raw' } })],
  ['Confluent Avro', () => make({ type: 'Avro' }, { avro: { ...avro, framing: 'confluent', schemaId: 1 } })],
]

describe('createFormat', () => {
  it.each(formats)('%s: the options arrive', (name, create) => {
    const format = create()
    const bytes = Buffer.from(format.assemble([format.encodeRow(row({ a: 1, b: 'x' }))]))
    const text: Record<string, string> = {
      JSON: '{"a":1,"b":"x"}',
      'a JSON array': '[{"a":1,"b":"x"}]',
      CSV: 'a;b\r\n1;x',
      'CSV without header': '1\tx',
      'raw Avro': '\u0002\u0002\u0002\u0002x',
      'Confluent Avro': '\0\0\0\0\u0001\u0002\u0002\u0002\u0002x',
    }
    if (name in text) expect(bytes.toString('latin1')).toBe(text[name])
    else expect(bytes.subarray(0, 4).toString('latin1')).toBe('Obj\u0001')
  })

  it.each(formats)('%s: gives bytes or a conversion error for whatever a program may hand over', (_, create) => {
    const name = fc.oneof(fc.constantFrom('a', 'b', 'c', '__proto__', 'A'), fc.string({ unit: 'binary', maxLength: 4 }))
    const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true })
    fc.assert(
      fc.property(fc.array(fc.dictionary(name, anything), { maxLength: 4 }), (inputs) => {
        const [typer, format] = [new RowTyper(), create()]
        const packer = new MessagePacker(format, { rowsPerMessage: 2, bytesPerMessage: 500, maxMessageBytes: 1000 })
        for (const input of inputs) {
          try {
            packer.push(typer.type(input))
          } catch (error) {
            expect(error).toBeInstanceOf(ConversionError)
          }
        }
        packer.flush()
      }),
    )
  })

  it.each(formats)('%s: what it says a message has around its rows is at least what it has', (name, create) => {
    for (const fixture of jsonFixtures) {
      const format = create()
      for (const typed of fixtureRows(fixture).slice(0, 20)) {
        let encoded
        try {
          encoded = format.encodeRow(typed)
        } catch {
          expect(name).toMatch(/Avro|without header/) // Their columns are fixed by the first row.
          continue
        }
        const rows = format.canPack ? [encoded, encoded, encoded] : [encoded]
        const { messageBytes, betweenBytes } = format.overhead(encoded.shape)
        const counted = messageBytes + rows.length * encoded.bytes.length + (rows.length - 1) * betweenBytes
        const bytes = format.assemble(rows).length
        expect(bytes).toBeLessThanOrEqual(counted)
        // Avro's two counts take one to five bytes each.
        expect(bytes).toBeGreaterThanOrEqual(counted - (name === 'an Avro container' ? 8 : 0))
      }
    }
  })
})
