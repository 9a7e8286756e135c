/** How much load a run makes, when, and who makes which part of it: data and pure functions. */
export * from './executions.ts'
export * from './model.ts'
export * from './pause.ts'
export * from './profile.ts'
export * from './ranks.ts'
export { RateCurve, type RateModel } from './rate-curve.ts'
export * from './rate-schedule.ts'
export * from './user-line.ts'
