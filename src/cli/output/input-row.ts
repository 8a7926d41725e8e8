import type { Row } from '../../output/output.ts'

/** A row of the input that cannot be read. Its contents are not in the message. */
export interface InputFault {
  readonly code: string
  /** Says where: a line, a column. */
  readonly message: string
  /** The input ended in the middle of it: the rest may still be written. */
  readonly isCut?: boolean
}

/** What one row of the input came to. */
export interface InputRow {
  /** Where it ends, from 1; blank lines count. */
  readonly line: number
  /** Bytes of the file up to its end: reading can begin there. */
  readonly endByte: number
  readonly result: Row | InputFault
}

/** Where reading begins. */
export interface InputStart {
  readonly byte: number
  /** Lines before that byte. */
  readonly line: number
}

export const FROM_THE_BEGINNING: InputStart = { byte: 0, line: 0 }
