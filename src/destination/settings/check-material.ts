import type { TlsOptions } from '../../index.ts'
import { labelOf } from './fields.ts'
import { problem, type SettingsProblem } from './problem.ts'
import { refusal } from './refusal.ts'
import type { UsedSettings } from './used-settings.ts'

type Material = 'ca' | 'cert' | 'key'

const FIELDS = { ca: 'ssl_ca', cert: 'ssl_cert', key: 'ssl_key' } as const

/** What headrace says to programmers, and what to say to those who fill in a form. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/set passphrase, too/, 'decrypt it first (openssl pkey -in encrypted.key)'],
  [/give what is in the file, for example readFileSync\(path\)/, 'paste what is in the file'],
  [/, and give it as pfx\)/, ', then openssl pkcs12 -nodes)'],
  [/\(give it as pfx\)/, '(convert it: openssl pkcs12 -nodes)'],
  [/ in cert$/, ` in ${labelOf('ssl_cert')}`],
]

/**
 * Certificates and key as headrace reads them: whether they are what they should be, and belong together. Dates are not
 * looked at: headrace warns of a certificate that has expired when it connects, and the broker has the last word.
 */
export function checkMaterial({ tls, login }: UsedSettings): SettingsProblem[] {
  if (tls === null) return []
  const problems = tls.ca === '' ? [] : problemsAlone({ ca: tls.ca })
  if (login?.kind !== 'certificate' || login.cert === '' || login.key === '') return problems
  const { cert, key } = login
  // Each may be in the field of the other: only together they can be judged.
  const together = refusal({ tls: { cert, key } })
  if (together === null) return problems
  const alone = [...problemsAlone({ cert }), ...problemsAlone({ key })]
  return [...problems, ...(alone.length > 0 ? alone : [materialProblem(together)])]
}

/** What is wrong with one of them whatever the other is: that the other is missing does not count. */
function problemsAlone(tls: Pick<TlsOptions, Material>): SettingsProblem[] {
  const said = refusal({ tls })
  const isOfThis = said !== null && Object.keys(tls).some((name) => said.startsWith(`tls: ${name}: `))
  return isOfThis ? [materialProblem(said)] : []
}

function materialProblem(said: string): SettingsProblem {
  const [, name, reason] = /^tls: (ca|cert|key): (.*)$/s.exec(said) ?? []
  const field = name === undefined ? undefined : FIELDS[name as Material]
  const words = WORDS.reduce((text, [from, to]) => text.replace(from, to), reason ?? said)
  const message = field === undefined ? words : `${labelOf(field)}: ${words}`
  return problem('SSL_MATERIAL_INVALID', field, `${message}.`)
}
