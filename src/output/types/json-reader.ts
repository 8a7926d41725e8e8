/**
 * JSON (RFC 8259) without loss: `JSON.parse` rounds `9007199254740993` and forgets that `98103.0` had a fraction.
 *
 * A number with `.` or an exponent becomes a number (float), any other a bigint of any size; objects become `Row`, so
 * that order, odd names and doubled names survive. Node 20's reviver does not see source text, hence a reader of our own.
 */
import { MAX_DEPTH } from './infer-value.ts'
import { RowReadError, type RowReadErrorCode } from './row-read-error.ts'
import { Row, type Value } from './value.ts'

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const IS_FLOAT = /[.eE]/
const QUOTE = 0x22
const BACKSLASH = 0x5c
const FIRST_PRINTABLE = 0x20

/**
 * @param line for errors, from 1.
 * @throws {RowReadError} naming line and column.
 */
export function parseJsonRow(text: string, line = 1): Row {
  const reader = new JsonReader(text, line)
  const value = reader.readDocument()
  if (value instanceof Row) return value
  throw new RowReadError(
    'NOT_A_ROW',
    line,
    null,
    `expected an object, got ${Array.isArray(value) ? 'an array' : 'a plain value'}`,
  )
}

/** One JSON value of any kind, as `parseJsonRow` reads a row: for a file that is an array of rows. */
export function parseJsonValue(text: string, line = 1): Value {
  return new JsonReader(text, line).readDocument()
}

class JsonReader {
  readonly #text: string
  readonly #line: number
  #at = 0
  #depth = 0

  constructor(text: string, line: number) {
    this.#text = text
    this.#line = line
  }

  readDocument(): Value {
    const value = this.#readValue()
    this.#skipBlank()
    if (this.#at < this.#text.length) throw this.#fail('expected the end of the line')
    return value
  }

  #readValue(): Value {
    this.#skipBlank()
    switch (this.#text[this.#at]) {
      case '{':
        return this.#nested(() => this.#readObject())
      case '[':
        return this.#nested(() => this.#readArray())
      case '"':
        return this.#readString()
      case 't':
        return this.#readWord('true', true)
      case 'f':
        return this.#readWord('false', false)
      case 'n':
        return this.#readWord('null', null)
      default:
        return this.#readNumber()
    }
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH)
      throw this.#fail(`more than ${MAX_DEPTH} objects and arrays inside one another`, 'TOO_DEEP')
    this.#at++
    const value = read()
    this.#depth--
    return value
  }

  #readObject(): Row {
    const names: string[] = []
    const values: Value[] = []
    if (this.#isNext('}')) return new Row(names, values)
    do {
      this.#skipBlank()
      if (this.#text[this.#at] !== '"') throw this.#fail('expected a name in quotes')
      names.push(this.#readString())
      if (!this.#isNext(':')) throw this.#fail('expected a colon')
      values.push(this.#readValue())
    } while (this.#isNext(','))
    if (!this.#isNext('}')) throw this.#fail('expected a comma or }')
    return new Row(names, values)
  }

  #readArray(): Value[] {
    const values: Value[] = []
    if (this.#isNext(']')) return values
    do values.push(this.#readValue())
    while (this.#isNext(','))
    if (!this.#isNext(']')) throw this.#fail('expected a comma or ]')
    return values
  }

  #readString(): string {
    const open = this.#at
    let at = open + 1
    let isPlain = true
    for (;;) {
      const code = this.#text.charCodeAt(at)
      if (code === QUOTE) break
      // Beyond the end is NaN, which is not at least a space either.
      if (!(code >= FIRST_PRINTABLE)) throw this.#failAt(at, 'a string does not end, or holds a control character')
      if (code === BACKSLASH) isPlain = false
      at += code === BACKSLASH ? 2 : 1
    }
    this.#at = at + 1
    if (isPlain) return this.#text.slice(open + 1, at)
    try {
      return JSON.parse(this.#text.slice(open, at + 1)) as string
    } catch {
      // Its message would quote the string.
      throw this.#failAt(open, 'an escape in this string is not one of JSON')
    }
  }

  #readNumber(): bigint | number {
    NUMBER.lastIndex = this.#at
    const text = NUMBER.exec(this.#text)?.[0]
    if (text === undefined) throw this.#fail('expected a value')
    this.#at += text.length
    return IS_FLOAT.test(text) ? Number(text) : BigInt(text)
  }

  #readWord<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#fail('expected a value')
    this.#at += word.length
    return value
  }

  #isNext(char: string): boolean {
    this.#skipBlank()
    if (this.#text[this.#at] !== char) return false
    this.#at++
    return true
  }

  #skipBlank(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
      this.#at++
    }
  }

  #fail(what: string, code: RowReadErrorCode = 'INVALID_JSON'): RowReadError {
    return this.#failAt(this.#at, what, code)
  }

  #failAt(at: number, what: string, code: RowReadErrorCode = 'INVALID_JSON'): RowReadError {
    return new RowReadError(code, this.#line, at + 1, what)
  }
}
