import { main } from '../main.ts'
import { runInRealWorld } from '../world.ts'

await runInRealWorld(main)
