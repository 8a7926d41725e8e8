import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CsvFormat } from '../../../src/output/serialize/csv.ts'
import { JsonFormat, type JsonLayout } from '../../../src/output/serialize/json.ts'
import type { MessageFormat } from '../../../src/output/serialize/message-format.ts'
import { MessagePacker, type PackingLimits } from '../../../src/output/serialize/message-packer.ts'
import { conversionError, row } from '../support.ts'

const wide: PackingLimits = { rowsPerMessage: 1000, bytesPerMessage: 1_000_000, maxMessageBytes: 1_000_000 }

function pack(format: MessageFormat, limits: Partial<PackingLimits>, rows: readonly object[]): string[] {
  const packer = new MessagePacker(format, { ...wide, ...limits })
  const messages = [...rows.flatMap((it) => packer.push(row(it))), ...packer.flush()]
  return messages.map(({ value }) => Buffer.from(value).toString())
}

function csv(): CsvFormat {
  return new CsvFormat({ fieldDelimiter: ',', header: true, newline: '\n', columns: [] })
}

describe('MessagePacker', () => {
  const four = [{ a: 1 }, { a: 2 }, { a: 3 }, { a: 4 }]

  it('closes a message after rowsPerMessage rows', () => {
    expect(pack(new JsonFormat('Array'), { rowsPerMessage: 3 }, four)).toEqual([
      '[{"a":1},{"a":2},{"a":3}]',
      '[{"a":4}]',
    ])
    expect(pack(new JsonFormat('LineSeparated'), { rowsPerMessage: 1 }, four)).toEqual(
      four.map((it) => JSON.stringify(it)),
    )
  })

  it.each<[number, number]>([
    [17, 2],
    [16, 1],
    [15, 1],
    [25, 3],
    [24, 2],
  ])('closes an array before it is over %i bytes', (bytesPerMessage, rows) => {
    const [first] = pack(new JsonFormat('Array'), { bytesPerMessage }, four)
    expect(first).toBe(JSON.stringify(four.slice(0, rows)))
  })

  it('begins a new message where the columns change', () => {
    expect(pack(csv(), {}, [{ a: 1 }, { a: 2 }, { b: 3 }, { a: 4 }])).toEqual(['a\n1\n2', 'b\n3', 'a\n4'])
  })

  it('one row over maxMessageBytes is RecordExceededSizeLimit, and the open message stays as it was', () => {
    const packer = new MessagePacker(new JsonFormat('Array'), { ...wide, maxMessageBytes: 20 })
    packer.push(row({ a: 1 }))
    const error = conversionError(() => packer.push(row({ a: 'x'.repeat(11) })))
    expect(error).toMatchObject({
      dataErrorType: 'OutputDataConversionError.RecordExceededSizeLimit',
      valueKind: 'row',
    })
    expect(error.reason).toContain('(20 bytes): 21 bytes')
    expect(packer.pendingRows).toBe(1)
    expect(packer.push(row({ a: 2 }))).toEqual([])
    expect(packer.flush()).toMatchObject([{ value: Buffer.from('[{"a":1},{"a":2}]'), rowCount: 2 }])
    expect(packer.flush()).toEqual([])
  })

  it('loses no row and keeps every limit, whatever the rows and limits', () => {
    const layout = fc.constantFrom<JsonLayout>('Array', 'LineSeparated')
    const rows = fc.array(fc.record({ t: fc.string({ maxLength: 20 }) }), { maxLength: 20 })
    fc.assert(
      fc.property(
        layout,
        rows,
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 150 }),
        (kind, input, rowsPerMessage, bytesPerMessage) => {
          const messages = pack(new JsonFormat(kind), { rowsPerMessage, bytesPerMessage }, input)
          const read = messages.map(
            (it) => JSON.parse(kind === 'Array' ? it : `[${it.replaceAll('\n', ',')}]`) as unknown[],
          )
          expect(read.flat()).toEqual(input)
          messages.forEach((message, index) => {
            const count = read[index]?.length ?? 0
            expect(count).toBeLessThanOrEqual(rowsPerMessage)
            if (count > 1) expect(Buffer.byteLength(message)).toBeLessThanOrEqual(bytesPerMessage)
          })
        },
      ),
    )
  })
})
