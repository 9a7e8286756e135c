import { transform } from 'esbuild'

/** A request as a generated test makes it. */
export interface MadeRequest {
  method: string
  url: string
  options: Record<string, any>
}

export type FakeAnswer = (request: MadeRequest) => { status: number; json?: unknown }

/** Runs every test of a generated module against a session that only remembers. */
export async function runModule(
  source: string,
  answer: FakeAnswer = () => ({ status: 200 }),
): Promise<{ requests: MadeRequest[]; pauses: number[]; classes: Record<string, any> }> {
  // TypeScript like any user's; a syntax error is thrown.
  const { code } = await transform(source, { loader: 'ts', format: 'cjs' })
  const requests: MadeRequest[] = []
  const pauses: number[] = []
  const request = (method: string, url: string, options: Record<string, any> = {}) => {
    const made = { method, url, options }
    requests.push(made)
    const { status, json } = answer(made)
    return Promise.resolve({ status, ok: status < 400, json: () => json })
  }
  const verbs = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options']
  const session = Object.fromEntries(
    verbs.map((verb) => [verb, (url: string, options: any) => request(verb.toUpperCase(), url, options)]),
  )
  class TestCase {
    session = { ...session, request }
    assertEqual(one: unknown, other: unknown) {
      if (one !== other) throw new Error(`${String(one)} is not ${String(other)}`)
    }
    assertTrue(value: unknown) {
      if (!value) throw new Error('not true')
    }
  }
  const modules: Record<string, unknown> = {
    'loads-runner': { TestCase },
    'node:timers/promises': { setTimeout: (ms: number) => void pauses.push(ms) },
  }
  const exported: Record<string, any> = {}
  const module = { exports: exported }
  // oxlint-disable-next-line no-implied-eval, no-new-func
  const load = new Function('require', 'module', 'exports', code)
  load((name: string) => modules[name], module, exported)
  for (const testClass of Object.values<any>(module.exports)) {
    for (const name of Object.getOwnPropertyNames(testClass.prototype))
      if (name.startsWith('test')) await new testClass()[name]()
  }
  return { requests, pauses, classes: module.exports }
}
