import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { findOpenssl } from './java-installation.ts'
import { runCommand } from './run-command.ts'

const VALID_DAYS = '30'

export interface Certificates {
  readonly ca: string
  readonly clientCert: string
  readonly clientKey: string
  /** The broker's key store in PEM form: PKCS#8 key, then its certificate. */
  readonly serverKeyStore: string
  /** Only where its key is encrypted. */
  readonly serverKeyPassword?: string
}

/**
 * A CA, a server certificate for localhost and 127.0.0.1 and a client certificate, all signed on the spot.
 *
 * @throws {BrokersUnavailable} no `openssl`.
 */
export async function makeCertificates(folder: string, hasEncryptedKey = false): Promise<Certificates> {
  const openssl = await findOpenssl()
  await mkdir(folder, { recursive: true })
  const ca = path.join(folder, 'ca.pem')
  await writeFile(path.join(folder, 'ca.cnf'), CA_CONFIG)
  await runCommand(openssl, [
    ...['req', '-x509', '-config', path.join(folder, 'ca.cnf'), '-newkey', 'rsa:2048', '-nodes', '-days', VALID_DAYS],
    ...['-keyout', path.join(folder, 'ca.key'), '-out', ca],
  ])
  const issue = new Issuer(openssl, folder)
  await issue.certificate('server', '/CN=localhost', SERVER_EXTENSIONS)
  await issue.certificate('client', '/CN=headrace-client', CLIENT_EXTENSIONS)
  const serverKeyStore = path.join(folder, 'server-key-store.pem')
  const password = hasEncryptedKey ? await encryptKey(openssl, folder) : {}
  const parts = ['server.key', 'server.pem'].map((name) => readFile(path.join(folder, name), 'utf8'))
  await writeFile(serverKeyStore, (await Promise.all(parts)).join(''))
  const client = { clientCert: path.join(folder, 'client.pem'), clientKey: path.join(folder, 'client.key') }
  return { ca, ...client, serverKeyStore, ...password }
}

/** Encrypts the server's key in its place. Kafka 2.8 cannot read what OpenSSL makes by default: "PBES2 not available". */
async function encryptKey(openssl: string, folder: string): Promise<{ serverKeyPassword: string }> {
  const serverKeyPassword = randomBytes(12).toString('hex')
  const [key, encrypted] = [path.join(folder, 'server.key'), path.join(folder, 'server.key.encrypted')]
  const kind = ['pkcs8', '-topk8', '-v1', 'PBE-SHA1-3DES', '-passout', `pass:${serverKeyPassword}`]
  await runCommand(openssl, [...kind, '-in', key, '-out', encrypted])
  await rename(encrypted, key)
  return { serverKeyPassword }
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

const SERVER_EXTENSIONS = 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n'
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
