/**
 * What tests of outputs begin with, those of third parties included: a run that is the same everywhere, and what every
 * output must do.
 *
 * @module
 */
export {
  outputConformance,
  type Arrived,
  type ConformanceSetting,
  type ConformanceSubject,
  type Trouble,
} from './testing/conformance.ts'
export {
  fixtureRun,
  fixtureSeconds,
  fixtureStart,
  fixtureSummary,
  fixtureWarmUpSeconds,
  type FixtureOptions,
} from './testing/fixture-run.ts'
export { namesOf, type FixtureNames } from './testing/fixture-names.ts'
