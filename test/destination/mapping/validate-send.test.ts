import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sendFields } from '../../../src/destination/mapping/send-fields.ts'
import { MappingError } from '../../../src/destination/mapping/mapping-error.ts'
import { compileFields, compileSendFields } from '../../../src/destination/mapping/resolve-fields.ts'
import { validateSend, type Send } from '../../../src/destination/mapping/validate-send.ts'
import { arbitraryJson, arbitraryMapping } from './arbitrary-mapping.ts'

const good = { topic: 't', payload: { p: 1 } }

function sendOf(fields: object, isBatch = false): Send {
  const { send, problems } = validateSend({ ...good, ...fields }, { isBatch })
  if (send === undefined) throw new Error(problems.join(' '))
  return send
}

function problemsOf(fields: object, isBatch = false): readonly string[] {
  const { problems } = validateSend({ ...good, ...fields }, { isBatch })
  if (problems === undefined) throw new Error('was accepted')
  return problems
}

describe('sendFields (A.5)', () => {
  it('has the fields of the action, in order', () => {
    const rows = sendFields.map(({ key, label, type, required }) => [key, label, type, required])
    expect(rows).toEqual([
      ['topic', 'Topic', 'string', true],
      ['payload', 'Payload', 'object', true],
      ['headers', 'Headers', 'object', false],
      ['partition', 'Partition', 'integer', false],
      ['default_partition', 'Default Partition', 'integer', false],
      ['key', 'Message Key', 'string', false],
      ['enable_batching', 'Batch Data to Kafka?', 'boolean', false],
      ['batch_keys', 'Batch Keys', 'string', false],
      ['batch_bytes', 'Batch Bytes', 'number', false],
      ['batch_size', 'Batch Size', 'number', false],
    ])
  })

  it('has the defaults', () => {
    const defaults = Object.fromEntries(
      sendFields.flatMap((field) => ('default' in field ? [[field.key, field.default]] : [])),
    )
    expect(defaults).toEqual({
      payload: { '@path': '$.' },
      enable_batching: true,
      batch_keys: ['topic', 'partition', 'default_partition'],
      batch_bytes: 1_000_000,
      batch_size: 1002,
    })
    expect(sendFields.find(({ key }) => key === 'batch_bytes')?.minimum).toBe(5000)
    for (const { description } of sendFields) expect(description.length).toBeGreaterThan(20)
  })
})

describe('seg-S8: topic', () => {
  it.each([undefined, null, ''])('%j is missing, alone and in a batch', (topic) => {
    for (const isBatch of [false, true]) {
      expect(problemsOf({ topic }, isBatch)).toEqual(["The root value is missing the required field 'topic'."])
    }
  })

  it("'' in a batch is told next to other problems", () => {
    expect(problemsOf({ topic: '', headers: 'x' }, true)).toEqual([
      "The root value is missing the required field 'topic'.",
      'Headers must be an object but it was a string.',
    ])
  })

  it('a number becomes text, an object is refused', () => {
    expect(sendOf({ topic: 42 }).topic).toBe('42')
    expect(problemsOf({ topic: {} })).toEqual(['Topic must be a string but it was an object.'])
    expect(problemsOf({ topic: [null] })).toEqual(["The root value is missing the required field 'topic'."])
  })

  it.each(['constructor', '__proto__', 'toString'])('may be called %s', (topic) => {
    expect(sendOf({ topic }).topic).toBe(topic)
  })
})

describe('A.5: the field table', () => {
  it.each<[string, object, string]>([
    ['payload missing', { payload: undefined }, "The root value is missing the required field 'payload'."],
    ['payload null', { payload: null }, "The root value is missing the required field 'payload'."],
    ['payload string', { payload: 'x' }, 'Payload must be an object but it was a string.'],
    ['payload number', { payload: 5 }, 'Payload must be an object but it was a number.'],
    ['payload array', { payload: [{}] }, 'Payload must be an object but it was an array.'],
    ['key object', { key: {} }, 'Message Key must be a string but it was an object.'],
    ['key array of 2', { key: ['a', 'b'] }, 'Message Key must be a string but it was an array.'],
    ['partition abc', { partition: 'abc' }, 'Partition must be an integer but it was a string.'],
    ['partition 1.5', { partition: 1.5 }, 'Partition must be an integer but it was a number.'],
    ['partition Infinity', { partition: 'Infinity' }, 'Partition must be an integer but it was a string.'],
    ['partition -1', { partition: -1 }, 'Partition must be equal to or greater than 0.'],
    ['partition 2^31', { partition: 2 ** 31 }, 'Partition must be equal to or less than 2147483647.'],
    ['default partition -1', { default_partition: -1 }, 'Default Partition must be equal to or greater than 0.'],
    ['default partition {}', { default_partition: {} }, 'Default Partition must be an integer but it was an object.'],
    ['headers string', { headers: 'x' }, 'Headers must be an object but it was a string.'],
    ['headers array', { headers: [] }, 'Headers must be an object but it was an array.'],
    ['batch_bytes 100', { batch_bytes: 100 }, 'Batch Bytes must be equal to or greater than 5000.'],
    ['batch_bytes 4999 (seg-S13)', { batch_bytes: '4999' }, 'Batch Bytes must be equal to or greater than 5000.'],
    ['batch_size abc', { batch_size: 'abc' }, 'Batch Size must be a number but it was a string.'],
    ['enable_batching yes', { enable_batching: 'yes' }, 'Batch Data to Kafka? must be a boolean but it was a string.'],
    [
      'batch_keys of objects',
      { batch_keys: ['a', {}] },
      'The value at /batch_keys/1 must be a string but it was an object.',
    ],
  ])('%s', (_name, fields, problem) => {
    expect(problemsOf(fields)).toEqual([problem])
    expect(problemsOf(fields, true)).toEqual([problem])
  })

  it('lists every problem, what is missing first', () => {
    expect(validateSend({ payload: 'x', partition: 'y', key: {} }).problems).toEqual([
      "The root value is missing the required field 'topic'.",
      'Payload must be an object but it was a string.',
      'Partition must be an integer but it was a string.',
      'Message Key must be a string but it was an object.',
    ])
    expect(validateSend('x').problems).toEqual(['The root value must be an object but it was a string.'])
    expect(validateSend(null).problems).toEqual(['The root value must be an object but it was null.'])
  })

  it('payload {} is sent, and nothing in a payload is cleaned', () => {
    expect(sendOf({ payload: {} }).payload).toEqual({})
    const payload = { a: null, b: '', c: { d: null } }
    expect(sendOf({ payload }).payload).toBe(payload)
  })

  it.each<[unknown, string | null, string | null]>([
    [42, '42', '42'],
    [true, 'true', 'true'],
    [['a'], 'a', 'a'],
    [[5], '5', '5'],
    ['k', 'k', 'k'],
    [null, null, null],
    [undefined, null, null],
    ['', null, ''],
  ])('key %j is %j alone and %j in a batch', (key, alone, inBatch) => {
    expect(sendOf({ key }).key).toBe(alone)
    expect(sendOf({ key }, true).key).toBe(inBatch)
  })

  it.each<[unknown, number | null]>([
    ['3', 3],
    [true, 1],
    [0, 0],
    ['0', 0],
    [' 7 ', 7],
    ['1e3', 1000],
    [[2], 2],
    [null, null],
    ['', null],
    [undefined, null],
    [2 ** 31 - 1, 2 ** 31 - 1],
  ])('partition %j is %j', (partition, expected) => {
    for (const isBatch of [false, true]) {
      expect(sendOf({ partition, default_partition: 5 }, isBatch)).toMatchObject({
        partition: expected,
        defaultPartition: 5,
      })
      expect(sendOf({ default_partition: partition }, isBatch)).toMatchObject({
        partition: null,
        defaultPartition: expected,
      })
    }
  })

  it('a default partition that is not used is not judged', () => {
    for (const partition of [0, 1]) expect(sendOf({ partition, default_partition: -1 }).partition).toBe(partition)
  })

  it('batching hints have defaults and are coerced', () => {
    const keys = ['topic', 'partition', 'default_partition']
    expect(sendOf({}).batching).toEqual({ isEnabled: true, keys, bytes: 1_000_000, size: 1002 })
    const given = { enable_batching: 'false', batch_keys: 'key', batch_bytes: '5000', batch_size: '3' }
    expect(sendOf(given).batching).toEqual({ isEnabled: false, keys: ['key'], bytes: 5000, size: 3 })
    expect(sendOf({ batch_size: -1, batch_keys: ['a', null, 5] }).batching).toMatchObject({ size: 1, keys: ['a', '5'] })
  })

  it('drops members that are no fields, and takes own members only', () => {
    const fields: unknown = JSON.parse('{"topic":"t","payload":{},"other":1,"__proto__":{"key":"k"}}')
    expect(Object.keys(validateSend(fields).send ?? {})).toEqual(Object.keys(sendOf({})))
    expect(validateSend(fields).send?.key).toBeNull()
    expect(validateSend(Object.create(good)).problems).toHaveLength(2)
  })
})

describe('seg-S11: headers', () => {
  it.each<[string, unknown, [string, string | null][]]>([
    ['none', undefined, []],
    ['null', null, []],
    ['{}', {}, []],
    ['string', { h: 'x' }, [['h', 'x']]],
    ["''", { h: '' }, [['h', '']]],
    ['UTF-8', { é: '日本語' }, [['é', '日本語']]],
    [
      'array',
      { h: ['a', 'b', 'a'] },
      [
        ['h', 'a'],
        ['h', 'b'],
        ['h', 'a'],
      ],
    ],
    ['empty array', { h: [] }, []],
    [
      'number',
      { h: 5, i: -1.5, j: 1e21 },
      [
        ['h', '5'],
        ['i', '-1.5'],
        ['j', '1e+21'],
      ],
    ],
    [
      'boolean',
      { h: true, i: false },
      [
        ['h', 'true'],
        ['i', 'false'],
      ],
    ],
    ['null value', { h: null }, [['h', null]]],
    ['object', { h: { a: [1, null] } }, [['h', '{"a":[1,null]}']]],
    [
      'mixed array',
      { h: [1, null, { a: 1 }, ['x']] },
      [
        ['h', '1'],
        ['h', null],
        ['h', '{"a":1}'],
        ['h', '["x"]'],
      ],
    ],
    ['undefined', { h: undefined }, []],
  ])('%s', (_name, headers, expected) => {
    expect(sendOf({ headers }).headers).toEqual(expected)
  })

  it('keeps names that hurt', () => {
    expect(sendOf({ headers: JSON.parse('{"__proto__":"p","toString":"t"}') as object }).headers).toEqual([
      ['__proto__', 'p'],
      ['toString', 't'],
    ])
  })

  it('a value that is no JSON is a problem of this event', () => {
    expect(problemsOf({ headers: { good: 'x', bad: () => 1 } })).toEqual([
      'Headers has a value that cannot be written as JSON: bad.',
    ])
    const loop: Record<string, unknown> = {}
    loop['loop'] = loop
    expect(problemsOf({ headers: { loop } })[0]).toContain('cannot be written as JSON: loop.')
  })
})

describe('compileSendFields', () => {
  const outcomeOf = (compile: typeof compileFields, mapping: unknown, event: unknown, isBatch: boolean): unknown => {
    try {
      return validateSend(compile(mapping)(event), { isBatch })
    } catch (error) {
      return error instanceof MappingError ? [error.code, error.problems] : error
    }
  }

  it('comes to the same as compileFields, for whatever is validated', () => {
    const names = fc.constantFrom('topic', 'payload', 'key', 'partition', '__segment_internal_directive')
    const usual = fc.constantFrom<unknown>('t', { '@path': '$.' }, { '@path': '$.a' }, { '@template': '{{a}}' })
    const mapping = fc.dictionary(names, fc.oneof(usual, arbitraryMapping), { maxKeys: 4 })
    const ordered = mapping.map((given) =>
      Object.fromEntries(['topic', 'payload', 'key'].flatMap((name) => (name in given ? [[name, given[name]]] : []))),
    )
    fc.assert(
      fc.property(fc.oneof(mapping, ordered), arbitraryJson, fc.boolean(), (fields, event, isBatch) => {
        const long = outcomeOf(compileFields, fields, event, isBatch)
        expect(outcomeOf(compileSendFields, fields, event, isBatch)).toEqual(long)
      }),
      { numRuns: 5000 },
    )
  })
})

describe('validateSend', () => {
  it('takes the short way where it comes to the same', () => {
    const value = fc.oneof(arbitraryJson, fc.constantFrom('', 'x', null, 7, true, {}, ['x']))
    const fields = fc.dictionary(fc.constantFrom('topic', 'payload', 'key'), value)
    fc.assert(
      fc.property(
        fc.oneof(
          fields,
          fields.map((some) => ({ ...good, ...some })),
        ),
        fc.boolean(),
        (payload, isBatch) => {
          // A field without a value changes nothing, and has every field looked at.
          const long = validateSend({ ...payload, partition: null }, { isBatch })
          expect(validateSend(payload, { isBatch })).toEqual(long)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('gives a send or problems for any JSON', () => {
    const names = sendFields.map(({ key }) => key)
    const fields = fc.dictionary(fc.constantFrom(...names), arbitraryJson)
    fc.assert(
      fc.property(
        fc.oneof(
          arbitraryJson,
          fields,
          fields.map((some) => ({ ...good, ...some })),
        ),
        fc.boolean(),
        (payload, isBatch) => {
          const { send, problems } = validateSend(payload, { isBatch })
          if (send === undefined) {
            expect(problems.length).toBeGreaterThan(0)
            return
          }
          expect(send.topic).toMatch(/./su)
          expect(Number.isInteger(send.partition ?? 0)).toBe(true)
          const types = [typeof send.topic, typeof send.payload, typeof (send.key ?? '')]
          expect(types).toEqual(['string', 'object', 'string'])
        },
      ),
      { numRuns: 2000 },
    )
  })
})
