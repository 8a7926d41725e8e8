import { ConversionError, type ConversionErrorCode } from './conversion-error.ts'

/**
 * Where in a row the work stands, for the error that may come: names of records, indexes of arrays. Whoever fails leaves
 * the steps as they are; the next row starts anew.
 */
export class Trail {
  readonly #steps: (string | number)[] = []

  restart(): void {
    this.#steps.length = 0
  }

  enter(step: string | number): void {
    this.#steps.push(step)
  }

  leave(): void {
    this.#steps.pop()
  }

  fail(valueKind: string, reason: string, code: ConversionErrorCode = 'TYPE_CONVERSION_ERROR'): ConversionError {
    const [column] = this.#steps
    const name = column === undefined ? null : String(column)
    return new ConversionError(code, { column: name, path: name === null ? null : this.#path(), valueKind, reason })
  }

  #path(): string {
    const written = this.#steps.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    return written.join('').slice(1)
  }
}
