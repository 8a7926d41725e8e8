/**
 * Run with few file descriptors: uses them up, tries to connect, frees them, tries again, and prints what came of it.
 *
 *     sh -c 'ulimit -n 64; node --import tsx test/connection/exhausted.ts PORT'
 */
import { closeSync, openSync } from 'node:fs'
import { systemClock } from '../../src/clock.ts'
import { openSocket } from '../../src/connection/open-socket.ts'

const options = {
  ...{ nodeId: 1, host: '127.0.0.1', port: Number(process.argv[2]) },
  ...{ clock: systemClock, connectTimeoutMs: 10_000, signal: new AbortController().signal },
}

async function tryToConnect(): Promise<object> {
  try {
    const socket = await openSocket(options)
    socket.destroy()
    return { isConnected: true }
  } catch (error) {
    const { name, code, message, retriable } = error as {
      name: string
      code: string
      message: string
      retriable: boolean
    }
    return { name, code, message, retriable }
  }
}

/** Opens files until there is no descriptor left. */
function useUp(): number[] {
  const files: number[] = []
  for (;;) {
    try {
      files.push(openSync('/dev/null', 'r'))
    } catch {
      return files
    }
  }
}

const first = await tryToConnect()
const files = useUp()
const exhausted = await tryToConnect()
for (const file of files) closeSync(file)
const recovered = await tryToConnect()
console.log(JSON.stringify({ first, exhausted, recovered }))
