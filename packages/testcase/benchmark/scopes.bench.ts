/**
 * What checks, steps and tags cost, and what telling concurrent branches apart by AsyncLocalStorage would cost every
 * await of the thread. By hand: node --import tsx packages/testcase/benchmark/scopes.bench.ts
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { defaultTarget, type UserContext } from '../src/context.ts'
import { silentMeter } from '../src/meter.ts'
import { createRandom } from '../src/random.ts'
import { internTags, mergeTags } from '../src/tags.ts'
import { TestCase } from '../src/test-case.ts'
import { attachUser } from '../src/user-link.ts'

const context: UserContext = {
  user: 0,
  iteration: 0,
  executionId: 'main/0/0',
  scenario: 'main',
  ordinal: 0,
  tags: internTags({ team: 'shop' }),
  directory: '.',
  feeds: { row: () => Promise.reject(new Error('no data here')) },
  random: createRandom(1, 'main/0/0'),
  params: {},
  run: { id: 'bench', seed: 1, agent: 'bench', data: null },
  signal: new AbortController().signal,
  meter: silentMeter,
  target: defaultTarget,
  annotate: () => {},
}
const test = new TestCase()
attachUser(test, context)

const own = { page: 'home' }
let kept: unknown = null
const leaf = async (value: number) => value

const actions: Record<string, (count: number) => unknown> = {
  check: (count) => {
    for (let index = 0; index < count; index++) test.check('status is 200', true)
  },
  'step, sync': (count) => {
    for (let index = 0; index < count; index++) test.step('page', () => index)
  },
  'step, async': async (count) => {
    for (let index = 0; index < count; index++) await test.step('page', () => leaf(index))
  },
  'tagged, sync, new object': (count) => {
    for (let index = 0; index < count; index++) test.tagged({ page: 'home' }, () => index)
  },
  'mergeTags, known objects': (count) => {
    for (let index = 0; index < count; index++) kept = mergeTags(context.tags, own)
  },
  'mergeTags, new object': (count) => {
    for (let index = 0; index < count; index++) kept = mergeTags(context.tags, { page: 'home' })
  },
  'await of an async function': async (count) => {
    for (let index = 0; index < count; index++) kept = await leaf(index)
  },
}

async function measure(label: string, action: (count: number) => unknown): Promise<void> {
  const count = 300_000
  const rounds: number[] = []
  for (let round = 0; round < 5; round++) {
    const startedAt = performance.now()
    await action(count)
    rounds.push(((performance.now() - startedAt) * 1e6) / count)
  }
  rounds.sort((one, other) => one - other)
  process.stdout.write(`${label.padEnd(52)}${rounds[2]!.toFixed(0).padStart(6)} ns\n`)
}

for (const [label, action] of Object.entries(actions)) await measure(label, action)
const storage = new AsyncLocalStorage<object>()
await storage.run({}, async () => {
  await measure(
    'await of an async function, AsyncLocalStorage in use',
    actions['await of an async function']!,
  )
})
process.stdout.write(kept === undefined ? '' : `Node ${process.version}\n`)
