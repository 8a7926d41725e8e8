import { encodeResponseFrame } from '../protocol/frame.ts'
import { apiVersions } from '../protocol/messages/api-versions.ts'
import { apiHandler } from './api-handler.ts'
import type { ClusterState } from './cluster-state.ts'
import { INVALID_REQUEST } from '../protocol/error-numbers.ts'

const UNSUPPORTED_VERSION = 35
const FIRST_VERSION_THAT_SAYS_WHICH = 3
/** ApiVersionsRequest.isValid of Apache Kafka (KIP-511). */
const SOFTWARE = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

export const handleApiVersions = apiHandler(apiVersions, {
  mentions: () => [],
  handle({ clientSoftwareName, clientSoftwareVersion }, { state, version, faults, session, violation }) {
    const isNamed = SOFTWARE.test(clientSoftwareName) && SOFTWARE.test(clientSoftwareVersion)
    if (version >= 3 && !isNamed) {
      violation(`client software ${JSON.stringify(clientSoftwareName)}, ${JSON.stringify(clientSoftwareVersion)}`)
      return { errorCode: INVALID_REQUEST, apiKeys: [] }
    }
    if (faults.errorCode === 0) session.onVersions()
    return { errorCode: faults.errorCode, apiKeys: apiKeysOf(state) }
  },
  encode(response, version, correlationId) {
    const isUnsupported = response.errorCode === UNSUPPORTED_VERSION
    return encodeResponseFrame(apiVersions, isUnsupported ? 0 : version, correlationId, response).chunks
  },
})

/** To a version that the broker does not know: in the v0 format, since Kafka 2.4 with what it does know (KIP-511). */
export function refuseApiVersions(state: ClusterState, correlationId: number): readonly Uint8Array[] {
  const [, newest] = state.served.get(apiVersions.key) ?? [0, 0]
  const saysWhich = newest >= FIRST_VERSION_THAT_SAYS_WHICH
  const apiKeys = apiKeysOf(state).filter(({ apiKey }) => saysWhich && apiKey === apiVersions.key)
  return encodeResponseFrame(apiVersions, 0, correlationId, { errorCode: UNSUPPORTED_VERSION, apiKeys }).chunks
}

function apiKeysOf(state: ClusterState): { apiKey: number; minVersion: number; maxVersion: number }[] {
  return [...state.served].map(([apiKey, [minVersion, maxVersion]]) => ({
    apiKey,
    minVersion,
    maxVersion,
  }))
}
