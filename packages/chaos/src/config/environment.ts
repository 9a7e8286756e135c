import type { Problems } from './problems.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** A text with the values of variables for `${NAME}`. One that is not set is a problem. */
export function withVariables(
  text: string,
  environment: Environment,
  place: string,
  problems: Problems,
): string {
  return text.replaceAll(/\$\{([A-Za-z_]\w*)\}/g, (whole, name: string) => {
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined
    if (value === undefined)
      problems.add(place, `${whole}: the variable ${name} is not set in the environment`)
    return value ?? ''
  })
}
