import { CONNECTION_FLAGS } from './connection-flags.ts'

/** Which flag of the command line gives which option: errors speak the language of the one who reads them. */
export type FlagNames = Readonly<Record<string, string>>

/** Where options come from, by their names (`tls.ca` for `ca` in `tls`). */
export interface Origins {
  /** What the flags gave, and how that is called in an error: `--tls-ca ca.pem`. */
  readonly flags: ReadonlyMap<string, string>
  /** What the configuration file has. */
  readonly config: { readonly path: string; readonly names: ReadonlySet<string> } | null
}

/** Where a sentence about `key` names `cert`: `set passphrase, too`, `cert is set and holds`, `the certificate in cert`. */
const NEIGHBOURS = /\b((?:set|in|open|leave out|missing:) )([a-z]+)\b|\b([a-z]+)(?= is set\b)/g

/** Options are set, flags are used. */
const USE: Readonly<Record<string, string>> = { set: 'use', Set: 'Use' }

/**
 * Turns the sentences of the library, which speak of options, into those of the command line, which speak of flags. What
 * was given in the configuration file, and what could be added there, keeps its name.
 */
export class Wording {
  readonly #flags: FlagNames
  readonly #origins: Origins

  /** @param flags of this command, besides those of the connection. */
  constructor(flags: FlagNames, origins: Origins) {
    this.#flags = { ...flags, ...CONNECTION_FLAGS }
    this.#origins = origins
  }

  /** The message of an `OptionError`: problems with `; ` in between, each beginning with the option that it is about. */
  problems(message: string): string {
    let section = ''
    const parts = message.replace(/^Producer: [A-Z_]+: /, '').split('; ')
    const spoken = parts.map((part) => {
      const subject = this.#subjectOf(part, section)
      if (subject === null) return this.#within(part, section)
      section = /^(tls|sasl)\b/.exec(subject.name)?.[0] ?? ''
      return `${this.#label(subject.name)}: ${this.#isFromFile(subject.name) ? forFile(subject.rest) : this.#within(subject.rest, section)}`
    })
    return spoken.join('; ')
  }

  /** Any other sentence, such as an error of a connection. */
  sentence(text: string): string {
    return text
      .replaceAll(
        /\btls\.rejectUnauthorized is false/g,
        (all) => this.#origins.flags.get('tls.rejectUnauthorized') ?? all,
      )
      .replaceAll(/\b(?:tls|sasl)\.[a-zA-Z]+\b/g, (name) => this.#spoken(name) ?? name)
      .replaceAll(/\b([Ss]et|[Ll]eave out) (tls|sasl)\b(?: to true)?(, or to \{ ca \})?(?!\.\w)/g, (all, ...words) => {
        const [verb, name, orAuthority] = words as [string, string, string | undefined]
        const flag = this.#spoken(name)
        if (flag === null) return all
        return `${USE[verb] ?? verb} ${flag}${orAuthority === undefined ? '' : `, or ${CONNECTION_FLAGS['tls.ca']}`}`
      })
      .replaceAll(/\btrue is enough\b/g, (all) =>
        this.#spoken('tls') === null ? all : `${CONNECTION_FLAGS.tls} is enough`,
      )
      .replaceAll(/\b[a-z]+(?:[A-Z][a-z]+)+\b/g, (name) => this.#spoken(name) ?? name)
  }

  /** A problem of `tls` or `sasl`, which names its neighbours without saying so. */
  #within(text: string, section: string): string {
    const spoken = text.replaceAll(
      NEIGHBOURS,
      (all, before: string | undefined, name: string | undefined, alone: string) => {
        const flag = section === '' ? null : this.#spoken(`${section}.${name ?? alone}`)
        return flag === null ? all : `${before ?? ''}${flag}`
      },
    )
    return this.sentence(spoken)
  }

  #subjectOf(part: string, section: string): { name: string; rest: string } | null {
    const [, first = '', rest = ''] = /^([\w.-]+): ([\s\S]*)$/.exec(part) ?? []
    if (section !== '' && this.#isKnown(`${section}.${first}`)) return { name: `${section}.${first}`, rest }
    if (!this.#isKnown(first)) return null
    const [, second = '', more = ''] = /^([\w.-]+): ([\s\S]*)$/.exec(rest) ?? []
    return this.#isKnown(`${first}.${second}`) ? { name: `${first}.${second}`, rest: more } : { name: first, rest }
  }

  #isKnown(name: string): boolean {
    return Object.hasOwn(this.#flags, name) || this.#origins.config?.names.has(name) === true
  }

  #isFromFile(name: string): boolean {
    return !this.#origins.flags.has(name) && this.#origins.config?.names.has(name) === true
  }

  #label(name: string): string {
    const { flags, config } = this.#origins
    return flags.get(name) ?? (config === null ? (this.#spoken(name) ?? name) : `${config.path}: ${name}`)
  }

  /** How the user would write it; null: under its own name. */
  #spoken(name: string): string | null {
    const { flags, config } = this.#origins
    if (config !== null && !flags.has(name)) return null
    return Object.hasOwn(this.#flags, name) ? (this.#flags[name] ?? null) : null
  }
}

/** In a file there is no readFileSync. */
function forFile(text: string): string {
  return text.replace('give what is in the file, for example readFileSync(path)', 'write { "file": "path" }')
}
