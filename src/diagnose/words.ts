import type { KafkaError } from '../errors.ts'
import { brokerText } from '../sasl/broker-text.ts'

/** An error without its address and code, which are told beside it. */
export function whatOf({ code, message }: KafkaError): string {
  const at = message.indexOf(code)
  const behind = at < 0 ? null : /^(?: \(-?\d+\))?: /.exec(message.slice(at + code.length))
  return behind === null ? message : message.slice(at + code.length + behind[0].length)
}

/** Two sentences; the first may lack its full stop. */
export function withAdvice(what: string, advice: string): string {
  if (advice === '') return what
  return /[.?!]$/.test(what) ? `${what} ${advice}` : `${what}. ${advice}`
}

/** A name that somebody else chose: short, on one line. */
export function quoted(name: string): string {
  return JSON.stringify(brokerText(name))
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** `0, 1, 2 and 17 more` */
export function listed(items: readonly (string | number)[], most: number): string {
  const shown = items.slice(0, most).join(', ')
  return items.length > most ? `${shown} and ${items.length - most} more` : shown
}

/** A word for a command line that is to be copied; what would need quotes there is left to the reader. */
export function argument(text: string): string {
  return /^[\w.@=:-]+$/.test(text) ? text : '...'
}
