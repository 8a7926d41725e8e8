import { Session } from 'node:inspector'

/** What is fuzzed: whole files, less what in them writes or chooses. */
const FILES =
  /\/src\/(bytes\/reader|protocol\/(decode|frame|frame-reader|record|record-batch-decode|record-batch-layout|message-set-decode)|compression\/(decompress|bounded-output|xxhash|(gzip|lz4|snappy|zstd)-format|zstd-(bits|fse|literals|sequences)))\.ts$/
const NOT_DECODING =
  /^(write|encode|measure|size|copyShort|upperBound|lengthOfText|openFrame|closeFrame|describePeer|peek|frameXerial|lz4FrameForMagic0|checkTimestamp|partOf)/

interface ScriptCoverage {
  readonly url: string
  readonly functions: readonly {
    readonly functionName: string
    readonly isBlockCoverage: boolean
    readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[]
  }[]
}

interface Script {
  readonly length: number
  /** By character: 1 in a decoder's function. */
  readonly isDecoder: Uint8Array
  readonly covered: Uint8Array
  readonly now: Uint8Array
  /** Where blocks begin and end, as far as V8 has told: it joins neighbours of equal counts. */
  readonly borders: Set<number>
}

/**
 * V8's block coverage of the decoders, in this process. Start it before their modules are loaded: what is compiled
 * earlier counts by whole functions.
 */
export class Coverage {
  readonly #session = new Session()
  readonly #scripts = new Map<string, Script>()
  #isOn = true

  constructor() {
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  get isOn(): boolean {
    return this.#isOn
  }

  /** For good. Code that is counted runs at a fifth of its speed. */
  pause(): void {
    this.#isOn = false
    this.#session.post('Profiler.stopPreciseCoverage')
  }

  /** Whether code ran since the last call that had not run before it; `keep`: from now on it has. */
  take(keep: boolean): boolean {
    if (!this.#isOn) return false
    let scripts: readonly ScriptCoverage[] = []
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error === null) scripts = result
    })
    let isNew = false
    for (const { url, functions } of scripts) if (FILES.test(url) && this.#look(url, functions, keep)) isNew = true
    return isNew
  }

  /** Blocks known, and those that ran. */
  blocks(): { readonly all: number; readonly covered: number } {
    let all = 0
    let covered = 0
    for (const script of this.#scripts.values()) {
      for (const at of script.borders) {
        if (script.isDecoder[at] !== 1) continue
        all++
        if (script.covered[at] === 1) covered++
      }
    }
    return { all, covered }
  }

  stop(): void {
    this.pause()
    this.#session.post('Profiler.disable')
    this.#session.disconnect()
  }

  #look(url: string, functions: ScriptCoverage['functions'], keep: boolean): boolean {
    const script = this.#scripts.get(url) ?? this.#meet(url, functions)
    const { now, covered, isDecoder, borders } = script
    now.fill(0)
    for (const { ranges, isBlockCoverage } of functions) {
      // Compiled while nobody counted: that it ran says nothing about its blocks.
      if (!isBlockCoverage && ranges[0]!.count > 0) continue
      for (const { startOffset, endOffset, count } of ranges) {
        now.fill(count > 0 ? 1 : 0, startOffset, endOffset)
        if (!keep) continue
        borders.add(startOffset)
        borders.add(endOffset)
      }
    }
    let isNew = false
    for (let at = 0; at < script.length; at++) {
      if (now[at] === 0 || covered[at] === 1 || isDecoder[at] === 0) continue
      isNew = true
      if (!keep) break
      covered[at] = 1
    }
    return isNew
  }

  #meet(url: string, functions: ScriptCoverage['functions']): Script {
    const length = Math.max(...functions.map(({ ranges }) => ranges[0]!.endOffset))
    const isDecoder = new Uint8Array(length)
    for (const { functionName, ranges } of functions) {
      const { startOffset, endOffset } = ranges[0]!
      if (endOffset - startOffset < length * 0.9) {
        isDecoder.fill(NOT_DECODING.test(functionName) ? 0 : 1, startOffset, endOffset)
      }
    }
    const script = {
      ...{
        length,
        isDecoder,
        covered: new Uint8Array(length),
        now: new Uint8Array(length),
        borders: new Set<number>(),
      },
    }
    this.#scripts.set(url, script)
    return script
  }
}
