import { diagnose, type DiagnosisStep, type ProducerOptions } from '../index.ts'
import type { ConnectionStep, ConnectionStepName } from './connection-step.ts'
import { KeyVaultError } from './key-vault/key-vault-error.ts'
import type { VaultTls } from './key-vault/vault-tls.ts'
import type { OutputClock } from './output-clock.ts'
import { OutputError } from './output-error.ts'
import type { SecurityProtocol } from './output-options.ts'
import { orAborted } from './waiting.ts'

/** For all steps. Milliseconds. */
const TIMEOUT_MS = 30_000

export interface ConnectionTest {
  readonly outputAlias: string
  readonly topic: string
  readonly securityProtocol: SecurityProtocol
  readonly vaultTls: VaultTls | null
  readonly producerOptions: ProducerOptions
  readonly clock: OutputClock
}

/** @throws {OutputError} `CONNECTION_TEST_FAILED`: a step failed. */
export async function testConnection(test: ConnectionTest): Promise<readonly ConnectionStep[]> {
  const over = new AbortController()
  const timer = test.clock.after(TIMEOUT_MS, () => over.abort(new Error(`no answer within ${TIMEOUT_MS} ms`)))
  try {
    const secrets = test.vaultTls === null ? [] : [await trySecrets(test, test.vaultTls, over.signal)]
    const isStuck = secrets.some(({ ok }) => ok === false)
    const found = isStuck ? [] : await lookAround(test, over.signal)
    const steps = [...secrets, ...judge(found, test, isStuck)]
    const failed = steps.filter(({ ok }) => ok === false)
    if (failed.length === 0) return steps
    const what = failed.map(({ step, code, message }) => `${step}: ${code ?? ''}: ${message}`).join('; ')
    const message = `output ${test.outputAlias}: CONNECTION_TEST_FAILED: ${what}`
    throw new OutputError('CONNECTION_TEST_FAILED', message, { steps })
  } finally {
    timer.cancel()
  }
}

async function trySecrets({ clock }: ConnectionTest, vaultTls: VaultTls, signal: AbortSignal): Promise<ConnectionStep> {
  const startMs = clock.now()
  try {
    await orAborted(vaultTls.options(), signal)
    return { step: 'secrets', ok: true, message: 'the vault gives the certificates', ms: clock.now() - startMs }
  } catch (error) {
    const code = error instanceof KeyVaultError ? error.code : 'VAULT_UNREACHABLE'
    const message = error instanceof Error ? error.message : String(error)
    return { step: 'secrets', ok: false, message, code, ms: clock.now() - startMs }
  }
}

async function lookAround(
  { topic, producerOptions, clock }: ConnectionTest,
  signal: AbortSignal,
): Promise<DiagnosisStep[]> {
  const found: DiagnosisStep[] = []
  const startMs = clock.now()
  const iterator = diagnose(producerOptions, { topic })[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await orAborted(iterator.next(), signal)
      if (next.done === true) return found
      found.push(next.value)
    }
  } catch (error) {
    if (!signal.aborted) throw error
    const ms = clock.now() - startMs
    return [...found, { step: 'tcp', ok: false, ms, code: 'REQUEST_TIMEOUT', message: (error as Error).message }]
  } finally {
    void iterator.return?.().then(undefined, () => 'it was left')
  }
}

/** How the diagnosis says that brokers do not say what we may do. */
const ONLY_A_WRITE_TELLS = /the first record will tell/
const CERTIFICATE_CODES = ['CLIENT_CERTIFICATE_REQUIRED', 'CLIENT_CERTIFICATE_REFUSED']

/** What of ours a step of the diagnosis belongs to. */
function topicOf({ step, code }: DiagnosisStep): Exclude<ConnectionStepName, 'secrets'> {
  if (step === 'topic') return 'topic'
  if (step === 'authorization') return 'permission'
  return step === 'sasl' || CERTIFICATE_CODES.includes(code ?? '') ? 'authentication' : 'reachability'
}

function judge(found: readonly DiagnosisStep[], test: ConnectionTest, isStuck: boolean): ConnectionStep[] {
  const of = (name: ConnectionStepName): DiagnosisStep[] => found.filter((step) => topicOf(step) === name)
  const metadataAt = found.findIndex(({ step, ok }) => step === 'metadata' && ok)
  const isIn = metadataAt >= 0
  // With one bootstrap address that leads in, another that is dead is worth a word, and no failure.
  const isGrave = (step: DiagnosisStep): boolean => !step.ok && (!isIn || found.indexOf(step) > metadataAt)
  const unknown = isStuck ? 'not tried: the certificates are missing' : 'not known: what comes before it failed'
  const authentication = of('authentication')
  return [
    summary('reachability', of('reachability'), isGrave, unknown),
    authentication.length === 0 && isIn
      ? withoutLogin(test)
      : summary('authentication', authentication, isGrave, unknown),
    summary('topic', of('topic'), isGrave, of('permission').length > 0 ? 'not shown to whom may not use it' : unknown),
    summary('permission', of('permission'), isGrave, isIn ? 'only a write can tell on these brokers' : unknown),
  ]
}

function withoutLogin({ securityProtocol }: ConnectionTest): ConnectionStep {
  const message = securityProtocol === 'mTLS' ? 'the client certificate is taken' : 'the brokers want no login'
  return { step: 'authentication', ok: true, message, ms: 0 }
}

/** The failures, if one is grave; else what was found last, with a warning if there is one. */
function summary(
  step: ConnectionStepName,
  found: readonly DiagnosisStep[],
  isGrave: (step: DiagnosisStep) => boolean,
  unknown: string,
): ConnectionStep {
  const ms = found.reduce((sum, one) => sum + one.ms, 0)
  const grave = found.filter(isGrave)
  const told = grave.length > 0 ? grave : [...found.filter(({ code }) => code !== undefined), ...found.slice(-1)]
  const code = told.find((one) => one.code !== undefined)?.code
  const isOpen = found.length === 0 || found.some(({ message }) => ONLY_A_WRITE_TELLS.test(message))
  const ok = grave.length > 0 ? false : isOpen ? null : true
  const message = found.length === 0 ? unknown : [...new Set(told.map((one) => one.message))].join('; ')
  return { step, ok, message, ms, ...(code === undefined ? {} : { code }) }
}
