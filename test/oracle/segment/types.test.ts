import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { describeWhere } from '../../support/kafka/require-brokers.ts'
import { runCommand } from '../../support/kafka/run-command.ts'
import { segmentAvailable, segmentHome } from './segment-code.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** As a host writes it. */
const HOST = `
import { Destination, IntegrationError, MultiStatusResponse, type DestinationDefinition } from '@segment/actions-core'
import { toSegmentDestination, type DestinationSettings } from '${root}src/destination/destination.ts'
const definition: DestinationDefinition<DestinationSettings> = toSegmentDestination({ MultiStatusResponse, IntegrationError })
export const destination = new Destination(definition)
export const problem: number = definition.name
`

describeWhere(segmentAvailable, "seg-S20: our definition, beside the types of Segment's framework", () => {
  it('is a DestinationDefinition to the compiler', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'headrace-types-'))
    try {
      await symlink(path.join(segmentHome(), 'node_modules'), path.join(folder, 'node_modules'))
      await writeFile(path.join(folder, 'host.ts'), HOST)
      const options = {
        ...{ module: 'nodenext', target: 'ES2023', lib: ['ES2023', 'ESNext.Disposable', 'DOM'], strict: true },
        ...{ exactOptionalPropertyTypes: true, skipLibCheck: true, noEmit: true, allowImportingTsExtensions: true },
        ...{ types: ['node'], typeRoots: [path.join(root, 'node_modules/@types')] },
      }
      const config = { compilerOptions: options, files: ['host.ts'] }
      await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify(config))
      const tsc = path.join(root, 'node_modules/typescript/bin/tsc')
      const said = await runCommand(process.execPath, [tsc, '-p', folder]).catch((error: unknown) => String(error))
      // Of the line that is wrong on purpose, and of nothing else.
      expect(said.match(/^.*error TS.*$/gm)).toEqual([
        expect.stringMatching(/host\.ts\(6,14\): error TS2322: Type 'string' is not assignable to type 'number'/),
      ])
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
