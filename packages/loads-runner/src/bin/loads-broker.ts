import { brokerMain } from '../main.ts'
import { runInRealWorld } from '../world.ts'

await runInRealWorld(brokerMain)
