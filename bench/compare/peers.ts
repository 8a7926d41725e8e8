/** Where `npm run bench -- setup` puts what headrace is compared with; nothing here is installed by the root's `npm ci`. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheDirectory } from '../../test/support/kafka/cache.ts'

export const PEERS = fileURLToPath(new URL('../peers', import.meta.url))
export const CONTENDERS = fileURLToPath(new URL('../contenders', import.meta.url))
/** Bundles lie where Node finds the peers' packages from. */
export const BUNDLES = path.join(PEERS, 'node_modules', '.headrace-bench')
export const BUILT = path.join(cacheDirectory(), 'bench')
export const NEWER_NODE = path.join(PEERS, 'node_modules', 'node', 'bin', 'node')

export function newerNodeVersion(): string {
  return versionIn(peerFolder('node'), 'version') ?? 'unknown'
}

function versionIn(folder: string, field: string): string | undefined {
  const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Record<string, string>
  return manifest[field]
}

export function peerFolder(name: string): string {
  return path.join(PEERS, 'node_modules', ...name.split('/'))
}

/** librdkafka is built from the sources in Confluent's package, once: the C program and Confluent's client share it. */
export interface Librdkafka {
  readonly version: string
  readonly sources: string
  readonly home: string
}

/** Null: not set up. */
export function librdkafka(): Librdkafka | null {
  const folder = peerFolder('@confluentinc/kafka-javascript')
  if (!existsSync(folder)) return null
  const version = versionIn(folder, 'librdkafka') ?? 'unknown'
  return { version, sources: path.join(folder, 'deps', 'librdkafka'), home: path.join(BUILT, `librdkafka-${version}`) }
}
