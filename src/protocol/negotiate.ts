import { ProtocolError } from '../errors.ts'
import { decodeResponseFrame } from './frame.ts'
import { apiVersions, type ApiVersionsResponse } from './messages/api-versions.ts'
import type { Api } from './schema.ts'

const UNSUPPORTED_VERSION = 35
const INVALID_REQUEST = 42

/** Versions of one API, both inclusive. */
export interface VersionRange {
  readonly min: number
  readonly max: number
}

/** What a broker told about itself, by API key. */
export type VersionRanges = ReadonlyMap<number, VersionRange>

/** Bounds of a caller, both inclusive, within what headrace speaks. */
export interface VersionLimits {
  readonly minVersion?: number
  readonly maxVersion?: number
}

/**
 * The highest version of an API that both sides speak, within the caller's limits.
 *
 * @param where names the broker in the error.
 * @throws {ProtocolError} `UNSUPPORTED_VERSION`: there is none.
 */
export function chooseVersion(
  api: Api,
  brokerRanges: VersionRanges,
  where: string,
  { minVersion = api.minVersion, maxVersion = api.maxVersion }: VersionLimits = {},
): number {
  const theirs = brokerRanges.get(api.key)
  const version = Math.min(maxVersion, theirs?.max ?? -1)
  if (theirs && version >= theirs.min && version >= minVersion) return version
  const theirVersions = theirs ? `versions ${theirs.min} to ${theirs.max}` : 'no version'
  throw new ProtocolError(
    'UNSUPPORTED_VERSION',
    `${where}: UNSUPPORTED_VERSION (${UNSUPPORTED_VERSION}): ${api.name}: ` +
      `the broker speaks ${theirVersions}, headrace ${minVersion} to ${maxVersion}`,
  )
}

/** What came of an ApiVersions request: a response, or the broker closed the connection instead. */
export type ApiVersionsOutcome = Pick<ApiVersionsResponse, 'errorCode' | 'apiKeys'> | 'closed'

/**
 * The version in which to ask ApiVersions again; null: the answer stands, good or bad.
 *
 *     newest --35 with a range--> its highest below ours --any refusal--> 0 --> give up
 *            --closed-----------> the one before
 *            --35 without, 42---> 0
 *
 * Down only, and at most one stop on the way to 0: three attempts, however the broker answers. Some close the
 * connection on a version that they do not know (Event Hubs); some dislike the client's name, which v0 does not have.
 */
export function nextApiVersionsAttempt(previousVersion: number, outcome: ApiVersionsOutcome): number | null {
  const isRefusal =
    outcome === 'closed' || outcome.errorCode === UNSUPPORTED_VERSION || outcome.errorCode === INVALID_REQUEST
  if (!isRefusal || previousVersion <= apiVersions.minVersion) return null
  if (previousVersion < apiVersions.maxVersion) return apiVersions.minVersion
  if (outcome === 'closed') return previousVersion - 1
  const hint = outcome.apiKeys.find(({ apiKey }) => apiKey === apiVersions.key)?.maxVersion ?? apiVersions.minVersion
  const isUsable = outcome.errorCode === UNSUPPORTED_VERSION && hint >= apiVersions.minVersion && hint < previousVersion
  return isUsable ? hint : apiVersions.minVersion
}

/**
 * The body of an answer to an ApiVersions request of `version`.
 *
 * A broker that does not know the version answers UNSUPPORTED_VERSION in the v0 format, whatever was asked for. The
 * error code is the first field in every version.
 */
export function decodeApiVersionsFrame(version: number, frame: Uint8Array): ApiVersionsResponse {
  const isRefusal = frame[4] === 0 && frame[5] === UNSUPPORTED_VERSION
  if (!isRefusal) return decodeResponseFrame(apiVersions, version, frame)
  try {
    return decodeResponseFrame(apiVersions, 0, frame)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    // librdkafka's mock cluster refuses in a format of its own. That it refuses is all we need to know.
    return decodeResponseFrame(apiVersions, 0, BARE_REFUSAL)
  }
}

/** Correlation id, UNSUPPORTED_VERSION, no APIs. */
const BARE_REFUSAL = Buffer.from([0, 0, 0, 0, 0, UNSUPPORTED_VERSION, 0, 0, 0, 0])
