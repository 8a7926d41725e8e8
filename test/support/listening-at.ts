import { vi } from 'vitest'
import type { RunningCli } from './run-cli.ts'

/** Where `headrace destination --listen 0` says that it listens. */
export async function listeningAt(service: RunningCli): Promise<string> {
  const url = (): string | undefined => /^listening on (http:\S+)$/m.exec(service.stderr())?.[1]
  await vi.waitUntil(() => url() !== undefined || service.child.exitCode !== null, { timeout: 30_000, interval: 20 })
  const found = url()
  if (found === undefined) throw new Error(`it does not listen: ${service.stderr()}`)
  return found
}
