import { BrokersUnavailable, ensureJars, findJava } from './jars.ts'
import { requireCompiler } from './java-installation.ts'
import { NEWEST_VERSION } from './versions.ts'

export type Availability = { readonly ok: true } | { readonly ok: false; readonly reason: string }

/** Whether real brokers can run here; downloads the newest version's jars where that was not done before. */
export async function brokersAvailable(): Promise<Availability> {
  try {
    requireCompiler(await findJava())
    await ensureJars(NEWEST_VERSION, () => process.stderr.write(`Downloading Kafka ${NEWEST_VERSION} (once)\n`))
    return { ok: true }
  } catch (error) {
    if (error instanceof BrokersUnavailable) return { ok: false, reason: error.message }
    throw error
  }
}
