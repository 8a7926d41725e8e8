import { afterEach } from 'vitest'
import { KafkaDestination, type KafkaDestinationOptions } from '../../src/destination/destination.ts'
import { TestCluster, type TestClusterOptions } from '../../src/testing/test-cluster.ts'
import { canarySecret } from '../support/canary.ts'

export const password = canarySecret('password of a delivering destination')

const open: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

/** Where `ann` gets in with `password`; closed after the test. */
export async function startCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const cluster = await TestCluster.start({ topics: { t: 3 }, sasl: { users: { ann: password } }, ...options })
  open.push(() => cluster.close())
  return cluster
}

export function settingsFor(cluster: TestCluster): KafkaDestinationOptions['settings'] {
  const login = { mechanism: 'scram-sha-256', username: 'ann', password } as const
  return { clientId: 'a-destination', brokers: cluster.bootstrap, ...login, ssl_enabled: false }
}

/** Closed after the test. */
export function newDestination(
  cluster: TestCluster,
  options: Partial<KafkaDestinationOptions> & { readonly fields?: Record<string, unknown> } = {},
): KafkaDestination {
  const { fields, ...others } = options
  const mappings = [{ name: 'all', trigger: 'type != "never"', fields: { ...wholeEvent, topic: 't', ...fields } }]
  const destination = new KafkaDestination({ settings: settingsFor(cluster), mappings, ...others })
  open.push(() => destination.close())
  return destination
}

export const wholeEvent = { payload: { '@path': '$.' } }

export function track(properties: Record<string, unknown> = {}): Record<string, unknown> {
  return { type: 'track', event: 'Bought', properties }
}

/** What was written, in short: partition, key and value. */
export function written(cluster: TestCluster, topic = 't'): string[] {
  return cluster
    .records(topic)
    .map(({ partition, key, value }) => `${partition} ${key === null ? '-' : String(key)} ${String(value)}`)
}
