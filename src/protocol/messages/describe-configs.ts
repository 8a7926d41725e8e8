import { api, array, boolean, int16, int32, int8, string, type Infer, type Input } from '../schema.ts'

/**
 * DescribeConfigs (key 32) tells the configuration of topics (`resourceType` 2), brokers (4) and others.
 *
 * v1 says where a value comes from, with all that it overrides, in place of `isDefault` (KIP-226); v3 has the type of
 * a setting and its documentation (KIP-569); v4 is flexible. Kafka 4.0 dropped v0.
 *
 * Source: DescribeConfigsRequest.json and DescribeConfigsResponse.json of Apache Kafka 4.3.1, for v0 of 2.8.2.
 */
export const describeConfigs = api({
  name: 'DescribeConfigs',
  key: 32,
  versions: [0, 4],
  flexible: 4,
  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      configurationKeys: array(string).nullable(),
    }),
    includeSynonyms: boolean.since(1, false),
    includeDocumentation: boolean.since(3, false),
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      errorCode: int16,
      errorMessage: string.nullable(),
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
        value: string.nullable(),
        readOnly: boolean,
        isDefault: boolean.until(0),
        configSource: int8.since(1, -1).ignorable(),
        isSensitive: boolean,
        synonyms: array({ name: string, value: string.nullable(), source: int8 }).since(1).ignorable(),
        configType: int8.since(3, 0).ignorable(),
        documentation: string.nullable(3).since(3).ignorable(),
      }),
    }),
  },
})
export type DescribeConfigsRequest = Input<typeof describeConfigs.request>
export type DescribeConfigsResponse = Infer<typeof describeConfigs.response>
