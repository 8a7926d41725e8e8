import { TriggerError } from './trigger-error.ts'

export interface Token {
  readonly kind: 'word' | 'string' | 'number' | 'symbol' | 'end'
  /** As written, but words without their backslashes and strings without their quotes. */
  readonly text: string
  readonly start: number
}

// Sticky, and in each of them every character can be matched in one way only: the time is linear in the text.
const SPACE = /[ \t\r\n]+/y
const WORD = /(?:[\p{L}_]|\\.)(?:[\p{L}\p{N}_-]|\\.)*(?:\.(?:[\p{L}\p{N}_-]|\\.)+)*/suy
const NUMBER = /[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y
const SYMBOL = /<=|>=|!=|[=<>!(),]/y

/** @throws {TriggerError} at a character that begins nothing, or a quote that nothing closes. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  let position = skipSpace(text, 0)
  while (position < text.length) {
    const { token, end } = tokenAt(text, position)
    tokens.push(token)
    position = skipSpace(text, end)
  }
  tokens.push({ kind: 'end', text: '', start: text.length })
  return tokens
}

function tokenAt(text: string, start: number): { token: Token; end: number } {
  const first = text[start]
  if (first === '"' || first === "'") return stringAt(text, start, first)
  const word = matchAt(WORD, text, start)
  if (word !== null) {
    return { token: { kind: 'word', text: word.replaceAll(/\\(.)/gsu, '$1'), start }, end: start + word.length }
  }
  const number = matchAt(NUMBER, text, start)
  if (number !== null) return numberAt(text, start, number)
  const symbol = matchAt(SYMBOL, text, start)
  if (symbol !== null) return { token: { kind: 'symbol', text: symbol, start }, end: start + symbol.length }
  const character = String.fromCodePoint(text.codePointAt(start) ?? 0)
  throw new TriggerError(`the character ${JSON.stringify(character)} cannot stand here`, text, start)
}

function stringAt(text: string, start: number, quote: string): { token: Token; end: number } {
  const close = text.indexOf(quote, start + 1)
  if (close === -1) throw new TriggerError(`no ${quote} closes this text`, text, start)
  return { token: { kind: 'string', text: text.slice(start + 1, close), start }, end: close + 1 }
}

function numberAt(text: string, start: number, number: string): { token: Token; end: number } {
  const end = start + number.length
  if (matchAt(WORD, text, end) !== null || text[end] === '.') {
    throw new TriggerError('this begins as a number and goes on as something else; text needs quotes', text, start)
  }
  if (!Number.isFinite(Number(number))) throw new TriggerError('this number is too large', text, start)
  return { token: { kind: 'number', text: number, start }, end }
}

function skipSpace(text: string, position: number): number {
  return position + (matchAt(SPACE, text, position)?.length ?? 0)
}

function matchAt(pattern: RegExp, text: string, position: number): string | null {
  pattern.lastIndex = position
  return pattern.exec(text)?.[0] ?? null
}
