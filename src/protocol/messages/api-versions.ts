import { api, array, boolean, int16, int32, int64, string, type Infer, type Input } from '../schema.ts'

/**
 * ApiVersions (key 18) asks a broker which versions of which APIs it speaks.
 *
 * It is the first request on a connection, in a version that the broker may not know: the response header is v0 in
 * every version, and a broker that cannot read the request answers UNSUPPORTED_VERSION (35) in the v0 format. v3 is
 * flexible, names the client software (KIP-511) and answers with features (KIP-584); v4 lets a feature's `minVersion`
 * be 0 (KAFKA-17011).
 *
 * Source: ApiVersionsRequest.json and ApiVersionsResponse.json of Apache Kafka 4.3.1.
 */
export const apiVersions = api({
  name: 'ApiVersions',
  key: 18,
  versions: [0, 4],
  flexible: 3,
  request: {
    clientSoftwareName: string.since(3).ignorable(),
    clientSoftwareVersion: string.since(3).ignorable(),
  },
  response: {
    errorCode: int16,
    apiKeys: array({ apiKey: int16, minVersion: int16, maxVersion: int16 }),
    throttleTimeMs: int32.since(1).ignorable(),
    supportedFeatures: array({ name: string, minVersion: int16, maxVersion: int16 }).tagged(0, 3).ignorable(),
    finalizedFeaturesEpoch: int64.tagged(1, 3, -1n).ignorable(),
    finalizedFeatures: array({ name: string, maxVersionLevel: int16, minVersionLevel: int16 }).tagged(2, 3).ignorable(),
    zkMigrationReady: boolean.tagged(3, 3, false).ignorable(),
  },
})
export type ApiVersionsRequest = Input<typeof apiVersions.request>
export type ApiVersionsResponse = Infer<typeof apiVersions.response>
