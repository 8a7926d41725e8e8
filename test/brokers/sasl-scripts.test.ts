import { afterAll, beforeAll, expect, it } from 'vitest'
import { startCluster, type RealCluster } from '../support/kafka/cluster.ts'
import { describeBrokers } from '../support/kafka/require-brokers.ts'
import { SaslClient } from '../testing/sasl-client.ts'
import { plaintextScripts, scripts, SESSION_MS, type Script } from '../testing/sasl-scripts.ts'

/** The same scripts are run on a TestCluster by test/testing/sasl.test.ts. Here the time is real, and all run at once. */
describeBrokers('Kafka 4.3.1 says to a client that', () => {
  let real: RealCluster

  beforeAll(async () => {
    const sessions = ['plain', 'scram-sha-256'].map((mechanism) => [
      `listener.name.sasl_plaintext.${mechanism}.connections.max.reauth.ms`,
      String(SESSION_MS),
    ])
    const properties = Object.fromEntries(sessions) as Record<string, string>
    real = await startCluster({ version: '4.3.1', nodes: 1, security: true, properties })
  })
  afterAll(() => real.close())

  async function hears(script: Script, address: string | undefined): Promise<unknown[]> {
    const client = await SaslClient.to(Number(address?.split(':')[1]))
    client.passTime = (ms) => new Promise((resolve) => setTimeout(resolve, ms)) // the broker's clock is nobody's
    try {
      return await script.run(client, real.users)
    } finally {
      client.destroy()
    }
  }

  it.concurrent.each(scripts)('$name', async (script) => {
    expect(await hears(script, real.listeners.saslPlaintext)).toEqual(script.hears)
  })

  it.concurrent.each(plaintextScripts)('$name', async (script) => {
    expect(await hears(script, real.listeners.plaintext)).toEqual(script.hears)
  })
})
