import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KafkaError } from '../../../src/index.ts'
import { MappingError } from '../../../src/destination/mapping/mapping-error.ts'
import { compileFields, resolveFields } from '../../../src/destination/mapping/resolve-fields.ts'
import { sendFields } from '../../../src/destination/mapping/send-fields.ts'
import { arbitraryJson, arbitraryMapping } from './arbitrary-mapping.ts'

const fixtures = new URL('../../fixtures/segment/', import.meta.url)

const event = {
  type: 'track',
  userId: 'u',
  n: 5,
  zero: 0,
  no: false,
  empty: '',
  none: null,
  list: [{ id: 1, q: 2 }, { id: 3 }],
  one: { id: 9 },
  emptyList: [],
  deep: { a: { b: [1, { c: null }] }, x: null },
  'c d': [{ 'e f': 'odd' }],
  json: '{"k":[1]}',
  name: 'Red Shoes & red Socks',
  price: '1.5$',
}

function problemsOf(fields: unknown, given: unknown = event): MappingError {
  try {
    resolveFields(fields, given)
  } catch (error) {
    if (error instanceof MappingError) return error
    throw error
  }
  throw new Error('was accepted')
}

describe('seg-S7: the directives (A.11)', () => {
  const missing = { '@path': '$.missing' }
  it.each<[string, unknown, unknown]>([
    ['@path', { '@path': '$.userId' }, 'u'],
    ['@path without $.', { '@path': 'userId' }, 'u'],
    ['@path into lists and odd names', { '@path': "$.['c d'][0]['e f']" }, 'odd'],
    ['@path $.', { '@path': '$.' }, event],
    ["@path ''", { '@path': '' }, event],
    ['@path .', { '@path': '.' }, event],
    ['@path $ alone', { '@path': '$' }, undefined],
    ['@path through null', { '@path': '$.none.x' }, null],
    ['@path to nothing', missing, undefined],
    ['@path with _metadata', { '@path': '$.n', _metadata: { label: 'x' } }, 5],
    ['@path of a @path', { '@path': { '@template': 'user{{missing}}Id' } }, 'u'],
    ['@template', { '@template': 'ev-{{type}}-{{{n}}}' }, 'ev-track-5'],
    ['@template with what is missing', { '@template': '{{one}}|{{{n}}}|{{zz}}' }, '[object Object]|5|'],
    ['@template escapes nothing', { '@template': '{{name}}' }, 'Red Shoes & red Socks'],
    ['@template and $.', { '@template': '{{$.n}}' }, ''],
    ['@template with a list', { '@template': '{{deep.a.b}}' }, '1,[object Object]'],
    ['@template with braces that close nothing', { '@template': '{{}}{{n}{{n}}' }, '{{}}{{n}5'],
    ['@literal', { '@literal': '' }, ''],
    ['@literal with a directive', { '@literal': { a: { '@path': '$.n' } } }, { a: 5 }],
    ['@if exists', { '@if': { exists: { '@path': '$.zero' }, then: 'y', else: 'n' } }, 'y'],
    ['@if exists null', { '@if': { exists: { '@path': '$.none' }, then: 'y', else: 'n' } }, 'n'],
    ['@if blank 0', { '@if': { blank: { '@path': '$.zero' }, then: 'y', else: 'n' } }, 'n'],
    ['@if blank false', { '@if': { blank: { '@path': '$.no' }, then: 'y', else: 'n' } }, 'n'],
    ["@if blank ''", { '@if': { blank: { '@path': '$.empty' }, then: 'y', else: 'n' } }, 'n'],
    ['@if blank []', { '@if': { blank: { '@path': '$.emptyList' }, then: 'y', else: 'n' } }, 'n'],
    ['@if blank {}', { '@if': { blank: { '@path': '$.one' }, then: 'y', else: 'n' } }, 'y'],
    ['@if with a falsy else', { '@if': { exists: missing, then: 1, else: 0 } }, undefined],
    ['@if with else 2', { '@if': { exists: missing, then: 1, else: 2 } }, 2],
    ['@if without then', { '@if': { exists: { '@path': '$.n' } } }, undefined],
    ['@case lower', { '@case': { operator: 'lower', value: 'ABC' } }, 'abc'],
    ['@case upper', { '@case': { operator: 'upper', value: { '@path': '$.userId' } } }, 'U'],
    ['@case of a number', { '@case': { operator: 'upper', value: { '@path': '$.n' } } }, 5],
    ['@case of nothing', { '@case': { operator: 'upper' } }, undefined],
    [
      '@replace',
      { '@replace': { value: { '@path': '$.name' }, pattern: 'ed', replacement: 'o' } },
      'Ro Shoes & ro Socks',
    ],
    ['@replace drops by default', { '@replace': { value: 'a-b-c', pattern: '-' } }, 'abc'],
    ['@replace once', { '@replace': { value: 'a-b-c', pattern: '-', global: false } }, 'ab-c'],
    [
      '@replace ignorecase',
      { '@replace': { value: { '@path': '$.name' }, pattern: 'RED', ignorecase: true } },
      ' Shoes &  Socks',
    ],
    ['@replace is no regular expression', { '@replace': { value: 'a.b+(c)', pattern: '.b+(' } }, 'ac)'],
    ['@replace puts $& as it is', { '@replace': { value: 'a-b', pattern: '-', replacement: '$&$$' } }, 'a$&$$b'],
    [
      '@replace twice',
      { '@replace': { value: 'abc', pattern: 'a', replacement: 'b', pattern2: 'b', replacement2: 'x' } },
      'xxc',
    ],
    ['@replace of a number', { '@replace': { value: { '@path': '$.n' }, pattern: '5', replacement: '6' } }, '6'],
    ['@replace of a boolean', { '@replace': { value: { '@path': '$.no' }, pattern: 'f' } }, 'alse'],
    ['@replace of nothing', { '@replace': { value: missing, pattern: 'f' } }, ''],
    ['@arrayPath', { '@arrayPath': ['$.list'] }, event.list],
    [
      '@arrayPath with a shape',
      { '@arrayPath': ['$.list', { i: { '@path': '$.id' }, q: { '@path': '$.q' } }] },
      [{ i: 1, q: 2 }, { i: 3 }],
    ],
    ['@arrayPath of one object', { '@arrayPath': ['$.one', { i: { '@path': '$.id' } }] }, [{ i: 9 }]],
    ['@arrayPath of a directive', { '@arrayPath': [{ '@path': '$.list' }, { '@path': '$.id' }] }, [1, 3]],
    ['@arrayPath of a text', { '@arrayPath': ['$.userId', { i: 1 }] }, 'u'],
    [
      '@flatten',
      { '@flatten': { value: { '@path': '$.deep' }, separator: '.' } },
      { 'a.b.0': 1, 'a.b.1.c': null, x: null },
    ],
    [
      '@flatten omitArrays',
      { '@flatten': { value: { '@path': '$.deep.a' }, separator: '_', omitArrays: true } },
      { b: [1, { c: null }] },
    ],
    ['@json encode', { '@json': { mode: 'encode', value: { '@path': '$.list' } } }, '[{"id":1,"q":2},{"id":3}]'],
    ['@json decode', { '@json': { mode: 'decode', value: { '@path': '$.json' } } }, { k: [1] }],
    ['@json decode of no JSON', { '@json': { mode: 'decode', value: { '@path': '$.name' } } }, event.name],
    [
      '@merge right',
      { '@merge': { direction: 'right', objects: [{ a: 1, b: 1 }, { '@path': '$.one' }, { b: 2 }] } },
      { a: 1, b: 2, id: 9 },
    ],
    [
      '@merge left',
      {
        '@merge': {
          direction: 'left',
          objects: [
            { a: 1, b: 1 },
            { b: 2, c: 2 },
          ],
        },
      },
      { a: 1, b: 1, c: 2 },
    ],
    [
      '@merge with what is missing',
      { '@merge': { direction: 'right', objects: [{ a: 1, b: 1 }, { a: missing }, missing] } },
      { b: 1 },
    ],
    [
      '@transform',
      { '@transform': { apply: { u: { '@path': '$.userId' } }, mapping: { '@template': '<{{u}}>' } } },
      '<u>',
    ],
    ['@excludeWhenNull', { '@excludeWhenNull': { '@path': '$.none' } }, undefined],
    ['@excludeWhenNull in objects', { '@excludeWhenNull': { '@path': '$.deep' } }, { a: { b: [1, { c: null }] } }],
    ['@liquid', { '@liquid': '{{ userId | upcase }}' }, 'U'],
    ["@liquid ''", { '@liquid': '' }, ''],
    [
      'raw values',
      { s: '', n: 0, b: false, x: null, l: [missing, 1] },
      { s: '', n: 0, b: false, x: null, l: [undefined, 1] },
    ],
  ])('%s', (_name, mapping, expected) => {
    const resolved = resolveFields({ k: mapping }, event)
    expect(resolved).toEqual(expected === undefined ? {} : { k: expected })
    expect(Object.keys(resolved)).toEqual(expected === undefined ? [] : ['k'])
  })

  it('a root mapping wraps the others, and what Segment keeps beside the fields is left out', () => {
    const fields = {
      __segment_internal_directive: { '@transform': { apply: { u: { '@path': '$.userId' } } } },
      __segment_internal_sync_mode: 'add',
      key: { '@path': '$.u' },
    }
    expect(resolveFields(fields, event)).toEqual({ key: 'u' })
    const bad = { __segment_internal_directive: { '@if': {}, '@case': {} }, key: 'x' }
    expect(problemsOf(bad).message).toContain('The root mapping must only have a single directive object')
    expect(problemsOf({ __segment_internal_directive: 5 }).message).toContain('The root directive must be an object')
  })

  it.each(readdirSync(fixtures))('the default payload equals the event byte for byte: %s', (name) => {
    const text = JSON.stringify(JSON.parse(readFileSync(new URL(name, fixtures), 'utf8')))
    const payload = sendFields.find(({ key }) => key === 'payload')?.default
    expect(JSON.stringify(resolveFields({ payload }, JSON.parse(text))['payload'])).toBe(text)
  })
})

describe('seg-S7: config errors, before any event', () => {
  it.each<[string, unknown, string]>([
    ['a number as @path', { '@path': 5 }, '/k/@path should be a string or a mapping directive but it is a number.'],
    ['a list as @path', { '@path': ['a'] }, '/k/@path should be a string or a mapping directive but it is an array.'],
    ['an unknown directive', { '@foo': 1 }, '/k has an invalid directive: @foo.'],
    ['two directives', { '@path': 'a', '@template': 'b' }, '/k should only have one @-prefixed key but it has 2 keys.'],
    ['a directive and a raw key', { '@path': 'a', b: 1 }, '/k should only have one @-prefixed key but it has 2 keys.'],
    [
      'a long pattern',
      { '@replace': { value: 'x', pattern: '12345678901' } },
      '/k/@replace/pattern should be a string of length 10 or less.',
    ],
    [
      'a long pattern2',
      { '@replace': { value: 'x', pattern: 'x', pattern2: '12345678901' } },
      '/k/@replace/pattern2 should be a string of length 10 or less.',
    ],
    [
      'an empty pattern',
      { '@replace': { value: 'x', pattern: '' } },
      '/k/@replace/pattern should be a string of length 1 or greater.',
    ],
    ['no value', { '@replace': { pattern: 'x' } }, '/k/@replace should have field "value" but it doesn\'t.'],
    [
      'global as text',
      { '@replace': { value: 'x', pattern: 'x', global: 'yes' } },
      '/k/@replace/global should be a boolean but it is a string.',
    ],
    ['@if with neither', { '@if': { then: 1 } }, '/k/@if @if requires an "exists" key or a "blank" key.'],
    ['@if as text', { '@if': 'x' }, '/k/@if should be an object but it is a string.'],
    ['a directive as options', { '@case': { '@path': 'x' } }, '/k/@case should be an object but it is a directive.'],
    ['@case without operator', { '@case': { value: 'x' } }, '/k/@case @case requires a "operator" key.'],
    [
      '@json ENCODE',
      { '@json': { mode: 'ENCODE', value: 'x' } },
      '/k/@json/mode should be one of encode, decode but it is "ENCODE".',
    ],
    ['@flatten without separator', { '@flatten': { value: {} } }, '/k/@flatten @flatten requires a "separator" key.'],
    [
      '@merge of a text',
      { '@merge': { direction: 'left', objects: ['x'] } },
      '/k/@merge/objects/0 should be a object or a mapping directive but it is a string.',
    ],
    [
      '@merge of no list',
      { '@merge': { direction: 'left', objects: 5 } },
      '/k/@merge/objects should be an array but it is a number.',
    ],
    [
      '@transform of a text',
      { '@transform': { apply: 'x', mapping: {} } },
      '/k/@transform/apply should be a object or a mapping directive but it is a string.',
    ],
    ['@arrayPath of a text', { '@arrayPath': 'x' }, '/k/@arrayPath should be an array but it is a string.'],
    ['@liquid of a number', { '@liquid': 5 }, '/k/@liquid should be a string but it is a number.'],
    [
      'long liquid',
      { '@liquid': 'x'.repeat(1001) },
      '/k/@liquid liquid template values are limited to 1000 characters.',
    ],
    ['a disabled tag', { '@liquid': '{% for a in b %}{% endfor %}' }, '/k/@liquid tag "for" is disabled'],
    ['an unknown filter', { '@liquid': '{{ a | upcsae }}' }, '/k/@liquid undefined filter: upcsae'],
    ['an unknown directive in a list', [{ '@foo': 1 }], '/k/0 has an invalid directive: @foo.'],
    [
      'an unknown directive deep down',
      { '@if': { exists: 1, then: { a: { '@foo': 1 } } } },
      '/k/@if/then/a has an invalid directive: @foo.',
    ],
    ['a function', { a: () => 1 }, '/k/a should be a mapping directive or a JSON value but it is a function.'],
  ])('%s', (_name, mapping, expected) => {
    const error = problemsOf({ k: mapping })
    expect(error.code).toBe('INVALID_MAPPING')
    expect(error.problems).toHaveLength(1)
    expect(error.problems[0]).toContain(expected)
    expect(() => compileFields({ k: mapping })).toThrow(MappingError)
  })

  it('lists every problem, one line each and no stack', () => {
    const error = problemsOf({ a: { '@path': 1 }, b: { c: { '@foo': 1 }, d: { '@json': {} } } })
    expect(error.problems).toEqual([
      '/a/@path should be a string or a mapping directive but it is a number.',
      '/b/c has an invalid directive: @foo.',
      '/b/d/@json should have field "mode" but it doesn\'t.',
      '/b/d/@json should have field "value" but it doesn\'t.',
    ])
    expect(error.message).toBe(`Mapping: INVALID_MAPPING: ${error.problems.join(' ')}`)
  })

  it('bounds depth and size, also of a mapping that holds itself twice', () => {
    let deep: unknown = 1
    for (let i = 0; i < 200_000; i++) deep = [deep]
    expect(problemsOf({ deep }).message).toContain('is nested deeper than 100')
    const loop: Record<string, unknown> = {}
    loop['a'] = loop['b'] = loop
    expect(problemsOf(loop).message).toContain('should have at most 10000 values')
  })

  it('a mapping that is no object, and one that gives none, are told', () => {
    for (const fields of [null, 5, 'x', []]) expect(problemsOf(fields).message).toContain('/ should be an object')
    expect(problemsOf({ '@path': '$.n' }).code).toBe('MAPPING_FAILED')
    expect(problemsOf({ k: 1 }, 'text').message).toContain('data must be an object, got string')
  })
})

describe('seg-S7: what fits one event and not another', () => {
  it('a directive that gives no text where one is needed fails this event only', () => {
    const resolve = compileFields({ k: { '@template': { '@path': '$.t' } } })
    expect(resolve({ t: 'a{{n}}', n: 1 })).toEqual({ k: 'a1' })
    expect(() => resolve({ t: 5 })).toThrow('MAPPING_FAILED: /k/@template @template: expected string, got number.')
  })

  it('a value is never read as a template again', () => {
    expect(resolveFields({ k: { '@template': '{{{a}}}' } }, { a: '{{secret}}', secret: 's' })).toEqual({
      k: '{{secret}}',
    })
  })

  it('a disabled liquid filter fails the event that meets it', () => {
    const error = problemsOf({ k: { '@liquid': '{{ list | map: "id" }}' } })
    expect(error).toMatchObject({ code: 'MAPPING_FAILED' })
    expect(error.message).toContain('filter "map" is disabled')
  })

  it('liquidjs that is missing is told with the command that installs it, and only where @liquid is used', () => {
    const requirePackage = (name: string): unknown => {
      throw Object.assign(new Error(`Cannot find module '${name}'`), { code: 'MODULE_NOT_FOUND' })
    }
    expect(compileFields({ k: 1 }, requirePackage)({})).toEqual({ k: 1 })
    expect(() => compileFields({ k: { '@liquid': '{{a}}' } }, requirePackage)).toThrow(
      'Mapping: LIQUID_UNAVAILABLE: /k/@liquid needs the package liquidjs, which is not installed: npm install liquidjs@10.',
    )
  })

  it('a compiled mapping does not change with the object it came from', () => {
    const fields = { k: { a: 1 } }
    const resolve = compileFields(fields)
    fields.k.a = 2
    expect(resolve({})).toEqual({ k: { a: 1 } })
  })

  it('depth in an event is a typed error where it is walked', () => {
    let deep: unknown = 1
    for (let i = 0; i < 5000; i++) deep = { a: deep }
    expect(problemsOf({ k: { '@flatten': { value: { '@path': 'd' }, separator: '.' } } }, { d: deep }).code).toBe(
      'MAPPING_FAILED',
    )
    expect(problemsOf({ k: { '@excludeWhenNull': { '@path': 'd' } } }, { d: deep }).code).toBe('MAPPING_FAILED')
  })

  it('a million braces are read in linear time', () => {
    const template = `${'{'.repeat(1_000_000)}}`
    expect(resolveFields({ k: { '@template': template } }, {})['k'] === template).toBe(true)
  })
})

describe('resolveFields and names that hurt', () => {
  const own = JSON.parse('{"__proto__":{"polluted":1},"toString":5,"constructor":"c"}') as object

  it('finds own members only', () => {
    const paths = ['__proto__', 'constructor', 'toString', 'constructor.prototype', 'a.constructor.name']
    for (const path of paths) expect(resolveFields({ k: { '@path': path } }, { a: {} })).toEqual({})
    for (const path of ['__proto__.polluted', 'toString', 'constructor']) {
      expect(Object.keys(resolveFields({ k: { '@path': path } }, own))).toEqual(['k'])
    }
    expect(resolveFields({ k: { '@template': '{{toString}}|{{x}}' } }, { ...own, x: own })).toEqual({
      k: '5|[object Object]',
    })
  })

  it('keeps every own member, and pollutes nothing', () => {
    const directives = [
      { '@path': '$.' },
      { '@merge': { direction: 'right', objects: [{ '@path': '$.' }] } },
      { '@excludeWhenNull': { '@path': '$.' } },
      { '@json': { mode: 'decode', value: JSON.stringify(own) } },
      JSON.parse(JSON.stringify(own)) as object,
    ]
    for (const k of directives) expect(JSON.stringify(resolveFields({ k }, own)['k'])).toBe(JSON.stringify(own))
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('any mapping on any JSON event gives an object or a typed error, and changes neither', () => {
    let resolved = 0
    fc.assert(
      fc.property(arbitraryMapping, arbitraryJson, (mapping, value) => {
        const before = JSON.stringify([mapping, value])
        try {
          expect(typeof resolveFields({ k: mapping }, value)).toBe('object')
          resolved++
        } catch (error) {
          if (!(error instanceof MappingError)) throw error
          expect(error).toBeInstanceOf(KafkaError)
          expect(error.problems.length).toBeGreaterThan(0)
        }
        expect(JSON.stringify([mapping, value])).toBe(before)
      }),
      { numRuns: 3000 },
    )
    expect(resolved).toBeGreaterThan(100)
    expect(Object.keys(Object.prototype)).toEqual([])
  })
})
