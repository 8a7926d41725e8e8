import { SaslProblem } from './exchange.ts'

/** What AWS's host names end with, and which regions are there; the first that fits. Source: partitions.json of the SDKs. */
const PARTITIONS: readonly { readonly suffix: string; readonly regions: RegExp }[] = [
  { suffix: 'amazonaws.com.cn', regions: /^cn-/ },
  { suffix: 'c2s.ic.gov', regions: /^us-iso-/ },
  { suffix: 'sc2s.sgov.gov', regions: /^us-isob-/ },
  { suffix: 'csp.hci.ic.gov', regions: /^us-isof-/ },
  { suffix: 'cloud.adc-e.uk', regions: /^eu-isoe-/ },
  { suffix: 'amazonaws.eu', regions: /^eusc-/ },
  { suffix: 'amazonaws.com', regions: /./ },
]
const REGION = /^[a-z]{2,5}(-[a-z]+)+-\d{1,2}$/
/** The label before the region. */
const SERVICES = ['kafka', 'kafka-serverless']

export function isRegion(text: string): boolean {
  return REGION.test(text)
}

/**
 * The region in the name of an MSK broker, `*.kafka.<region>.amazonaws.com`, or of an endpoint for it,
 * `*.<region>.vpce.amazonaws.com`; null: the name is not of this kind. Only the end counts: a cluster may be called after
 * another region than its own.
 */
export function regionOfHost(host: string): string | null {
  const name = host.toLowerCase().replace(/\.$/, '')
  const partition = PARTITIONS.find(({ suffix }) => name.endsWith(`.${suffix}`))
  if (partition === undefined) return null
  const labels = name.slice(0, -partition.suffix.length - 1).split('.')
  const isEndpoint = labels.at(-1) === 'vpce'
  if (isEndpoint) labels.pop()
  const [service = '', region = ''] = labels.slice(-2)
  const isBroker = labels.length > 2 && SERVICES.includes(service)
  return REGION.test(region) && (isEndpoint || isBroker) ? region : null
}

/**
 * Which region to sign for. The option comes first, because an endpoint in our region may lead to a cluster in another.
 *
 * @throws {SaslProblem} nothing says which.
 */
export function chooseRegion(host: string, option: string | undefined, env: Readonly<NodeJS.ProcessEnv>): string {
  const region = option ?? regionOfHost(host) ?? (env['AWS_REGION'] || env['AWS_DEFAULT_REGION'])
  if (region !== undefined && isRegion(region)) return region
  const what = region === undefined ? 'the host name does not tell it' : 'AWS_REGION is not the name of one'
  throw new SaslProblem(`which AWS region? ${what}: set sasl.region`)
}

/** Regional, because the global endpoint is one region's, and gives tokens that newer regions do not take. */
export function stsHost(region: string): string {
  const { suffix } = PARTITIONS.find(({ regions }) => regions.test(region)) ?? { suffix: 'amazonaws.com' }
  return `sts.${region}.${suffix}`
}
