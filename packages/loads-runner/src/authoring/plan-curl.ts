import { Names, pascalCase, snakeCase } from './names.ts'
import type { PlannedModule } from './planned-test.ts'
import type { Recorded } from './recorded.ts'
import { RequestPlanner } from './request-planner.ts'

/** A test that makes these requests, one after another. */
export function planCurl(recorded: readonly Recorded[], name: string): PlannedModule {
  const [first] = recorded
  const serverUrl = first === undefined ? null : new URL(first.url).origin
  const planner = new RequestPlanner({ correlation: null, names: new Names(), serverUrl, keepHeaders: true })
  const requests = recorded.map((each) => ({ ...planner.plan(each), expected: 'ok' as const }))
  const method = { name: `test_${snakeCase(requests[0]?.variable ?? '') || 'request'}`, requests }
  const className = `Test${pascalCase(name) || 'Curl'}`
  return { comments: [], classes: [{ name: className, comments: [], serverUrl, methods: [method] }] }
}
