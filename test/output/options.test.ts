import { describe, expect, it } from 'vitest'
import { OptionError } from '../../src/index.ts'
import { KafkaOutput, outputFields, validateOutput, type KafkaOutputOptions } from '../../src/output/output.ts'
import { canarySecret, expectNoSecret } from '../support/canary.ts'
import { Lines, plain } from './harness.ts'

const password = canarySecret('password of an output')
const fine = { ...plain, bootstrapServers: 'localhost:9092' }
const login = { securityProtocol: 'SASL_SSL', username: 'ann', password }

function problems(options: object): string[] {
  return validateOutput({ ...fine, ...options }).map(({ message }) => message)
}

/** What the constructor throws, which must be an `OptionError`. */
function refusal(options: object): OptionError {
  try {
    new KafkaOutput({ ...fine, ...options })
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  }
  throw new Error('did not throw')
}

describe('validateOutput', () => {
  it.each<[string, object]>([
    ['the least', {}],
    ['several brokers', { bootstrapServers: ['a:1', 'b:2'] }],
    [
      'any case',
      { securityProtocol: 'sasl_ssl', compressionType: 'gZIP', errorPolicy: 'DROP', username: 'a', password },
    ],
    ['the word of REST for Retry', { errorPolicy: 'stop' }],
    ['the REST object', { serialization: { type: 'Csv', properties: { encoding: 'UTF8', fieldDelimiter: ';' } } }],
    ['blank properties of a form', { partitionKey: '', username: null, compressionType: null, errorPolicy: '' }],
    ['a password that is a function', { ...login, password: () => password }],
    ['SCRAM over plaintext', { ...login, securityProtocol: 'SASL_PLAINTEXT', saslMechanism: 'scram-sha-512' }],
    [
      'mTLS by a vault',
      { securityProtocol: 'mTLS', keyVault: { vaultName: 'team', clientCertificateSecret: 'kafka' } },
    ],
    ['mTLS without a vault', { securityProtocol: 'mTLS', producer: { tls: () => true } }],
    ['a login on top of mTLS', { ...login, securityProtocol: 'mTLS', producer: { tls: () => true } }],
    ['further options of the Producer', { producer: { clientId: 'x', lingerMs: 5 } }],
    ['spellings of a partitioner', { partitionKey: 'a', partitioner: 'consistent-random' }],
  ])('takes %s', (_, options) => {
    expect(problems(options)).toEqual([])
  })

  it.each<[string, object, RegExp]>([
    ['no alias', { outputAlias: ' ' }, /^outputAlias: got " ", expected a name/],
    ['no brokers', { bootstrapServers: undefined }, /^bootstrapServers: required: host:port/],
    ['an address without a port', { bootstrapServers: 'a:b' }, /^bootstrapServers: .*a:b/],
    ['an expression for a topic', { topic: 'logs-{date}' }, /^topic: got "logs-\{date\}", expected one name/],
    ['no protocol', { securityProtocol: undefined }, /^securityProtocol: required: one of mTLS, SASL_SSL/],
    [
      'an unknown protocol',
      { securityProtocol: 'SSL' },
      /got "SSL", expected one of mTLS, SASL_SSL, SASL_PLAINTEXT, None/,
    ],
    ['no serialization', { serialization: undefined }, /^serialization: required: one of Json, Csv, Avro/],
    [
      'another serialization',
      { serialization: 'parquet' },
      /^serialization: got "parquet", expected one of Json, Csv, Avro/,
    ],
    ['an unknown codec', { compressionType: 'brotli' }, /got "brotli", expected one of None, Gzip, Snappy, Lz4, Zstd/],
    ['an unknown policy', { errorPolicy: 'ignore' }, /^errorPolicy: got "ignore", expected one of Retry, Drop/],
    ['no rows in a message', { rowsPerMessage: 0 }, /^rowsPerMessage: got 0, expected an integer, 1 to 1000000/],
    [
      'more bytes than a message may have',
      { bytesPerMessage: 2_000_000 },
      /^bytesPerMessage: got 2000000.*1 to 1000000/,
    ],
    ['no size', { maxMessageBytes: 0 }, /^maxMessageBytes: got 0/],
    ['several rows in a raw message', { serialization: 'avro', avroFraming: 'raw', rowsPerMessage: 2 }, /is one row/],
    ['a header for JSON', { header: true }, /^header: only serialization Csv has it, and it is Json/],
    [
      'a schema for CSV',
      { serialization: 'csv', avroSchema: { type: 'record' } },
      /^avroSchema: only serialization Avro/,
    ],
    ['another line end', { serialization: 'csv', newline: '\r' }, /^newline: got "\\r", expected one of/],
    ['a column of no type', { columns: [{ name: 'a', type: 'int' }] }, /^columns\[0\]\.type: got "int"/],
    ['no user', { ...login, username: '' }, /^username: required with securityProtocol SASL_SSL/],
    ['no password', { ...login, password: undefined }, /^password: required with securityProtocol SASL_SSL/],
    ['a user without a protocol', { username: 'ann' }, /^username: securityProtocol None has no login/],
    [
      'an unknown mechanism',
      { ...login, saslMechanism: 'DIGEST' },
      /expected one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512/,
    ],
    [
      'asa-Z5: OAuth',
      { ...login, saslMechanism: 'OAUTHBEARER' },
      /not supported, as in Stream Analytics: use an API key/,
    ],
    ['asa-Z5: OAuth, so called', { ...login, saslMechanism: 'oauth' }, /use an API key/],
    ['mTLS without a certificate', { securityProtocol: 'mTLS' }, /^securityProtocol: mTLS needs a client certificate/],
    [
      'mTLS with authorities only',
      { securityProtocol: 'mTLS', keyVault: { vaultName: 'team', truststoreSecret: 'ca' } },
      /needs a client/,
    ],
    [
      'a vault without TLS',
      { keyVault: { vaultName: 'team', truststoreSecret: 'ca' } },
      /^keyVault: securityProtocol None has no certificates/,
    ],
    ['a vault without a name', { ...login, keyVault: { truststoreSecret: 'ca' } }, /^keyVault: names no vault/],
    [
      'certificates from two places',
      { ...login, keyVault: { vaultName: 'team', truststoreSecret: 'ca' }, producer: { tls: true } },
      /not from both/,
    ],
    ['TLS without TLS', { producer: { tls: true } }, /^producer\.tls: securityProtocol None has no TLS/],
    [
      'no TLS with TLS',
      { ...login, producer: { tls: false } },
      /^producer\.tls: got false, but securityProtocol SASL_SSL is TLS/,
    ],
    [
      'an option that a property stands for',
      { producer: { acks: 0 } },
      /^producer\.acks: properties of the output say it/,
    ],
    ['a wrong option of the Producer', { producer: { lingerMs: -1 } }, /^producer: lingerMs: got -1/],
    ['a logger that is none', { logger: {} }, /^logger: got an object, expected an object with debug/],
    ['a sink that is none', { onDataError: 'file' }, /^onDataError: got "file", expected a function/],
    [
      'asa-Z4: another encoding',
      { serialization: { type: 'Json', encoding: 'UTF16' } },
      /encoding: got "UTF16", expected UTF8/,
    ],
    [
      'asa-Z4: another delimiter',
      { serialization: { type: 'Csv', fieldDelimiter: '#' } },
      /got "#", expected one of comma/,
    ],
    [
      'asa-Z4: another format',
      { serialization: { type: 'Json', format: 'Pretty' } },
      /got "Pretty", expected one of LineSeparated, Array/,
    ],
  ])('refuses %s', (_, options, expected) => {
    expect(problems(options)).toEqual([expect.stringMatching(expected)])
  })

  it.each([
    ['topik', 'topic'],
    ['brokers', 'bootstrapServers'],
    ['Kafka topic', 'topic'],
    ['Bootstrap server addresses', 'bootstrapServers'],
    ['compression', 'compressionType'],
    ['partition_key', 'partitionKey'],
    ['errorpolicy', 'errorPolicy'],
  ])('knows what %s was meant to be', (name, meant) => {
    expect(problems({ [name]: 'x' })).toEqual([`${name}: unknown property: did you mean ${meant}?`])
  })

  it('does not guess where nothing is near', () => {
    expect(problems({ watermarkPolicyOfTheJob: 1 })).toEqual(['watermarkPolicyOfTheJob: unknown property'])
  })

  it('finds all problems at once, with the property of each', () => {
    const found = validateOutput({ topic: '', securityProtocol: 'x', serialization: 'y', errorPolicy: 'z', foo: 1 })
    expect(found.map(({ property }) => property)).toEqual([
      ...['foo', 'outputAlias', 'topic', 'bootstrapServers', 'securityProtocol', 'serialization', 'errorPolicy'],
    ])
  })

  it.each([null, 'text', [], 7])('takes %j for what it is', (given) => {
    expect(validateOutput(given)).toHaveLength(1)
  })

  it('never shows a secret', () => {
    const odd = [
      { ...login, password: { secret: password } },
      { ...fine, password },
      { ...login, saslMechanism: 'x' },
    ]
    for (const options of odd) {
      expectNoSecret(validateOutput({ ...fine, ...options }))
      expectNoSecret(refusal(options))
    }
  })
})

describe('a new KafkaOutput', () => {
  it('throws every problem in one OptionError', () => {
    const error = refusal({ topic: '', errorPolicy: 'x', topik: 1 })
    expect(error.code).toBe('INVALID_OPTIONS')
    expect(error.message).toBe(
      'KafkaOutput: INVALID_OPTIONS: topik: unknown property: did you mean topic?; topic: required: one name of 1 to 249 letters, digits, dots, underscores and hyphens; errorPolicy: got "x", expected one of Retry, Drop',
    )
  })

  it('refuses a schema that avsc does not take', () => {
    const avroSchema = { type: 'record', name: 'r', fields: [{ name: 'a', type: 'no such type' }] }
    expect(refusal({ serialization: 'avro', avroSchema }).message).toMatch(/avroSchema: not an Avro schema/)
  })

  it('warns once that SASL_PLAINTEXT hides nothing', () => {
    const lines = new Lines()
    new KafkaOutput({ ...fine, ...login, securityProtocol: 'SASL_PLAINTEXT', logger: lines.logger })
    expect(lines.of('warn')).toEqual([expect.stringContaining('SASL_PLAINTEXT: nothing is encrypted')])
    expectNoSecret(lines.all)
  })
})

describe('outputFields', () => {
  it('have a property each that the options know, and choices that they take', () => {
    for (const { property, choices = [], label, description } of outputFields) {
      expect(label).not.toBe('')
      expect(description).toMatch(/\.$/)
      for (const { value } of choices) {
        const messages = validateOutput(withProperty(property, value)).filter(
          (problem) => problem.property === property,
        )
        // What a choice needs beside it is another problem; the choice itself is taken.
        expect(
          messages.filter(({ message }) => /: got /.test(message)),
          `${property} ${value}`,
        ).toEqual([])
      }
    }
  })

  it('say the defaults that the options have', () => {
    const defaults = Object.fromEntries(
      outputFields.flatMap(({ property, default: value }) => (value === undefined ? [] : [[property, value]])),
    )
    expect(defaults).toMatchObject({
      errorPolicy: 'Retry',
      rowsPerMessage: 1,
      maxMessageBytes: 1_000_000,
      newline: '\r\n',
    })
  })

  it('name all properties but hooks', () => {
    const named = new Set(outputFields.map(({ property }) => property.replace(/\..*$/, '')))
    const unnamed = Object.keys(everything).filter((name) => !named.has(name))
    expect(unnamed).toEqual(['fetch', 'producer', 'logger', 'onDataError', 'clock'])
  })
})

const everything: Record<keyof KafkaOutputOptions, 0> = {
  ...{ outputAlias: 0, bootstrapServers: 0, topic: 0, securityProtocol: 0, serialization: 0, partitionKey: 0 },
  ...{ compressionType: 0, username: 0, password: 0, saslMechanism: 0, keyVault: 0, errorPolicy: 0, columns: 0 },
  ...{ rowsPerMessage: 0, bytesPerMessage: 0, header: 0, newline: 0, avroFraming: 0, avroSchema: 0, schemaId: 0 },
  ...{ partitioner: 0, missingPartitionKey: 0, timestampColumn: 0, maxMessageBytes: 0, fetch: 0, producer: 0 },
  ...{ logger: 0, onDataError: 0, clock: 0 },
}

function withProperty(property: string, value: string): object {
  const [outer = '', ...inner] = property.split('.')
  if (inner.length === 0) return { ...fine, [outer]: value }
  const [name = '', deep] = inner
  if (outer === 'serialization') {
    const types: Record<string, string> = { format: 'Json', fieldDelimiter: 'Csv' }
    return { ...fine, serialization: { type: types[name] ?? 'Json', [name]: value } }
  }
  return {
    ...fine,
    ...login,
    keyVault: { vaultName: 'team', truststoreSecret: 'ca', [name]: deep ? { [deep]: value } : value },
  }
}

describe('options that cannot be read', () => {
  const trap = (): never => {
    throw new Error('trap')
  }
  it.each<[string, object]>([
    ['a getter that throws', Object.defineProperty({}, 'columns', { get: trap, enumerable: true })],
    ['a proxy', { columns: [new Proxy({}, { get: trap })] }],
    ['a proxy for the vault', { keyVault: new Proxy({}, { ownKeys: trap }), securityProtocol: 'mTLS' }],
  ])('%s: are a typed error', (_, options) => {
    expect(
      validateOutput(Object.defineProperties({ ...fine }, Object.getOwnPropertyDescriptors(options))),
    ).toContainEqual({
      property: 'options',
      message: 'options: reading them failed',
    })
  })

  it('keep the cause', () => {
    expect(refusal({ columns: [new Proxy({}, { get: trap })] })).toMatchObject({ cause: new Error('trap') })
  })

  it('do not become an error as long as they are', () => {
    expect(refusal({ bootstrapServers: 'x'.repeat(1_000_000) }).message.length).toBeLessThan(2000)
  })
})
