import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { findKeytool, findOpenssl } from './java-installation.ts'
import { runCommand } from './run-command.ts'

const VALID_DAYS = '30'

/** A certificate, or a chain of them, and its private key (PKCS#8), both PEM. */
export interface ServerIdentity {
  readonly cert: string
  readonly key: string
}

export interface CertificateOptions {
  readonly keyStore: 'pkcs12' | 'encryptedPem' | 'pem'
  /** In the server's certificate, beside localhost and 127.0.0.1. */
  readonly dnsNames?: readonly string[] | undefined
  /** What the server shows instead of a certificate by our CA. */
  readonly server?: ServerIdentity | undefined
}

/** Paths. The key store and the trust store are the broker's, in a form that its version reads. */
export interface Certificates {
  readonly ca: string
  readonly clientCert: string
  readonly clientKey: string
  readonly storeType: 'PEM' | 'PKCS12'
  readonly keyStore: string
  readonly trustStore: string
  /** Of a PEM key that is encrypted, or of both PKCS12 stores. */
  readonly password?: string
}

/**
 * A CA, a server certificate for localhost and 127.0.0.1 and a client certificate, all signed on the spot.
 *
 * @throws {BrokersUnavailable} no `openssl`.
 */
export async function makeCertificates(folder: string, options: CertificateOptions): Promise<Certificates> {
  const openssl = await findOpenssl()
  await mkdir(folder, { recursive: true })
  const file = (name: string) => path.join(folder, name)
  await writeFile(file('ca.cnf'), CA_CONFIG)
  await runCommand(openssl, [
    ...['req', '-x509', '-config', file('ca.cnf'), '-newkey', 'rsa:2048', '-nodes', '-days', VALID_DAYS],
    ...['-keyout', file('ca.key'), '-out', file('ca.pem')],
  ])
  const issue = new Issuer(openssl, folder)
  if (options.server === undefined)
    await issue.certificate('server', '/CN=localhost', serverExtensions(options.dnsNames))
  else
    await Promise.all([
      writeFile(file('server.pem'), options.server.cert),
      writeFile(file('server.key'), options.server.key),
    ])
  await issue.certificate('client', '/CN=headrace-client', CLIENT_EXTENSIONS)
  const client = { clientCert: file('client.pem'), clientKey: file('client.key') }
  const stores =
    options.keyStore === 'pkcs12' ? await pkcs12Stores(openssl, folder) : await pemStores(openssl, folder, options)
  return { ca: file('ca.pem'), ...client, ...stores }
}

type Stores = Pick<Certificates, 'storeType' | 'keyStore' | 'trustStore' | 'password'>

async function pemStores(openssl: string, folder: string, { keyStore }: CertificateOptions): Promise<Stores> {
  const password = keyStore === 'encryptedPem' ? { password: await encryptKey(openssl, folder) } : {}
  const parts = ['server.key', 'server.pem'].map((name) => readFile(path.join(folder, name), 'utf8'))
  const file = path.join(folder, 'server-key-store.pem')
  await writeFile(file, (await Promise.all(parts)).join(''))
  return { storeType: 'PEM', keyStore: file, trustStore: path.join(folder, 'ca.pem'), ...password }
}

/** Encrypts the server's key in its place. Kafka 2.8 cannot read what OpenSSL makes by default: "PBES2 not available". */
async function encryptKey(openssl: string, folder: string): Promise<string> {
  const password = randomBytes(12).toString('hex')
  const [key, encrypted] = [path.join(folder, 'server.key'), path.join(folder, 'server.key.encrypted')]
  const kind = ['pkcs8', '-topk8', '-v1', 'PBE-SHA1-3DES', '-passout', `pass:${password}`]
  await runCommand(openssl, [...kind, '-in', key, '-out', encrypted])
  await rename(encrypted, key)
  return password
}

async function pkcs12Stores(openssl: string, folder: string): Promise<Stores> {
  const password = randomBytes(12).toString('hex')
  const file = (name: string) => path.join(folder, name)
  const [keyStore, trustStore] = [file('server.p12'), file('ca.p12')]
  await runCommand(openssl, [
    ...['pkcs12', '-export', '-inkey', file('server.key'), '-in', file('server.pem'), '-passout', `pass:${password}`],
    ...['-name', 'server', '-out', keyStore],
  ])
  // Java takes a certificate in a PKCS12 file for trusted only where its own attribute says so, which keytool writes.
  await runCommand(await findKeytool(), [
    ...['-importcert', '-noprompt', '-alias', 'ca', '-file', file('ca.pem')],
    ...['-keystore', trustStore, '-storetype', 'PKCS12', '-storepass', password],
  ])
  return { storeType: 'PKCS12', keyStore, trustStore, password }
}

const CA_CONFIG = `[req]
distinguished_name = name
x509_extensions = extensions
prompt = no
[name]
CN = headrace test CA
[extensions]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
`

function serverExtensions(dnsNames: readonly string[] = []): string {
  const names = [...['localhost', ...dnsNames].map((name) => `DNS:${name}`), 'IP:127.0.0.1']
  return `subjectAltName=${names.join(',')}\nextendedKeyUsage=serverAuth,clientAuth\n`
}

const CLIENT_EXTENSIONS = 'extendedKeyUsage=clientAuth\n'

class Issuer {
  readonly #openssl: string
  readonly #folder: string

  constructor(openssl: string, folder: string) {
    this.#openssl = openssl
    this.#folder = folder
  }

  async certificate(name: string, subject: string, extensions: string): Promise<void> {
    const file = (ending: string) => path.join(this.#folder, `${name}.${ending}`)
    await writeFile(file('ext'), extensions)
    await runCommand(this.#openssl, [
      ...['req', '-new', '-config', path.join(this.#folder, 'ca.cnf'), '-newkey', 'rsa:2048', '-nodes'],
      ...['-subj', subject, '-keyout', file('key'), '-out', file('csr')],
    ])
    await runCommand(this.#openssl, [
      ...['x509', '-req', '-in', file('csr'), '-extfile', file('ext'), '-days', VALID_DAYS, '-out', file('pem')],
      ...['-CA', path.join(this.#folder, 'ca.pem'), '-CAkey', path.join(this.#folder, 'ca.key'), '-CAcreateserial'],
    ])
  }
}
