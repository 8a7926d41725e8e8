import { setTimeout as delay } from 'node:timers/promises'
import { javaSasl } from './java-security.ts'
import type { At } from './java-helper.ts'
import { sharedJavaHelper } from './readers.ts'
import { kafkaVersion, NEWEST_VERSION } from './versions.ts'
import * as zookeeperTools from './zookeeper-tools.ts'

const SETTLE_TIMEOUT_MS = 30_000
const ASK_PAUSE_MS = 20
const HANG_UP_TIMEOUT_MS = '2500'
const MECHANISMS = ['SCRAM-SHA-256', 'SCRAM-SHA-512']

export interface Who {
  readonly user: string
  readonly password: string
}

/** What to do to whom: null takes the user's credentials away. */
export type UserChange = readonly [user: string, password: string | null]

/** Changes what brokers know of users of both kinds of SCRAM; they hear of it some milliseconds later. */
export async function alterUsers(at: At, changes: readonly UserChange[]): Promise<void> {
  const { version = NEWEST_VERSION, zookeeper } = at
  if (kafkaVersion(version).throughZooKeeper.includes('alterUsers')) {
    await zookeeperTools.alterUsers({ version, zookeeper: zookeeper ?? '' }, changes)
  } else await (await sharedJavaHelper(version)).ask('alterUsers', at, { users: changes })
}

/** Waits until each of the SASL_PLAINTEXT addresses in `at` lets them in by both kinds of SCRAM, or does not any more. */
export async function awaitLogin(at: At, who: Who, isWelcome: boolean): Promise<void> {
  const deadline = Date.now() + SETTLE_TIMEOUT_MS
  for (const bootstrap of at.bootstrap.split(',')) {
    for (const mechanism of MECHANISMS) {
      const properties = { 'security.protocol': 'SASL_PLAINTEXT', ...javaSasl(mechanism, who) }
      while ((await logsIn({ ...at, bootstrap, properties })) !== isWelcome) {
        if (Date.now() > deadline) throw new Error(`${who.user}: ${bootstrap} did not hear of its new password`)
        await delay(ASK_PAUSE_MS)
      }
    }
  }
}

/**
 * Whether Kafka's own client gets in. Brokers before 1.0 hang up on whom they refuse, and that client tries again until
 * its time is over: whoever takes longer counts as refused there.
 *
 * @throws for any other reason than its credentials.
 */
export async function logsIn(at: At): Promise<boolean> {
  const { refusal } = kafkaVersion(at.version ?? NEWEST_VERSION)
  const patience =
    refusal === 'hangUp'
      ? { 'default.api.timeout.ms': HANG_UP_TIMEOUT_MS, 'request.timeout.ms': HANG_UP_TIMEOUT_MS }
      : {}
  try {
    await (await sharedJavaHelper(at.version)).ask('login', { ...at, properties: { ...patience, ...at.properties } })
    return true
  } catch (error) {
    if (String(error).includes(refusal === 'hangUp' ? 'TimeoutException' : 'SaslAuthenticationException')) return false
    throw error
  }
}
