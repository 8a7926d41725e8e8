/** What went wrong in the process as a whole: O9 (nothing left over) and O12 (nothing uncaught). */
export interface ProcessWatch {
  /** Uncaught exceptions, unhandled rejections and warnings so far, in words. */
  readonly problems: readonly string[]
  /** Kinds of open handles of which there are more now than there were at the beginning: `TCPSocketWrap 3 > 1`. */
  leftOver(): string[]
  /** Listens no longer. */
  stop(): void
}

/**
 * Begins to watch. While it runs an uncaught exception does not end the process: it is a problem to be reported with its
 * seed, after which whoever watches must fail.
 */
export function watchProcess(): ProcessWatch {
  const problems: string[] = []
  const baseline = openHandles()
  const onException = (error: unknown): void => void problems.push(`O12 uncaughtException: ${describe(error)}`)
  const onRejection = (reason: unknown): void => void problems.push(`O12 unhandledRejection: ${describe(reason)}`)
  const onWarning = (warning: Error): void => {
    if (warning.name === 'MaxListenersExceededWarning') problems.push(`O9 warning: ${describe(warning)}`)
  }
  process.on('uncaughtException', onException)
  process.on('unhandledRejection', onRejection)
  process.on('warning', onWarning)
  return {
    problems,
    leftOver: () =>
      [...openHandles()]
        .filter(([kind, count]) => count > (baseline.get(kind) ?? 0))
        .map(([kind, count]) => `O9 ${kind} ${count} > ${baseline.get(kind) ?? 0}`),
    stop() {
      process.off('uncaughtException', onException)
      process.off('unhandledRejection', onRejection)
      process.off('warning', onWarning)
    },
  }
}

/** What keeps a process alive, by kind. What is not referenced does not count: it ends with the process. */
function openHandles(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return counts
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
