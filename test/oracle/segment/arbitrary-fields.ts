/** Mappings and events in the part of the language where Segment and headrace mean the same: no exception is allowed here. */
import fc from 'fast-check'

const names = ['a', 'b', 'c d', 'list', 'plan', 'deep', 'n'] as const
const name = fc.constantFrom(...names)
const scalar = fc.oneof(
  fc.constantFrom<unknown>('', 'x', 'Red Shoes', 'true', '5', '1.5', '{"k":[1,null]}', '[1', 'é 日本', '\u{1F600}'),
  fc.constantFrom<unknown>(0, 1, 2, -1.5, 1e21, true, false, null),
  fc.string({ maxLength: 8 }).map((text) => text.replaceAll('{', '(')),
)

const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    { weight: 3, arbitrary: scalar },
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value

/** Every member that mappings look at is often there. */
export const arbitraryEvent: fc.Arbitrary<Record<string, unknown>> = fc
  .tuple(
    fc.constantFrom('track', 'identify', 'page'),
    fc.dictionary(name, json, { noNullPrototype: true }),
    fc.option(fc.dictionary(name, json, { noNullPrototype: true }), { nil: undefined }),
  )
  .map(([type, members, properties]) => ({ type, ...members, ...(properties === undefined ? {} : { properties }) }))

const path = fc.constantFrom(
  ...['$.a', '$.b', '$.n', '$.list', '$.deep.a', "$.['c d']", '$.list[0].a', '$.properties.plan', '$.missing'],
  ...['$.', '', '.', '$', 'a', 'deep.b[1]', "$.properties['c d']", '$.type'],
)
const template = fc.constantFrom(
  ...['{{a}}', 'ev-{{type}}', '{{{n}}}|{{missing}}', '{{ properties.plan }}', '{{}}', '{{$.a}}', 'x', '', '{{list}}'],
)
const text = fc.constantFrom('', 'x', 'Abc', 'a b', '-')
const pattern = fc.constantFrom('a', '.', '[b]', 'x|y', 'Red', ' ', '\\d', '^', '0123456789')

const directives = fc.letrec<{ value: unknown; directive: unknown; texts: unknown; objects: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    { weight: 2, arbitrary: tie('directive') },
    scalar,
    fc.array(tie('directive'), { maxLength: 2 }),
    tie('objects'),
  ),
  objects: fc.dictionary(name, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  texts: fc.oneof(
    path.map((value) => ({ '@path': value })),
    template.map((value) => ({ '@template': value })),
  ),
  directive: fc.oneof(
    { maxDepth: 3 },
    { weight: 4, arbitrary: tie('texts') },
    tie('value').map((value) => ({ '@literal': value })),
    condition(tie('directive'), tie('value')),
    fc.record({ operator: fc.constantFrom('lower', 'upper'), value: tie('texts') }).map((v) => ({ '@case': v })),
    replacement(tie('texts')),
    fc.tuple(path, tie('objects')).map((value) => ({ '@arrayPath': value })),
    path.map((value) => ({ '@arrayPath': [value] })),
    fc
      .record(
        { value: tie('texts'), separator: fc.constantFrom('.', '_'), omitArrays: fc.boolean() },
        { requiredKeys: ['value', 'separator'] },
      )
      .map((value) => ({ '@flatten': value })),
    fc.record({ value: tie('directive'), mode: fc.constantFrom('encode', 'decode') }).map((v) => ({ '@json': v })),
    fc
      .record({ objects: fc.array(tie('objects'), { maxLength: 3 }), direction: fc.constantFrom('left', 'right') })
      .map((value) => ({ '@merge': value })),
    fc.record({ apply: tie('objects'), mapping: tie('objects') }).map((value) => ({ '@transform': value })),
    tie('directive').map((value) => ({ '@excludeWhenNull': value })),
    fc
      .constantFrom('{{ a | upcase }}', '{% if n %}x{% endif %}', '{{ properties.plan }}')
      .map((v) => ({ '@liquid': v })),
  ),
}))

function condition(tested: fc.Arbitrary<unknown>, value: fc.Arbitrary<unknown>): fc.Arbitrary<object> {
  const branches = { then: value, else: value }
  return fc
    .oneof(
      fc.record({ exists: tested, ...branches }, { requiredKeys: ['exists'] }),
      fc.record({ blank: tested, ...branches }, { requiredKeys: ['blank'] }),
    )
    .map((options) => ({ '@if': options }))
}

function replacement(value: fc.Arbitrary<unknown>): fc.Arbitrary<object> {
  const options = { pattern, replacement: text, pattern2: pattern, replacement2: text }
  const bits = { ignorecase: fc.boolean(), global: fc.boolean() }
  return fc
    .record({ value, ...options, ...bits }, { requiredKeys: ['value', 'pattern'] })
    .map((one) => ({ '@replace': one }))
}

/** Values of headers that Segment can write. */
const headers = fc.oneof(
  fc.dictionary(
    fc.constantFrom('h', 'g', 'é'),
    fc.oneof(
      template.map((v) => ({ '@template': v })),
      text,
    ),
    {
      noNullPrototype: true,
    },
  ),
  fc.constantFrom<unknown>(null, {}, 'x', 5, { '@path': '$.missing' }),
)
const number = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<unknown>(0, 1, '2', null) },
  fc.constantFrom<unknown>(0, 1, 2, '1', '', null, true, 'abc', 1.5, { '@path': '$.type' }, [1], [1, 2]),
  fc.constant({ '@if': { exists: { '@path': '$.n' }, then: 1 } }),
)

/** Mostly the first one. */
function mostly<T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 5, arbitrary: fc.constant(usual) }, fc.constantFrom(...others))
}

/** Fields of the action `send`. */
export const arbitraryFields: fc.Arbitrary<Record<string, unknown>> = fc.record(
  {
    topic: fc.oneof(
      { weight: 3, arbitrary: fc.constant<unknown>('t') },
      { weight: 2, arbitrary: fc.constant({ '@template': 'ev-{{type}}' }) },
      fc.constantFrom<unknown>(5, true, null, ['t'], { '@path': '$.type' }, { '@path': '$.missing' }, {}, ['t', 'u']),
    ),
    payload: fc.oneof(
      { weight: 3, arbitrary: fc.constant<unknown>({ '@path': '$.' }) },
      { weight: 4, arbitrary: directives.objects },
      { weight: 3, arbitrary: directives.directive },
      scalar,
    ),
    headers,
    partition: number,
    default_partition: number,
    key: fc.oneof(directives.texts, fc.constantFrom<unknown>('k', '', 42, true, null, ['a'], ['a', 'b'], {})),
    enable_batching: mostly<unknown>(true, 'false', 'maybe', 0, null),
    batch_keys: mostly<unknown>(['topic'], 'topic', ['topic', { a: 1 }], null, 5),
    batch_bytes: mostly<unknown>(5000, 4999, '6000', 'x', null),
    batch_size: mostly<unknown>(1002, 1, '5', 'x', -1),
    unknown_field: fc.constant(1),
  },
  { requiredKeys: ['topic', 'payload'] },
)
