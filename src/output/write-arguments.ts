import { OutputError } from './output-error.ts'
import { showOption } from './types/column-type.ts'

/** @throws {OutputError} `INVALID_ARGUMENT` */
export function checkWriteArguments(rows: unknown, options: unknown): void {
  if (!isIterable(rows)) {
    throw invalid('write', `rows: got ${showOption(rows)}, expected an iterable of objects, or an async one`)
  }
  if (typeof options !== 'object' || options === null) {
    throw invalid('write', `options: got ${showOption(options)}, expected an object`)
  }
  const { signal, firstRow, onProgress } = options as Record<string, unknown>
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalid('write', `signal: got ${showOption(signal)}, expected an AbortSignal`)
  }
  if (firstRow !== undefined && !(Number.isSafeInteger(firstRow) && Number(firstRow) >= 0)) {
    throw invalid('write', `firstRow: got ${showOption(firstRow)}, expected an integer from 0`)
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw invalid('write', `onProgress: got ${showOption(onProgress)}, expected a function`)
  }
}

/** @returns what is wrong, if anything. */
export function checkCloseOptions(options: unknown): OutputError | null {
  const isObject = typeof options === 'object' && options !== null
  const timeoutMs: unknown = isObject ? (options as { timeoutMs?: unknown }).timeoutMs : options
  const isFine = timeoutMs === undefined || (Number.isInteger(timeoutMs) && Number(timeoutMs) >= 0)
  if (isObject && isFine && Number(timeoutMs ?? 0) < 2 ** 31) return null
  return invalid('close', `timeoutMs: got ${showOption(timeoutMs)}, expected whole milliseconds from 0`)
}

/** A text is an iterable of characters, and a mistake. */
function isIterable(rows: unknown): boolean {
  return typeof rows === 'object' && rows !== null && (Symbol.iterator in rows || Symbol.asyncIterator in rows)
}

function invalid(where: string, what: string): OutputError {
  return new OutputError('INVALID_ARGUMENT', `${where}: INVALID_ARGUMENT: ${what}`)
}
