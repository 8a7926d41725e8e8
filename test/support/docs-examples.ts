import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
export const TSX = path.join(ROOT, 'node_modules/.bin/tsx')

const DOORS = {
  "'headrace/protocol'": 'src/protocol/protocol.ts',
  "'headrace/testing'": 'src/testing/test-cluster.ts',
  "'headrace/destination'": 'src/destination/destination.ts',
  "'headrace/output'": 'src/output/output.ts',
  "'headrace'": 'src/index.ts',
}

/** A page of docs/, and the TypeScript that stands in it. */
export class DocsPage {
  readonly text: string
  readonly examples: readonly string[]

  constructor(name: string) {
    this.text = readFileSync(path.join(ROOT, 'docs', name), 'utf8')
    this.examples = [...this.text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code)
  }
}

/** Examples as files of their own, with our sources in place of the package. */
export class ExampleFiles {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'headrace-docs-'))
  readonly files: readonly string[]

  constructor(examples: readonly string[]) {
    this.files = examples.map((code, i) => {
      const file = path.join(this.folder, `example-${i}.mts`)
      writeFileSync(file, throughTheDoors(code))
      return file
    })
  }

  /** What a compiler as strict as ours says to them. */
  problems(): string[] {
    const { config } = ts.readConfigFile(path.join(ROOT, 'tsconfig.json'), (file) => ts.sys.readFile(file))
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT)
    const own = { noEmit: true, rewriteRelativeImportExtensions: false, types: ['node'] }
    const typeRoots = [path.join(ROOT, 'node_modules/@types')]
    const program = ts.createProgram(this.files, { ...options, ...own, typeRoots })
    const problems = this.files.flatMap((file) => {
      const source = program.getSourceFile(file)
      if (source === undefined) throw new Error(`the compiler has not read ${file}`)
      return ts.getPreEmitDiagnostics(program, source)
    })
    return problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** What an example says that it prints. */
export function printedBy(code: string): string[] {
  return [...code.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, printed = '']) => printed)
}

function throughTheDoors(code: string): string {
  return Object.entries(DOORS).reduce((text, [name, file]) => {
    return text.replaceAll(name, JSON.stringify(path.join(ROOT, file)))
  }, code)
}
