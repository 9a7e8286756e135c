import { createRequire } from 'node:module'

const description = createRequire(import.meta.url)('../package.json') as { version: string }

/** Version of this package; broker, agents and console of one run must have the same. */
export const version: string = description.version
