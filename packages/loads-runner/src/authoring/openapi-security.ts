import { Code, Fields, Mixed } from './expression.ts'
import type { Expression } from './expression.ts'
import type { Node } from './input-file.ts'
import { snakeCase } from './names.ts'
import type { References } from './schema-sample.ts'

export interface PlannedSecurity {
  auth: Fields | null
  headers: [string, Expression][]
  query: [string, Expression][]
}

/** What lets an operation in: credentials are read from the users' environment, never written down. */
export function planSecurity(
  root: Node,
  references: References,
  operation: Node,
  warnings: string[],
): PlannedSecurity {
  const planned: PlannedSecurity = { auth: null, headers: [], query: [] }
  const own = operation.at('security')
  const [first] = (own.missing ? root.at('security') : own).items()
  const schemes = root.at('components').missing ? null : root.at('components').at('securitySchemes')
  for (const [name, asked] of first?.entries() ?? []) {
    if (schemes === null || schemes.missing || schemes.at(name).missing)
      asked.fail('is none of components.securitySchemes')
    const scheme = references.follow(schemes!.at(name))
    const variable = (snakeCase(name).toUpperCase() || 'TOKEN').replace(/^\d/, 'KEY_$&')
    const variables = addScheme(planned, scheme, variable)
    if (variables.length > 0) {
      const options = variables.map((each) => `--secret ${each}=env:${each}`)
      warnings.push(`tests read ${variables.join(' and ')} from the environment: ${options.join(' ')}`)
    } else
      warnings.push(
        `security scheme ${name} is left out: ${scheme.at('type').textOr('')} has no credentials to send`,
      )
  }
  return planned
}

/** The variables that it reads; none where there is nothing to send. */
function addScheme(planned: PlannedSecurity, scheme: Node, variable: string): string[] {
  const type = scheme.at('type').text()
  if (type === 'apiKey') {
    const place = scheme.at('in').text()
    const name = scheme.at('name').text()
    if (place === 'query') planned.query.push([name, fromEnvironment(variable)])
    else if (place === 'cookie') planned.headers.push(['cookie', fromEnvironment(variable, `${name}=`)])
    else planned.headers.push([name.toLowerCase(), fromEnvironment(variable)])
    return [variable]
  }
  const basic = type === 'http' && scheme.at('scheme').text().toLowerCase() === 'basic'
  if (basic) {
    const user = `${variable}_USER`
    planned.auth = new Fields([
      ['username', fromEnvironment(user)],
      ['password', fromEnvironment(variable)],
    ])
    return [user, variable]
  }
  if (type === 'mutualTLS') return []
  planned.auth = new Fields([['bearer', fromEnvironment(variable)]])
  return [variable]
}

/** A value that the user gives: `process.env.API_TOKEN ?? ''`. */
function fromEnvironment(name: string, before = ''): Expression {
  const code = new Code(`process.env.${name} ?? ''`)
  return before === '' ? code : new Mixed([before, code])
}
