/** `mocha --ui loads-runner/mocha example.ts`: every test class of the file is a suite. */
import { provideStandaloneFeeds } from './standalone-feeds.ts'

export { default } from '@loads-runner/testcase/mocha'
export * from '@loads-runner/testcase/mocha'

provideStandaloneFeeds()
