import { defaultTarget, type TargetOptions, type UserContext } from '../../src/context.ts'
import type { Tags } from '../../src/meter.ts'
import { createRandom } from '../../src/random.ts'
import { TestCase } from '../../src/test-case.ts'
import { attachUser, releaseUser } from '../../src/user-link.ts'
import { RecordingMeter } from './recording-meter.ts'

/** A virtual user whose hits are recorded, and the switch that cuts its execution. */
export interface TestUser {
  test: TestCase
  meter: RecordingMeter
  context: { -readonly [K in keyof UserContext]: UserContext[K] }
  cut: AbortController
  notes: { text: string; tags: Tags }[]
}

const users: TestCase[] = []

export function makeUser(
  target: Partial<TargetOptions> = {},
  testClass: new () => TestCase = TestCase,
): TestUser {
  const meter = new RecordingMeter()
  const cut = new AbortController()
  const notes: TestUser['notes'] = []
  const context: UserContext = {
    user: 3,
    iteration: 5,
    executionId: 'main/3/5',
    scenario: 'main',
    ordinal: 53,
    tags: null,
    directory: import.meta.dirname,
    feeds: {
      row: (file, mode, user) => Promise.resolve({ file, mode, ordinal: String(user.ordinal) }),
    },
    random: createRandom(1, 'main/3/5'),
    params: { size: '3' },
    run: { id: 'run-1', seed: 1, agent: 'agent-1', data: { token: 'abc' } },
    signal: cut.signal,
    meter,
    target: { ...defaultTarget, timeoutMs: 20_000, ...target },
    annotate: (text, tags) => notes.push({ text, tags }),
  }
  const test = new testClass()
  attachUser(test, context)
  users.push(test)
  return { test, meter, context, cut, notes }
}

/** For afterEach: ends all users that a test made. */
export async function releaseUsers(): Promise<void> {
  await Promise.all(users.splice(0).map((test) => releaseUser(test)))
}
