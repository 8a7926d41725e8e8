import { contend } from './harness.ts'
import { connectHeadrace, sendAll } from './headrace.ts'

await contend((job, supply) => connectHeadrace(job, supply, sendAll))
