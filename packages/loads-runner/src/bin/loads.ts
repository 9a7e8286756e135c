import { loadsMain } from '../main.ts'
import { runInRealWorld } from '../world.ts'

await runInRealWorld(loadsMain)
