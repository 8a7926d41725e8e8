import type { Column } from '../types/column-type.ts'
import type { AvroSettings } from './avro-settings.ts'
import { AvroFormat } from './avro.ts'
import type { RequirePackage } from './avsc.ts'
import { CsvFormat, type Newline } from './csv.ts'
import { JsonFormat } from './json.ts'
import type { MessageFormat } from './message-format.ts'
import type { Serialization } from './serialization.ts'

/** Checked options, of which each format takes what concerns it. */
export interface FormatOptions {
  readonly serialization: Serialization
  readonly columns: readonly Column[]
  readonly header: boolean
  readonly newline: Newline
  readonly avro: AvroSettings
  readonly requirePackage?: RequirePackage
}

/** @throws {OptionError} Avro: the package avsc is missing, or `avroSchema` is no schema. */
export function createFormat(options: FormatOptions): MessageFormat {
  const { serialization, columns, header, newline, avro, ...rest } = options
  switch (serialization.type) {
    case 'Json':
      return new JsonFormat(serialization.format)
    case 'Csv':
      return new CsvFormat({ fieldDelimiter: serialization.fieldDelimiter, header, newline, columns })
    case 'Avro':
      return new AvroFormat({ ...avro, columns, ...rest })
  }
}
