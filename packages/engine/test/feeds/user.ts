import {
  createRandom,
  defaultTarget,
  silentMeter,
  type FeedSource,
  type UserContext,
} from '@loads-runner/testcase'

/** A virtual user in the middle of an execution. */
export function userAt(ordinal: number, executionId = `default/${ordinal}`): UserContext {
  return {
    user: 0,
    iteration: 0,
    executionId,
    scenario: 'default',
    ordinal,
    tags: null,
    directory: '/',
    feeds: null as unknown as FeedSource,
    random: createRandom(1, executionId),
    params: {},
    run: { id: 'r', seed: 1, agent: 'a', data: null },
    signal: new AbortController().signal,
    meter: silentMeter,
    target: defaultTarget,
    annotate: () => {},
  }
}
