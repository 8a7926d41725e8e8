import { tokensOf, type Token } from './tokens.ts'
import { TriggerError } from './trigger-error.ts'
import { pathSubjects, textSubjects, type Ordering, type Subject, type SubjectRoot, type Trigger } from './trigger.ts'

export interface TriggerOptions {
  /**
   * How `and` and `or` in one row, without parentheses, belong together. `and-first`: `and` binds closer, as in every
   * language. `last-wins`: the last of them counts for the whole row, as Segment evaluates it.
   */
  readonly precedence?: 'and-first' | 'last-wins'
}

/** In characters. Segment allows 50 conditions; this is some 200 of the longest usual ones. */
export const MAX_TRIGGER_LENGTH = 16_384
/** Parentheses and negations inside one another. */
export const MAX_TRIGGER_NESTING = 64

const SUBJECTS = `${textSubjects.join(', ')}, properties.x, traits.x, context.x`
const A_CONDITION = `a condition on ${SUBJECTS}, contains(...), match(...), not or (`

/**
 * Reads a trigger of Segment's language.
 *
 *     or     := and { "or" and }                      and   := not { "and" not }
 *     not    := ( "not" | "!" ) not | "(" or ")" | test
 *     test   := subject ( "=" | "!=" ) ( text | number | true | false | null )
 *             | subject ( "<" | "<=" | ">" | ">=" ) number
 *             | [ "!" ] "contains" "(" subject "," text ")"
 *             | [ "!" ] "match" "(" subject "," text with * at its end or beginning ")"
 *
 * Words are read without regard to case, but for subjects. Text stands in " or ' and has no escapes; in a subject a
 * backslash lets any character be part of a name.
 *
 * @throws {TriggerError} naming the position and what was expected there.
 */
export function parseTrigger(text: string, options: TriggerOptions = {}): Trigger {
  if (typeof text !== 'string') throw new TriggerError(`expected a text, got ${typeof text}`, '', 0)
  if (text.length > MAX_TRIGGER_LENGTH) {
    const what = `${text.length} characters, at most ${MAX_TRIGGER_LENGTH} are read`
    throw new TriggerError(what, text, MAX_TRIGGER_LENGTH)
  }
  return new Parser(text, options.precedence === 'last-wins').parse()
}

class Parser {
  readonly #text: string
  readonly #lastWins: boolean
  readonly #tokens: readonly Token[]
  #next = 0
  #depth = 0

  constructor(text: string, lastWins: boolean) {
    this.#text = text
    this.#lastWins = lastWins
    this.#tokens = tokensOf(text)
  }

  parse(): Trigger {
    const trigger = this.#row()
    if (this.#peek().kind !== 'end') throw this.#unexpected('and, or, or the end')
    return trigger
  }

  #row(): Trigger {
    return this.#lastWins ? this.#flatRow() : this.#chain('or', () => this.#chain('and', () => this.#not()))
  }

  #chain(kind: 'and' | 'or', part: () => Trigger): Trigger {
    const first = part()
    const children = [first]
    while (this.#acceptWord(kind)) children.push(part())
    return children.length === 1 ? first : { kind, children }
  }

  #flatRow(): Trigger {
    const first = this.#not()
    const children = [first]
    let kind: 'and' | 'or' = 'and'
    for (;;) {
      if (this.#acceptWord('and')) kind = 'and'
      else if (this.#acceptWord('or')) kind = 'or'
      else return children.length === 1 ? first : { kind, children }
      children.push(this.#not())
    }
  }

  #not(): Trigger {
    if (this.#isWord('not')) return this.#nested(() => ({ kind: 'not', child: this.#not() }))
    if (!this.#isSymbol('!')) return this.#primary()
    const { kind, text } = this.#tokens[this.#next + 1] ?? this.#peek()
    const isFunction = kind === 'word' && /^(?:contains|match)$/i.test(text)
    if (!isFunction) return this.#nested(() => ({ kind: 'not', child: this.#not() }))
    this.#next++
    return this.#call(true)
  }

  #primary(): Trigger {
    if (this.#isSymbol('(')) {
      const inner = this.#nested(() => this.#row())
      this.#expectSymbol(')', 'and, or, or )')
      return inner
    }
    return this.#isWord('contains') || this.#isWord('match') ? this.#call(false) : this.#comparison()
  }

  /** Consumes one token, `(` or a negation, and what it opens. */
  #nested(inside: () => Trigger): Trigger {
    if (this.#depth === MAX_TRIGGER_NESTING) {
      throw this.#fault(`nested deeper than ${MAX_TRIGGER_NESTING} parentheses and negations`)
    }
    this.#depth++
    this.#next++
    const trigger = inside()
    this.#depth--
    return trigger
  }

  #call(isNegated: boolean): Trigger {
    const name = this.#take().text.toLowerCase()
    this.#expectSymbol('(', `( after ${name}`)
    const subject = this.#subject(`a subject: ${SUBJECTS}`)
    this.#expectSymbol(',', 'a comma and the text to look for')
    const trigger = name === 'contains' ? this.#contains(subject, isNegated) : this.#match(subject, isNegated)
    this.#expectSymbol(')', `) after the text of ${name}`)
    return trigger
  }

  #contains(subject: Subject, isNegated: boolean): Trigger {
    const { kind } = this.#peek()
    if (kind !== 'string' && kind !== 'number') throw this.#unexpected('a text in quotes')
    const { text } = this.#take()
    return {
      kind: 'text',
      subject,
      test: 'contains',
      isNegated,
      value: kind === 'number' ? String(Number(text)) : text,
    }
  }

  #match(subject: Subject, isNegated: boolean): Trigger {
    const { kind, text } = this.#peek()
    if (kind !== 'string') throw this.#unexpected('a text in quotes')
    if (!text.startsWith('*') && !text.endsWith('*')) {
      throw this.#fault('match expects a text that ends with * (begins with) or begins with * (ends with)')
    }
    this.#next++
    if (text.endsWith('*')) return { kind: 'text', subject, test: 'startsWith', isNegated, value: text.slice(0, -1) }
    return { kind: 'text', subject, test: 'endsWith', isNegated, value: text.slice(1) }
  }

  #comparison(): Trigger {
    const subject = this.#subject(A_CONDITION)
    const { kind, text: operator } = this.#peek()
    if (kind !== 'symbol' || !/^(?:!?=|[<>]=?)$/.test(operator)) throw this.#unexpected('=, !=, <, <=, > or >=')
    this.#next++
    if (operator === '=' || operator === '!=') {
      return { kind: 'equals', subject, isNegated: operator === '!=', value: this.#value() }
    }
    return { kind: 'order', subject, operator: operator as Ordering, value: this.#number() }
  }

  #value(): string | number | boolean | null {
    const { kind, text } = this.#peek()
    if (kind === 'number') return this.#number()
    const word = kind === 'word' ? text.toLowerCase() : ''
    if (kind !== 'string' && word !== 'true' && word !== 'false' && word !== 'null') {
      throw this.#unexpected('a text in quotes, a number, true, false or null')
    }
    this.#next++
    if (kind === 'string') return text
    return word === 'null' ? null : word === 'true'
  }

  #number(): number {
    const { kind, text } = this.#peek()
    const isNumber = kind === 'number' || (kind === 'string' && /^[-+]?[0-9]+(?:\.[0-9]+)?$/.test(text.trim()))
    if (!isNumber || !Number.isFinite(Number(text))) throw this.#unexpected('a number')
    this.#next++
    return Number(text) + 0 // -0 is written like 0
  }

  #subject(expected: string): Subject {
    const { kind, text } = this.#peek()
    const dot = text.indexOf('.')
    const root = dot === -1 ? text : text.slice(0, dot)
    if (kind !== 'word' || !isRoot(root)) throw this.#unexpected(expected)
    // As Segment does: a name is taken apart at dots and brackets, even those that a backslash brought in.
    const path = dot === -1 ? [] : (text.slice(dot + 1).match(/[^[.\]]+/g) ?? [])
    const wantsPath = (pathSubjects as readonly string[]).includes(root)
    if (wantsPath && path.length === 0) throw this.#fault(`${root} needs a name: ${root}.something`)
    if (!wantsPath && dot !== -1) throw this.#fault(`${root} has no parts, expected ${root} alone`)
    this.#next++
    return { root, path }
  }

  #peek(): Token {
    const token = this.#tokens[this.#next]
    if (token === undefined) throw this.#fault('expected something more')
    return token
  }

  #take(): Token {
    const token = this.#peek()
    this.#next++
    return token
  }

  #isWord(word: string): boolean {
    const { kind, text } = this.#peek()
    return kind === 'word' && text.toLowerCase() === word
  }

  #isSymbol(symbol: string): boolean {
    const { kind, text } = this.#peek()
    return kind === 'symbol' && text === symbol
  }

  #acceptWord(word: string): boolean {
    const isThere = this.#isWord(word)
    if (isThere) this.#next++
    return isThere
  }

  #expectSymbol(symbol: string, expected: string): void {
    if (!this.#isSymbol(symbol)) throw this.#unexpected(expected)
    this.#next++
  }

  #unexpected(expected: string): TriggerError {
    const { kind, text } = this.#peek()
    const shown = text.length > 40 ? `${text.slice(0, 40)}...` : text
    const got = kind === 'end' ? 'the end' : kind === 'string' ? `the text ${JSON.stringify(shown)}` : shown
    return this.#fault(`expected ${expected}, got ${got}`)
  }

  #fault(what: string): TriggerError {
    return new TriggerError(what, this.#text, this.#tokens[this.#next]?.start ?? this.#text.length)
  }
}

function isRoot(word: string): word is SubjectRoot {
  return (textSubjects as readonly string[]).includes(word) || (pathSubjects as readonly string[]).includes(word)
}
