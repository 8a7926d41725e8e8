/** The ways in which one field of a schema can be wrong, as edits of its source. */
import ts from 'typescript'

export interface Mutation {
  readonly file: string
  readonly line: number
  /** Such as `request.topicData.partitionData.index`. */
  readonly field: string
  readonly kind: string
  /** The text between `start` and `end` gives way to `text`. */
  readonly start: number
  readonly end: number
  readonly before: string
  readonly text: string
}

type Report = (node: { start: number; end: number }, field: string, kind: string, text: string) => void

const OTHER_TYPE: Readonly<Record<string, string>> = {
  int8: 'int16',
  int16: 'int32',
  int32: 'int16',
  int64: 'int32',
  boolean: 'int16',
  string: 'bytes',
  bytes: 'string',
  records: 'string',
  uuid: 'string',
}

/** Every breakage of one field in one file of `src/protocol/messages`; not one of them leaves the schema's meaning alone. */
export function mutationsOf(file: string, source: string): Mutation[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true)
  const found: Mutation[] = []
  const report: Report = ({ start, end }, field, kind, text) => {
    const line = tree.getLineAndCharacterOfPosition(start).line + 1
    found.push({ file, line, field, kind, start, end, before: source.slice(start, end), text })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.getText() === 'api') {
      const [definition] = node.arguments
      if (definition && ts.isObjectLiteralExpression(definition)) breakApi(definition, report)
      return
    }
    // A struct that has a name of its own, because it comes twice.
    if (ts.isVariableDeclaration(node) && node.initializer && ts.isCallExpression(node.initializer)) {
      const name = node.name.getText()
      if (node.initializer.expression.getText() === 'array') breakField(name, node.initializer, report)
    }
    ts.forEachChild(node, visit)
  }
  visit(tree)
  // Names of types that the file does not import would fail to load, which shows nothing.
  const imported = new Set(
    /import \{([^}]*)\}/
      .exec(source)?.[1]
      ?.split(',')
      .map((name) => name.trim()),
  )
  return found.filter(({ kind, text }) => kind !== 'type' || imported.has(text))
}

function breakApi(definition: ts.ObjectLiteralExpression, report: Report): void {
  for (const property of definition.properties) {
    if (!ts.isPropertyAssignment(property)) continue
    const name = property.name.getText()
    const value = property.initializer
    if (name === 'flexible' && ts.isNumericLiteral(value)) offByOne(value, 'flexible', 'flexible', report)
    if (ts.isObjectLiteralExpression(value)) breakStruct(name, value, report)
  }
}

function breakStruct(path: string, struct: ts.ObjectLiteralExpression, report: Report): void {
  const fields = struct.properties.filter(ts.isPropertyAssignment)
  for (const [i, field] of fields.entries()) {
    const name = `${path}.${field.name.getText()}`
    breakField(name, field.initializer, report)
    const next = fields[i + 1]
    if (next && !isTagged(field) && !isTagged(next)) {
      const between = struct.getSourceFile().text.slice(field.getEnd(), next.getStart())
      const range = { start: field.getStart(), end: next.getEnd() }
      report(range, name, 'swapped with the next', next.getText() + between + field.getText())
    }
  }
}

/** Tagged fields go by their tags: their order in a schema has no meaning. */
function isTagged(field: ts.PropertyAssignment): boolean {
  return /\.tagged\(/.test(field.initializer.getText().replace(/\{[\s\S]*\}/, ''))
}

/** Walks a chain such as `string.nullable(3).since(3, null)` from its end to the type it starts from. */
function breakField(name: string, expression: ts.Expression, report: Report): void {
  if (ts.isIdentifier(expression)) {
    const other = OTHER_TYPE[expression.text]
    if (other !== undefined) report(rangeOf(expression), name, 'type', other)
    // Modifiers that are not there; the chain's first link stands for all of it.
    if (!ts.isPropertyAccessExpression(expression.parent)) {
      report(rangeOf(expression), name, 'ignorable', `${expression.text}.ignorable()`)
      if (expression.text === 'string' && ts.isPropertyAssignment(expression.parent)) {
        report(rangeOf(expression), name, 'nullable', 'string.nullable()')
      }
    }
    return
  }
  if (!ts.isCallExpression(expression)) return
  const callee = expression.expression
  if (!ts.isPropertyAccessExpression(callee)) {
    const [inside] = expression.arguments
    if (inside === undefined) return
    if (ts.isObjectLiteralExpression(inside)) breakStruct(name, inside, report)
    else if (ts.isIdentifier(inside)) breakElement(name, inside, report)
    return
  }
  breakModifier(name, callee, expression, report)
  breakField(name, callee.expression, report)
}

function breakElement(name: string, element: ts.Identifier, report: Report): void {
  const other = OTHER_TYPE[element.text]
  if (other !== undefined) report(rangeOf(element), `${name}[]`, 'type', other)
}

function breakModifier(
  name: string,
  callee: ts.PropertyAccessExpression,
  call: ts.CallExpression,
  report: Report,
): void {
  const modifier = callee.name.text
  const [first, second, third] = call.arguments
  const whole = { start: callee.expression.getEnd(), end: call.getEnd() }
  switch (modifier) {
    case 'since':
    case 'until':
      if (first) offByOne(first, name, modifier, report)
      if (second) breakDefault(second, name, report)
      break
    case 'tagged':
      if (first) report(rangeOf(first), name, 'tag', String(Number(first.getText()) + 1))
      if (second) offByOne(second, name, 'since', report)
      if (third) breakDefault(third, name, report)
      break
    case 'default':
      if (first) breakDefault(first, name, report)
      break
    case 'nullable':
      report(whole, name, 'nullable', '')
      // Null before the field is there says nothing.
      if (first) offByOne(first, name, 'nullable', report, sinceOf(call))
      break
    case 'ignorable':
      report(whole, name, 'ignorable', '')
      break
  }
}

/** The first version of the field that a modifier belongs to. */
function sinceOf(modifier: ts.CallExpression): number {
  let link: ts.Node = modifier
  while (ts.isPropertyAccessExpression(link.parent) || ts.isCallExpression(link.parent)) {
    link = link.parent
    if (!ts.isCallExpression(link) || !ts.isPropertyAccessExpression(link.expression)) continue
    const place = { since: 0, tagged: 1 }[link.expression.name.text]
    if (place !== undefined) return Number(link.arguments[place]?.getText() ?? 0)
  }
  return 0
}

function offByOne(node: ts.Expression, name: string, kind: string, report: Report, least = 0): void {
  const value = Number(node.getText())
  report(rangeOf(node), name, kind, String(value + 1))
  if (value > least) report(rangeOf(node), name, kind, String(value - 1))
}

function breakDefault(node: ts.Expression, name: string, report: Report): void {
  const text = node.getText()
  const other = text.endsWith('n') && text !== 'n' && /\d/.test(text) ? '5n' : (OTHER_DEFAULT[text] ?? '5')
  report(rangeOf(node), name, 'default', other)
}

const OTHER_DEFAULT: Readonly<Record<string, string>> = { true: 'false', false: 'true', null: "'x'", "''": 'null' }

function rangeOf(node: ts.Node): { start: number; end: number } {
  return { start: node.getStart(), end: node.getEnd() }
}
