import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { registerSecret } from '../canary.ts'
import { findOpenssl } from '../kafka/java-installation.ts'
import { runCommand } from '../kafka/run-command.ts'
import { OpensslServer } from './openssl-server.ts'

/** A certificate and its private key, both PEM. */
export interface Issued {
  readonly cert: string
  readonly key: string
}

export interface CertificateWish {
  readonly commonName?: string
  /** OpenSSL's words for subjectAltName; null: none, as old tools made them. */
  readonly names?: string | null
  readonly usage?: 'serverAuth' | 'clientAuth'
  readonly from?: Date
  readonly to?: Date
  /** Default: a P-256 key; else the bits of an RSA key. */
  readonly rsaBits?: number
}

const DAY_MS = 86_400_000
const EC_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']

/** The day that is `days` from now, for certificates with chosen dates. */
export function daysFromNow(days: number): Date {
  return new Date(Date.now() + days * DAY_MS)
}

/** A certificate authority in a folder of its own, worked by the openssl program. Ask for one certificate at a time. */
export class Authority {
  readonly #openssl: string
  readonly #folder: string
  readonly #issuer: Issued
  #count = 0

  private constructor(openssl: string, folder: string, issuer: Issued) {
    this.#openssl = openssl
    this.#folder = folder
    this.#issuer = issuer
  }

  /**
   * A self-signed root in a temporary folder; `remove` deletes it.
   *
   * @throws {BrokersUnavailable} no `openssl`.
   */
  static async root(commonName: string, wish: CertificateWish = {}): Promise<Authority> {
    const openssl = await findOpenssl()
    const folder = await mkdtemp(path.join(tmpdir(), 'headrace-tls-'))
    await writeFile(path.join(folder, 'ca.cnf'), CONFIG)
    const files = ['-keyout', path.join(folder, 'ca.key'), '-out', path.join(folder, 'ca.pem')]
    const name = ['-subj', `/O=headrace test/CN=${commonName}`]
    const request = ['req', '-x509', '-config', path.join(folder, 'ca.cnf'), '-extensions', 'authority', '-nodes']
    const key = wish.rsaBits === undefined ? EC_KEY : ['-newkey', `rsa:${wish.rsaBits}`]
    await runCommand(openssl, [...request, ...key, '-days', '30', ...name, ...files])
    return await Authority.#at(openssl, folder)
  }

  static async #at(openssl: string, folder: string): Promise<Authority> {
    await writeFile(path.join(folder, 'index.txt'), '')
    const [cert, key] = await Promise.all(['ca.pem', 'ca.key'].map((name) => readFile(path.join(folder, name), 'utf8')))
    return new Authority(openssl, folder, { cert: cert!, key: registerSecret('private key of an authority', key!) })
  }

  get cert(): string {
    return this.#issuer.cert
  }

  get key(): string {
    return this.#issuer.key
  }

  /** A certificate for localhost and 127.0.0.1, valid from yesterday for thirty days, if nothing else is wished. */
  async issue(wish: CertificateWish = {}): Promise<Issued> {
    const { names = 'DNS:localhost,IP:127.0.0.1', usage = 'serverAuth' } = wish
    const san = names === null ? '' : `subjectAltName=${names}\n`
    return await this.#sign(`leaf-${++this.#count}`, wish, `${san}extendedKeyUsage=${usage}\n`)
  }

  /** An authority whose certificate this one has signed. */
  async intermediate(commonName: string): Promise<Authority> {
    const name = `intermediate-${++this.#count}`
    const issued = await this.#sign(name, { commonName }, AUTHORITY)
    const folder = path.join(this.#folder, `${name}-folder`)
    await mkdir(folder)
    const files = { 'ca.cnf': CONFIG, 'ca.pem': issued.cert, 'ca.key': issued.key }
    for (const [file, text] of Object.entries(files)) await writeFile(path.join(folder, file), text)
    return await Authority.#at(this.#openssl, folder)
  }

  /** A certificate that nobody but itself has signed; no authority. */
  async selfSigned(commonName: string): Promise<Issued> {
    const name = `self-signed-${++this.#count}`
    const request = ['req', '-x509', '-config', 'ca.cnf', '-extensions', 'lonely', '-nodes', ...EC_KEY, '-days', '30']
    await this.openssl(...request, '-subj', `/CN=${commonName}`, '-keyout', `${name}.key`, '-out', `${name}.pem`)
    return await this.#read(name)
  }

  /** Runs openssl in the folder of this authority, for what no method offers. */
  async openssl(...args: string[]): Promise<string> {
    return await runCommand(this.#openssl, args, { cwd: this.#folder })
  }

  /** A revocation list; nothing is in it. */
  async revocations(): Promise<string> {
    const keys = ['-cert', 'ca.pem', '-keyfile', 'ca.key']
    return await this.openssl('ca', '-config', 'ca.cnf', '-gencrl', '-crldays', '1', ...keys)
  }

  /** A file for openssl in the folder of this authority. */
  async write(name: string, text: string): Promise<string> {
    await writeFile(path.join(this.#folder, name), text)
    return name
  }

  async read(name: string): Promise<Buffer> {
    return await readFile(path.join(this.#folder, name))
  }

  /** `openssl s_server` with a certificate, for clients that this authority has signed if `isWanting`. */
  async server(own: Issued, args: readonly string[], isWanting = false): Promise<OpensslServer> {
    const name = await this.write(`server-${++this.#count}.pem`, own.key + own.cert)
    const wanting = isWanting ? ['-CAfile', 'ca.pem', '-Verify', '1', '-verify_return_error'] : []
    return await OpensslServer.start(this.#folder, ['-cert', name, '-key', name, ...wanting, ...args])
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #sign(name: string, wish: CertificateWish, extensions: string): Promise<Issued> {
    const key = wish.rsaBits === undefined ? EC_KEY : ['-newkey', `rsa:${wish.rsaBits}`]
    const file = (ending: string): string => path.join(this.#folder, `${name}.${ending}`)
    await writeFile(file('ext'), `[wished]\n${extensions}`)
    const subject = ['-subj', `/O=headrace test/CN=${wish.commonName ?? 'localhost'}`]
    const request = ['req', '-new', '-config', 'ca.cnf', '-nodes', ...key, ...subject]
    await this.openssl(...request, '-keyout', file('key'), '-out', file('csr'))
    const dates = [
      '-startdate',
      asn1Time(wish.from ?? daysFromNow(-1)),
      '-enddate',
      asn1Time(wish.to ?? daysFromNow(30)),
    ]
    const signing = ['ca', '-batch', '-notext', '-config', 'ca.cnf', '-cert', 'ca.pem', '-keyfile', 'ca.key']
    const out = ['-in', file('csr'), '-out', file('pem'), '-extfile', file('ext'), '-extensions', 'wished']
    await this.openssl(...signing, ...dates, ...out)
    return await this.#read(name)
  }

  async #read(name: string): Promise<Issued> {
    const files = ['pem', 'key'].map((ending) => readFile(path.join(this.#folder, `${name}.${ending}`), 'utf8'))
    const [cert, key] = await Promise.all(files)
    return { cert: cert!, key: registerSecret(`private key of ${name}`, key!) }
  }
}

function asn1Time(date: Date): string {
  return `${date.toISOString().replace(/[-:T]|\.\d+Z$/g, '')}Z`
}

const AUTHORITY = `basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
`

/** The paths are relative: openssl runs in the folder. */
const CONFIG = `[req]
distinguished_name = name
prompt = no
[name]
CN = unused
[ca]
default_ca = here
[here]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
unique_subject = no
policy = any
[any]
organizationName = optional
commonName = supplied
[authority]
${AUTHORITY}[lonely]
subjectAltName = DNS:localhost
`
