import type { DiagnosisStep } from '../index.ts'
import { counted, seconds } from './numbers.ts'
import { paintFor, plainText, type Paint } from './terminal.ts'
import { wrap } from './wrap.ts'

/** For output that is no terminal, and for terminals that are wider than is good to read. */
const COLUMNS = 80
const MAX_COLUMNS = 110
const MIN_COLUMNS = 40
/** Less room than this beside the name of a step, and what is told goes below it. */
const MIN_BESIDE = 30
/** `FAILED`, two blanks, `12345 ms`, two blanks. */
const MARK = 6
const TIME = 8
const STEP = 13
/** What is told at length begins here, so that the marks stand out. */
const INDENT = MARK + 2

export interface CheckOutput {
  /** What is known of the terminal, if it is one. */
  readonly terminal: { readonly columns?: number; readonly isTTY?: boolean }
  readonly print: (line: string) => void
}

/**
 * A line per step, as it happens, under the address that it is about; what failed is told below it.
 *
 *     b-1.example.com:9093
 *     ok         2 ms  resolve        b-1.example.com is 10.0.0.7
 *     FAILED    31 ms  tls            CERTIFICATE_UNTRUSTED
 *             the broker's certificate goes back to "Example CA", which is not trusted: ...
 */
export class CheckScreen {
  readonly #columns: number
  readonly #paint: Paint
  readonly #print: (line: string) => void
  readonly #steps: DiagnosisStep[] = []
  #address = ''

  constructor({ terminal, print }: CheckOutput) {
    this.#columns = columnsOf(terminal)
    this.#paint = paintFor(terminal)
    this.#print = print
  }

  show(step: DiagnosisStep): void {
    this.#steps.push(step)
    const { ms, code } = step
    const left = `${timeOf(ms).padStart(TIME)}  ${plainText(step.step).padEnd(STEP)}`
    const beside = MARK + left.length + 4
    const [address, message] = splitAddress(plainText(step.message))
    if (address !== '' && address !== this.#address) {
      this.#address = address
      this.#print(this.#paint.bold(address))
    }
    // On a narrow terminal a sentence beside the step would become a column of words.
    const isBeside = code === undefined && this.#columns - beside >= MIN_BESIDE
    const lines = wrap(withoutCode(message, code), this.#columns - (isBeside ? beside : INDENT))
    const right = isBeside ? (lines.shift() ?? '') : plainText(code ?? '')
    const fits = beside + right.length <= this.#columns
    this.#print(`${this.#mark(step)}  ${left}  ${fits ? right : ''}`.trimEnd())
    for (const line of fits ? lines : [right, ...lines]) {
      this.#print(`${' '.repeat(isBeside ? beside : INDENT)}${line}`.trimEnd())
    }
  }

  /** The verdict, for those who read only the last line. */
  end(topic: string | null): void {
    const isFine = this.#steps.every(({ ok }) => ok)
    const word = isFine ? 'ALL IS WELL' : 'FAILED'
    const verdict = isFine ? this.#success(topic) : this.#failure()
    const [first = '', ...more] = wrap(`${word}: ${verdict}`, this.#columns)
    const painted = isFine ? this.#paint.good(word) : this.#paint.bad(word)
    this.#print(`${painted}${first.slice(word.length)}`)
    for (const line of more) this.#print(line)
  }

  /** A step may be in order and have a warning all the same. */
  #mark({ ok, code }: DiagnosisStep): string {
    if (!ok) return this.#paint.bad('FAILED')
    return code === undefined ? this.#paint.good('ok'.padEnd(MARK)) : this.#paint.bold('WARN'.padEnd(MARK))
  }

  #failure(): string {
    const failed = this.#steps.filter(({ ok }) => !ok)
    const names = failed.map(({ step, code }) => plainText(code === undefined ? step : `${step} (${code})`))
    return `${failed.length} of ${counted(this.#steps.length, 'step')}: ${[...new Set(names)].join(', ')}.`
  }

  #success(topic: string | null): string {
    const totalMs = this.#steps.reduce((sum, { ms }) => sum + ms, 0)
    const what =
      topic === null ? 'the cluster can be used' : `nothing is in the way of records to ${JSON.stringify(topic)}`
    const warnings = this.#steps.filter(({ code }) => code !== undefined).length
    const but = warnings === 0 ? '' : `, ${counted(warnings, 'warning')}`
    const hint = topic === null ? ' With --topic NAME a topic is looked at, too.' : ''
    return `${what} (${counted(this.#steps.length, 'step')}, ${seconds(totalMs / 1000)}${but}).${hint}`
  }
}

function columnsOf({ columns }: CheckOutput['terminal']): number {
  if (columns === undefined || columns === 0) return COLUMNS
  return Math.min(Math.max(columns, MIN_COLUMNS), MAX_COLUMNS)
}

function timeOf(ms: number): string {
  if (ms >= 9999.5) return `${(ms / 1000).toFixed(1)} s`
  return ms < 1 ? '<1 ms' : `${Math.round(ms)} ms`
}

/** `b-1:9093: it takes connections` -> `b-1:9093`, `it takes connections`; empty: nothing is said of one address alone. */
function splitAddress(message: string): [address: string, rest: string] {
  const [all = '', address = ''] = /^(\S+:\d+): /.exec(message) ?? []
  return [address, message.slice(all.length)]
}

/** `b-1:9093: CERTIFICATE_UNTRUSTED: the ...` -> `b-1:9093: the ...`: the code stands above it. */
function withoutCode(message: string, code: string | undefined): string {
  if (code === undefined) return message
  const at = message.indexOf(code)
  const behind = at < 0 ? null : /^(?: \(-?\d+\))?: /.exec(message.slice(at + code.length))
  return behind === null ? message : message.slice(0, at) + message.slice(at + code.length + behind[0].length)
}
