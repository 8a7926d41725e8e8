const BLANK = /[ \t\n\r]*/y
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

/** A place in a text, from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

/**
 * Where a text stops being JSON. The message of `JSON.parse` quotes what is around that place, which may be a password.
 *
 * @returns null: it is JSON.
 */
export function jsonFault(text: string): Place | null {
  const scanner = new Scanner(text)
  if (scanner.isValue() && scanner.isAtEnd()) return null
  const before = text.slice(0, scanner.at)
  const lines = before.split('\n')
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 }
}

/** Each `is...` takes what it names and answers true, or stays where the fault is. */
class Scanner {
  readonly #text: string
  at = 0

  constructor(text: string) {
    this.#text = text
  }

  isValue(): boolean {
    this.#take(BLANK)
    if (this.#text[this.at] === '{') return this.#isList('}', () => this.#isMember())
    if (this.#text[this.at] === '[') return this.#isList(']', () => this.isValue())
    return this.#take(STRING) || this.#take(SCALAR)
  }

  isAtEnd(): boolean {
    this.#take(BLANK)
    return this.at === this.#text.length
  }

  #isMember(): boolean {
    this.#take(BLANK)
    return this.#take(STRING) && this.#isNext(':') && this.isValue()
  }

  #isList(close: string, isItem: () => boolean): boolean {
    this.at++
    if (this.#isNext(close)) return true
    do {
      if (!isItem()) return false
    } while (this.#isNext(','))
    return this.#isNext(close)
  }

  #isNext(char: string): boolean {
    this.#take(BLANK)
    if (this.#text[this.at] !== char) return false
    this.at++
    return true
  }

  #take(pattern: RegExp): boolean {
    pattern.lastIndex = this.at
    if (!pattern.test(this.#text)) return false
    this.at = pattern.lastIndex
    return true
  }
}
