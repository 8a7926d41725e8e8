import { outputFields } from './output-fields.ts'

/** What other clients, and the portal's REST objects, call the same thing. */
const FOREIGN: Readonly<Record<string, string>> = {
  brokers: 'bootstrapServers',
  kafkatopic: 'topic',
  alias: 'outputAlias',
  name: 'outputAlias',
  compression: 'compressionType',
  kafkaeventcompressiontype: 'compressionType',
  eventserializationformat: 'serialization',
  format: 'serialization',
  encoding: 'serialization',
  fielddelimiter: 'serialization',
  outputerrorpolicy: 'errorPolicy',
  mechanism: 'saslMechanism',
  keyvaultname: 'keyVault: { vaultName }',
  truststorecertificates: 'keyVault: { truststoreSecret }',
  tls: 'producer: { tls }',
  ssl: 'producer: { tls }',
}

/** The property that somebody most likely meant: by what others call it, by its label, or by one that is spelt like it. */
export function nearestProperty(name: string, properties: readonly string[]): string | undefined {
  const wanted = plain(name)
  if (Object.hasOwn(FOREIGN, wanted)) return FOREIGN[wanted]
  const labelled = outputFields.find(({ label }) => plain(label) === wanted)
  if (labelled !== undefined) return labelled.property
  const allowed = Math.max(2, Math.floor(wanted.length / 3))
  const found = properties.map((property) => ({ property, distance: editDistance(wanted, plain(property)) }))
  const [nearest] = found.sort((a, b) => a.distance - b.distance)
  return nearest !== undefined && nearest.distance <= allowed ? nearest.property : undefined
}

function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
}

/** Levenshtein's. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}
