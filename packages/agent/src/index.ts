/**
 * The process that makes load.
 *
 * @example
 * ```ts
 * const agent = new Agent({ dialer: dialer(await readJoin('@agent.join')), identity, workDir: null, sessions: 'child', log })
 * await agent.start() // registered with the broker
 * await agent.ended
 * ```
 */
export { Agent, type AgentOptions } from './agent.ts'
export type { SessionPlace } from './agent-run.ts'
