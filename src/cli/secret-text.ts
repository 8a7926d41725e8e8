import { UsageError } from './exit-code.ts'
import { readSmallFile, type SmallFile } from './read-file.ts'

/** What the command line takes from the process: tests bring their own. */
export interface Surroundings {
  readonly env: Readonly<NodeJS.ProcessEnv>
  readonly warn: (message: string) => void
}

/** A secret, or a function that reads it anew at each login, so that a new one is found where the old one was. */
export type SecretText = string | (() => string)

/**
 * A secret from the environment.
 *
 * A name that is not there is not repeated: `--password-env "$PASSWORD"` gives the password itself.
 *
 * @param whose the flag, or the place in the configuration file.
 * @throws {UsageError} the variable is not set, or empty.
 */
export function secretFromEnvironment(whose: string, name: string, env: Surroundings['env']): string {
  const value = Object.hasOwn(env, name) ? env[name] : undefined
  if (value === undefined) {
    const advice = 'give the name of a variable, not what is in it, and export it'
    throw new UsageError(`${whose}: there is no environment variable of that name (${advice})`)
  }
  if (value === '') throw new UsageError(`${whose} ${name}: the environment variable is empty`)
  return value
}

/**
 * A secret from a file, without its byte order mark and one line end; a pipe is read once.
 *
 * @throws {UsageError} the file cannot be read, is empty or not UTF-8.
 */
export function secretFromFile(whose: string, path: string, surroundings: Surroundings): SecretText {
  const { isFile, bytes } = readSecretBytes(whose, path, surroundings)
  const secret = textOf(whose, path, bytes)
  return isFile ? () => textOf(whose, path, readSmallFile(whose, path).bytes) : secret
}

/** The same, for what is needed once. */
export function secretFromFileNow(whose: string, path: string, surroundings: Surroundings): string {
  const secret = secretFromFile(whose, path, surroundings)
  return typeof secret === 'string' ? secret : secret()
}

/** A file that should be its owner's only, such as a private key: it is read, with a warning if others can read it. */
export function readSecretBytes(whose: string, path: string, { warn }: Surroundings): SmallFile {
  const file = readSmallFile(whose, path)
  if (file.isOpenToOthers) {
    warn(`${whose}: other users of this machine can read ${path} (chmod 600 makes it yours alone)`)
  }
  return file
}

function textOf(whose: string, path: string, bytes: Buffer): string {
  const text = decode(bytes)?.replace(/\r?\n$/, '')
  if (text === undefined) throw new UsageError(`${whose}: ${path} is not text in UTF-8`)
  if (text === '') throw new UsageError(`${whose}: ${path} is empty`)
  return text
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
