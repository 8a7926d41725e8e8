import { systemVaultClock, type VaultClock } from './key-vault/vault-clock.ts'

/** What the output needs of time. */
export interface OutputClock extends VaultClock {
  /** Runs `fn` when the current turn of the event loop is done. */
  soon(fn: () => void): void
}

/* eslint-disable no-restricted-globals -- the output's own clock: it may import the library's public API only */
export const systemOutputClock: OutputClock = {
  ...systemVaultClock,
  soon: (fn) => void setImmediate(fn),
}
/* eslint-enable no-restricted-globals */
