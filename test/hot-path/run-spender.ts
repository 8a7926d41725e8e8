import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Programs } from './programs.ts'
import type { SpendingJob, Wave } from './spending.ts'

/**
 * The young generation holds some waves, so that most of them are without a collection and the heap grows by what they
 * allocate. The compiler works in the foreground: what is optimised by when does not depend on who else is busy. Nobody
 * calls `gc()`: that throws away what the compiler has learnt.
 */
const FLAGS = ['--single-threaded', '--min-semi-space-size=128', '--max-semi-space-size=128']

/** A process that sends a wave of records whenever it is told to. */
export class SpenderProcess {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  #output = ''

  private constructor(child: ChildProcess) {
    this.#child = child
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#output += text))
    // There is no 'close' after a disconnect of ours.
    this.#ended = once(child, 'exit')
  }

  /** @param under what stands before `node` on the command line. @throws what it said, if it ends. */
  static async start(programs: Programs, job: SpendingJob, under: readonly string[] = []): Promise<SpenderProcess> {
    const [command, ...args] = [...under, process.execPath, ...FLAGS, programs.file('spender'), JSON.stringify(job)]
    const spender = new SpenderProcess(spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] }))
    await spender.#heard()
    return spender
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  async wave(): Promise<Wave> {
    this.#child.send('a wave')
    return this.#heard()
  }

  async close(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect()
    await this.#ended
  }

  async #heard(): Promise<Wave> {
    const ended = this.#ended.then(() => Promise.reject(new Error(`the spender has ended: ${this.#output}`)))
    const [wave] = (await Promise.race([once(this.#child, 'message'), ended])) as [Wave]
    return wave
  }
}
