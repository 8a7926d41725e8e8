import { RecordHead, type RecordHeadOptions } from './record-head.ts'
import { createFormat, type FormatOptions } from './serialize/create-format.ts'
import { MessagePacker, type PackedMessage, type PackingLimits } from './serialize/message-packer.ts'
import { ConversionError } from './types/conversion-error.ts'
import { RowTyper } from './types/row-typer.ts'

/** From rows, as programs and readers give them, to messages. Synchronous; keeps the rows of the message that is open. */
export class RowEncoder {
  readonly #typer: RowTyper
  readonly #head: RecordHead
  readonly #packer: MessagePacker

  /** @throws {OptionError} Avro: the package avsc is missing, or `avroSchema` is no schema. */
  constructor(options: FormatOptions & PackingLimits & RecordHeadOptions) {
    this.#typer = new RowTyper(options.columns)
    this.#head = new RecordHead(options)
    this.#packer = new MessagePacker(createFormat(options), options)
  }

  /** Rows of the message that is open. */
  get pendingRows(): number {
    return this.#packer.pendingRows
  }

  /**
   * @returns the messages that are complete now, in order.
   * @throws {ConversionError} and nothing else, whatever the row is. What is open stays as it was.
   */
  push(input: unknown): readonly PackedMessage[] {
    const row = this.#typer.type(input)
    try {
      return this.#packer.push(row, this.#head.of(row))
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause
      // Strings and buffers of JavaScript have an end.
      const reason = 'it would be longer than a message can be'
      throw new ConversionError('RECORD_EXCEEDED_SIZE_LIMIT', { column: null, valueKind: 'row', reason, cause })
    }
  }

  /** Closes the message that is open. */
  flush(): readonly PackedMessage[] {
    return this.#packer.flush()
  }
}
