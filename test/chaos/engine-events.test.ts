import { channel } from 'node:diagnostics_channel'
import { afterEach, describe, expect, it } from 'vitest'
import { ConnectionError, DeliveryError, type DeliveryErrorCode, type DiagnosticEvents } from '../../src/index.ts'
import { EngineEvents } from '../support/chaos/engine-events.ts'

function publish<Name extends keyof DiagnosticEvents>(name: Name, event: DiagnosticEvents[Name]): void {
  channel(name).publish(event)
}

function failed(code: DeliveryErrorCode, details: { topic?: string; fatal?: boolean } = {}): void {
  const { topic = 't', fatal = false } = details
  const error = new DeliveryError(code, `send: ${code}: why`, { fatal })
  publish('headrace:batch:failed', { topic, partition: 1, records: 2, attempts: 3, error })
}

function retried(maybeWritten: boolean, records: number): void {
  const error = new DeliveryError('CLOSED', 'x')
  publish('headrace:batch:retry', { topic: 't', partition: 1, records, attempts: 1, maybeWritten, error })
}

describe('what the engine says during chaos', () => {
  const copies: unknown[][] = []
  const failures: string[] = []
  let fatal = 0
  let events: EngineEvents

  function listen(): void {
    copies.length = failures.length = fatal = 0
    const ledger = { retried: (...args: unknown[]) => void copies.push(args) }
    const listener = { onFailure: (text: string) => void failures.push(text), onFatal: () => fatal++ }
    events = new EngineEvents(ledger, { ...listener, nowMs: () => 1500 })
  }

  afterEach(() => events.stop())

  it('tells the ledger of retries that may write a second copy, and of no others', () => {
    listen()
    retried(false, 5)
    retried(true, 7)
    expect(copies).toEqual([['t', 1, 7]])
    expect(events).toMatchObject({ retriedBatches: 2, retriedRecords: 12, retryErrors: { CLOSED: 2 }, violations: [] })
  })

  it('takes a passed deadline for what it is, and any other failure for a violation', () => {
    listen()
    failed('DELIVERY_TIMEOUT')
    failed('DELIVERY_UNCERTAIN')
    failed('COMPRESSION_FAILED', { topic: 'chaos-side' })
    expect(events.violations).toEqual([])
    failed('BATCH_REJECTED')
    failed('BATCH_REJECTED')
    expect(events.violations).toEqual(['failed for no good reason: t-1: send: BATCH_REJECTED: why'])
    expect(events.errors).toEqual({ DELIVERY_TIMEOUT: 1, DELIVERY_UNCERTAIN: 1, BATCH_REJECTED: 2 })
    expect(fatal).toBe(0)
  })

  it('counts logins on connections in use, and connections that are lost; a login that fails is a violation', () => {
    listen()
    const node = { nodeId: 1, host: '127.0.0.1', port: 9092 }
    const login = { ...node, mechanism: 'PLAIN', user: 'alice', sessionLifetimeMs: 2100n }
    publish('headrace:connection:authenticated', { ...login, authenticationMs: 9, isReauthentication: false })
    publish('headrace:connection:authenticated', { ...login, authenticationMs: 7, isReauthentication: true })
    publish('headrace:connection:authenticated', { ...login, authenticationMs: 5, isReauthentication: true })
    expect(events).toMatchObject({ relogins: 2, longestReloginMs: 7, lostConnections: 0, violations: [] })
    const closed = (code: 'CLOSED_BY_CLIENT' | 'CONNECTION_CLOSED', what: string): void =>
      publish('headrace:connection:closed', { ...node, error: new ConnectionError(code, what) })
    closed('CLOSED_BY_CLIENT', 'idle')
    closed('CONNECTION_CLOSED', 'reset')
    expect(events).toMatchObject({ lostConnections: 1, violations: [] })
    closed('CONNECTION_CLOSED', 'a:1: CONNECTION_CLOSED: authenticating again failed: error 34')
    expect(events.lostConnections).toBe(2)
    expect(events.violations).toHaveLength(1)
    expect(events.violations[0]).toContain('A4 a login during a session failed: a:1')
  })

  it('ends the run when the producer has ended, and takes its accusations for violations', () => {
    listen()
    failed('SEQUENCE_DESYNC', { topic: 'chaos-side', fatal: true })
    expect(fatal).toBe(1)
    const error = new DeliveryError('SEQUENCE_DESYNC', 'send: SEQUENCE_DESYNC: why')
    publish('headrace:producer:desync', { topic: 't', partition: 1, baseOffset: 5n, error })
    publish('headrace:partition:truncated', { topic: 't', partition: 1, baseOffset: 5n })
    expect(events.violations.map((violation) => violation.slice(0, 10))).toEqual(['O7 send: S', 'O7 t-1: th'])
  })

  it('shows what led to a failure', () => {
    listen()
    retried(true, 7)
    failed('DELIVERY_TIMEOUT')
    expect(failures[0]).toContain('1.500 s again, maybe written (CLOSED), 7 records, attempt 1 | 1.500 s failed')
  })

  it('listens no longer than it shall', () => {
    listen()
    events.stop()
    retried(true, 7)
    expect(events.retriedBatches).toBe(0)
  })
})
