/**
 * Sets variables of this process for a while: where users' code runs outside of a load thread, it must find the same
 * ones as there.
 *
 * @returns what puts everything back
 */
export function lendEnvironment(variables: Readonly<Record<string, string>>): () => void {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const)
  Object.assign(process.env, variables)
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
}
