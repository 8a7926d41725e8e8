import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'

const LOWEST_PORT = 12_000
const FALLBACK_EPHEMERAL_START = 32_768

/**
 * Ports on 127.0.0.1 that nobody listens on, below the range the kernel gives to outgoing connections.
 *
 * A killed node has to get its port back: inside that range any client's connection could sit on it, and a client that
 * keeps reconnecting to a dead port there can even connect to itself.
 */
export async function freePorts(count: number): Promise<number[]> {
  const held: { port: number; server: Server }[] = []
  try {
    while (held.length < count) {
      const port = randomInt(LOWEST_PORT, ephemeralStart())
      const server = await listen(port)
      if (server !== undefined) held.push({ port, server })
    }
    return held.map(({ port }) => port)
  } finally {
    await Promise.all(held.map(({ server }) => new Promise((resolve) => server.close(resolve))))
  }
}

function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(undefined)
      else reject(error)
    })
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

function ephemeralStart(): number {
  try {
    const start = Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split('\t')[0])
    return start > LOWEST_PORT + 1_000 ? start : FALLBACK_EPHEMERAL_START
  } catch {
    // Not Linux: elsewhere the range starts higher than Linux's default.
    return FALLBACK_EPHEMERAL_START
  }
}
