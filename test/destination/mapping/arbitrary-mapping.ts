import fc from 'fast-check'

const names = fc.constantFrom(
  'a',
  'b',
  'c d',
  '0',
  'type',
  'properties',
  '__proto__',
  'constructor',
  'toString',
  'length',
)
const text = fc.constantFrom(
  ...[
    '',
    'x',
    'Abc',
    '5',
    '$.',
    '$.a',
    '$.properties.a',
    "a['c d'][0]",
    '$',
    '{{a}}',
    '{{{a}}}-{{ properties.b }}',
    '{{}}',
  ],
  ...['__proto__', '$.constructor', '{{toString}}', '{"k":1}', '[1', 'lower', 'upper', 'encode', 'decode', 'left', '.'],
)
const scalar = fc.oneof(text, fc.constantFrom<unknown>(0, 1, -1.5, true, false, null), fc.string())

/** JSON with names that hurt. */
export const arbitraryJson = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(names, tie('value')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  ),
})).value

const directiveNames = fc.constantFrom(
  ...['@path', '@template', '@literal', '@if', '@case', '@replace', '@arrayPath', '@flatten', '@json', '@merge'],
  ...['@transform', '@excludeWhenNull', '@liquid', '@unknown', '@__proto__', '@'],
)
const options = fc.constantFrom(
  ...['exists', 'blank', 'then', 'else', 'operator', 'value', 'pattern', 'replacement', 'pattern2', 'global'],
  ...['separator', 'mode', 'objects', 'direction', 'apply', 'mapping', '_metadata', '__proto__'],
)

/** Mappings, most of them wrong somewhere. */
export const arbitraryMapping = fc.letrec<{ value: unknown; known: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    scalar,
    tie('known'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.tuple(directiveNames, tie('value')).map(([name, value]) => ({ [name]: value })),
    fc
      .array(fc.tuple(fc.oneof(names, options), tie('value')), { maxLength: 4 })
      .map((entries) => Object.fromEntries(entries)),
  ),
  known: fc.oneof(
    text.map((path) => ({ '@path': path })),
    text.map((template) => ({ '@template': template })),
    fc.record({ exists: tie('value'), then: tie('value'), else: tie('value') }).map((value) => ({ '@if': value })),
    fc
      .record({ operator: fc.constantFrom('lower', 'upper'), value: tie('known') })
      .map((value) => ({ '@case': value })),
    fc
      .record({ pattern: fc.constantFrom('.', '$&', 'a'), value: tie('known') })
      .map((value) => ({ '@replace': value })),
    fc.tuple(text, tie('value')).map((value) => ({ '@arrayPath': value })),
    fc.record({ value: tie('known'), separator: fc.constantFrom('.', '_') }).map((value) => ({ '@flatten': value })),
    fc.record({ value: tie('known'), mode: fc.constantFrom('encode', 'decode') }).map((value) => ({ '@json': value })),
    fc
      .record({ objects: fc.array(tie('known'), { maxLength: 3 }), direction: fc.constantFrom('left', 'right') })
      .map((value) => ({ '@merge': value })),
    fc.record({ apply: tie('known'), mapping: tie('known') }).map((value) => ({ '@transform': value })),
    tie('known').map((value) => ({ '@excludeWhenNull': value })),
    fc
      .constantFrom('{{ a | upcase }}', '{{ toString }}', '{% if a %}x{% endif %}')
      .map((value) => ({ '@liquid': value })),
  ),
})).value
