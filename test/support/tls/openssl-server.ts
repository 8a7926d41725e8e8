import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { findOpenssl } from '../kafka/java-installation.ts'

/**
 * `openssl s_server`: the one TLS server at hand that tells a client in an alert why its certificate is refused, and that
 * renews keys when it is told to.
 */
export class OpensslServer {
  readonly #child: ChildProcess
  readonly port: number
  /** All that it printed; what clients send, too. */
  said = ''

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
    child.stdout?.on('data', (chunk: Buffer) => (this.said += String(chunk)))
  }

  /** @param folder where the files in `args` are. */
  static async start(folder: string, args: readonly string[]): Promise<OpensslServer> {
    const child = spawn(await findOpenssl(), ['s_server', '-accept', '127.0.0.1:0', ...args], { cwd: folder })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said += String(chunk)))
    const port = await new Promise<number>((resolve, reject) => {
      child.once('exit', () => reject(new Error(`openssl s_server ended: ${said}`)))
      child.stdout.on('data', (chunk: Buffer) => {
        said += String(chunk)
        const listening = /ACCEPT 127\.0\.0\.1:(\d+)/.exec(said)
        if (listening !== null) resolve(Number(listening[1]))
      })
    })
    return new OpensslServer(child, port)
  }

  /** A key press: `K` and a line end renews the keys and asks the client to do so, `r` asks for a renegotiation. */
  press(text: string): void {
    this.#child.stdin?.write(text)
  }

  async dial(): Promise<Socket> {
    const socket = connect(this.port, '127.0.0.1')
    await once(socket, 'connect')
    return socket
  }

  async close(): Promise<void> {
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await gone
  }
}
