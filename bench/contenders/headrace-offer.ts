import { contend } from './harness.ts'
import { connectHeadrace, offer } from './headrace.ts'

await contend((job, supply) => connectHeadrace(job, supply, offer))
