import { BufferPool } from '../../src/producer/buffer-pool.ts'

const POISON = 0xdb

let isOn = false

/** From now on memory that a producer gives back is overwritten at once: whoever still reads it, a socket say, sends rubbish. */
export function poisonFreedMemory(): void {
  if (isOn) return
  isOn = true
  const give = Object.getOwnPropertyDescriptor(BufferPool.prototype, 'give')?.value as BufferPool['give']
  BufferPool.prototype.give = function poisonAndGive(this: BufferPool, memory: Buffer): void {
    memory.fill(POISON)
    give.call(this, memory)
  }
}
