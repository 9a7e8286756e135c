/** `mocha --ui loads-runner/mocha example.ts`: every test class of the file is a suite. */
import testcaseInterface from '@loads-runner/testcase/mocha'
import { proxiesForMocha } from './proxies/mocha-proxies.ts'
import { provideStandaloneFeeds } from './standalone-feeds.ts'

provideStandaloneFeeds()

type Root = Parameters<typeof testcaseInterface>[0] & Parameters<typeof proxiesForMocha>[0]

export default function loadsInterface(root: Root): void {
  testcaseInterface(root)
  proxiesForMocha(root)
}

loadsInterface.description = testcaseInterface.description
