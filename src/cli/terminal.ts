import { inspect, styleText } from 'node:util'

/** Data, for the next program. */
export function printData(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** One JSON document on one line. */
export function printJson(document: unknown): void {
  printData(JSON.stringify(document))
}

/** Everything that is for people while data may be piped elsewhere. */
export function printNote(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** One line; the stack only for those who ask for it. */
export function printError(error: unknown): void {
  if (isDebugging()) return printNote(inspect(error))
  const message = error instanceof Error ? error.message : String(error)
  printNote(`headrace: ${oneLine(message)}`)
}

export function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, ' ').trim()
}

/** What others chose, such as names in a certificate, without what a terminal would obey; line ends stay. */
export function plainText(text: string): string {
  return text.replaceAll(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?')
}

export function isDebugging(): boolean {
  return (process.env['HEADRACE_DEBUG'] ?? '') !== '' && process.env['HEADRACE_DEBUG'] !== '0'
}

/**
 * The reader of a pipe may leave early (`| head`). What was to be delivered still is, so that is no error of ours, and
 * the exit code goes on to tell of the delivery. Where stdout cannot be written for another reason, a full disk, what is
 * on its way is delivered, too, but the exit code tells.
 */
export function tolerateClosedPipes(): void {
  let isTold = false
  process.stderr.on('error', () => undefined)
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || isTold) return
    isTold = true
    printNote(`headrace: cannot write to stdout: ${error.message}`)
    process.once('exit', () => {
      if (process.exitCode === undefined || process.exitCode === 0) process.exitCode = 1
    })
  })
}

export interface Paint {
  bold(text: string): string
  dim(text: string): string
  good(text: string): string
  bad(text: string): string
}

/** Colours, if the stream is a terminal and nobody set NO_COLOR (no-color.org). */
export function paintFor(stream: { readonly isTTY?: boolean }): Paint {
  const isColourful = stream.isTTY === true && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb'
  const style = (format: 'bold' | 'dim' | 'green' | 'red') => (text: string) =>
    // Else styleText looks at stdout, whichever stream this is for.
    isColourful ? styleText(format, text, { validateStream: false }) : text
  return { bold: style('bold'), dim: style('dim'), good: style('green'), bad: style('red') }
}
