const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/**
 * Calls `onSignal` for every Ctrl-C or termination, with the count of them so far.
 *
 * @returns restores the system's own handling.
 */
export function onInterrupt(onSignal: (count: number) => void): () => void {
  let count = 0
  const listener = (): void => onSignal(++count)
  for (const signal of SIGNALS) process.on(signal, listener)
  return () => {
    for (const signal of SIGNALS) process.off(signal, listener)
  }
}

const LONG_MS = 2 ** 31 - 1

/** Keeps the process alive until `work` is done: what the library only asks on the side does not, and Node would leave. */
export async function untilDone<T>(work: Promise<T>): Promise<T> {
  const timer = setInterval(() => undefined, LONG_MS)
  try {
    return await work
  } finally {
    clearInterval(timer)
  }
}
