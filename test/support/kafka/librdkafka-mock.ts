import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheDirectory, makeOnce } from './cache.ts'
import { BrokersUnavailable, needProgram } from './java-installation.ts'
import { LineProcess } from './line-process.ts'
import { runCommand } from './run-command.ts'

const PROGRAM = fileURLToPath(new URL('python/mock_cluster.py', import.meta.url))
/** It brings the librdkafka of the same version. */
const CONFLUENT_KAFKA = '2.16.1'
const INSTALL_TIMEOUT_MS = 600_000

/** @throws {BrokersUnavailable} no Python 3, or `confluent-kafka` cannot be installed. */
export async function startLibrdkafkaMock(nodes: number): Promise<LineProcess> {
  return new LineProcess(await ensurePython(), [PROGRAM, String(nodes)])
}

/** A Python that has `confluent-kafka`: a virtual environment in the cache. */
async function ensurePython(): Promise<string> {
  const home = path.join(cacheDirectory(), 'python', `confluent-kafka-${CONFLUENT_KAFKA}`)
  await makeOnce(home, async (folder) => {
    const python = await needProgram('python3', "for librdkafka's mock cluster", 'e.g. `apt-get install python3-venv`')
    const install = ['-m', 'pip', 'install', '-q', `confluent-kafka==${CONFLUENT_KAFKA}`]
    try {
      await runCommand(python, ['-m', 'venv', folder])
      // Through the interpreter: the environment moves when it is ready, which the script `pip` would not survive.
      await runCommand(path.join(folder, 'bin', 'python'), install, { timeoutMs: INSTALL_TIMEOUT_MS })
    } catch (error) {
      throw new BrokersUnavailable(`pip could not install confluent-kafka.\n${String(error)}`, { cause: error })
    }
  })
  return path.join(home, 'bin', 'python')
}
