// Who may import whom (DESIGN.md, "Layers"). A folder may import its own files, the layers below it, and nothing else.
const layers = [
  // L0: each is a file or a folder of its own
  { name: 'errors', at: '^src/errors\\.ts$', may: [] },
  { name: 'version', at: '^src/version\\.ts$', may: [] },
  { name: 'nearest', at: '^src/nearest\\.ts$', may: [] },
  { name: 'options', at: '^src/options\\.ts$', may: ['^src/(errors|nearest)\\.ts$'] },
  { name: 'clock', at: '^src/clock\\.ts$', may: [] },
  { name: 'alarm', at: '^src/alarm\\.ts$', may: ['^src/clock\\.ts$'] },
  { name: 'diagnostics', at: '^src/diagnostics\\.ts$', may: ['^src/errors\\.ts$'] },
  { name: 'secret', at: '^src/secret\\.ts$', may: [] },
  { name: 'bytes', at: '^src/bytes/', may: ['^src/bytes/', '^src/errors\\.ts$'] },
]
const L0 = '^src/(errors|options|nearest|version|clock|alarm|diagnostics|secret)\\.ts$|^src/bytes/'
const peers = ['protocol', 'compression', 'partitioner', 'sasl', 'tls']
for (const peer of peers) layers.push({ name: peer, at: `^src/${peer}/(?!protocol\\.ts$)`, may: [`^src/${peer}/`, L0] })
// The public door 'headrace/protocol' offers Java's key hash, too.
layers.push({
  name: 'protocol-door',
  at: '^src/protocol/protocol\\.ts$',
  may: ['^src/(protocol/|partitioner/murmur2\\.ts$)', L0],
})
const L1 = `^src/(${peers.join('|')})/`
layers.push({ name: 'connection', at: '^src/connection/', may: ['^src/connection/', L1, L0] })
layers.push({ name: 'cluster', at: '^src/cluster/', may: ['^src/(cluster|connection)/', L1, L0] })
layers.push({ name: 'producer', at: '^src/producer/', may: ['^src/(producer|cluster|connection)/', L1, L0] })
layers.push({ name: 'diagnose', at: '^src/diagnose/', may: ['^src/(diagnose|producer|cluster|connection)/', L1, L0] })
layers.push({ name: 'index', at: '^src/index\\.ts$', may: ['^src/(?!cli|testing|destination|output)'] })
layers.push({ name: 'testing', at: '^src/testing/', may: ['^src/testing/', '^src/(?!cli|destination|output|index)'] })
layers.push({ name: 'destination', at: '^src/destination/', may: ['^src/destination/', '^src/index\\.ts$'] })
layers.push({ name: 'output', at: '^src/output/', may: ['^src/output/', '^src/index\\.ts$'] })
layers.push({
  name: 'cli',
  at: '^src/cli/',
  may: [
    '^src/cli/',
    '^src/(index|version)\\.ts$',
    '^src/(testing|destination|output)/',
    '^src/protocol/protocol\\.ts$',
  ],
})

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: '^src/(index|cli/headrace|testing/test-cluster|protocol/protocol)\\.ts$' },
      to: {},
    },
    ...layers.map(({ name, at, may }) => ({
      name: `layer-${name}`,
      severity: 'error',
      from: { path: at },
      to: { path: '^src/', pathNot: may.length ? may : ['^$'] },
    })),
    {
      name: 'no-packages-outside-cli',
      comment:
        'npm install headrace installs one package: only the bundled command line may import others; codecs load theirs by require at run time.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'unknown'] },
    },
    {
      name: 'known-folders-only',
      severity: 'error',
      from: { path: '^src/', pathNot: layers.map((l) => l.at) },
      to: {},
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
  },
}
