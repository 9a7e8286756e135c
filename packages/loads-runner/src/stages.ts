import type { Stage } from '@loads-runner/testcase/load'

/** The settings that make the stages of a run. */
export interface StageSettings {
  users: readonly number[] | null
  iterations: readonly number[] | null
  /** Milliseconds. */
  duration: number | null
  agents: number | null
}

/** Why users and iterations do not pair, or null. One number counts for all stages of the other. */
export function stageProblem({ users, iterations }: StageSettings): string | null {
  const [some, others] = [users?.length ?? 1, iterations?.length ?? 1]
  if (some === 1 || others === 1 || some === others) return null
  return `--users has ${some} stages and --iterations ${others}: give as many, or one number for all`
}

/**
 * The stages of a run.
 *
 * @param rounds executions per user where neither iterations nor a duration was given
 */
export function stagesOf(settings: StageSettings, rounds: number): Stage[] {
  const users = settings.users ?? [settings.agents ?? 1]
  const iterations = settings.iterations ?? [rounds]
  const count = Math.max(users.length, settings.duration === null ? iterations.length : 1)
  return Array.from({ length: count }, (_, index) => ({
    users: users[users.length === 1 ? 0 : index]!,
    iterations: settings.duration === null ? iterations[iterations.length === 1 ? 0 : index]! : null,
    durationMs: settings.duration,
  }))
}
