import { contend } from './harness.ts'
import { awaitedSends, connectHeadrace, withRoom } from './headrace.ts'

await contend((job, supply) => connectHeadrace(withRoom(job), supply, awaitedSends))
