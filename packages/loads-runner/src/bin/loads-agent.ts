import { agentMain } from '../main.ts'
import { runInRealWorld } from '../world.ts'

await runInRealWorld(agentMain)
