import { contend } from './harness.ts'
import { connectPlatformatic } from './platformatic.ts'

await contend(connectPlatformatic('platformatic-kafka-2'))
