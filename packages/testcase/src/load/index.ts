/** How much load a run makes, when, and who makes which part of it: data and pure functions. */
export * from './model.ts'
export * from './profile.ts'
