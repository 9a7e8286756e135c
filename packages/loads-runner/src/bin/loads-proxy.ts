import { proxyMain } from '../main.ts'
import { runInRealWorld } from '../world.ts'

await runInRealWorld(proxyMain)
