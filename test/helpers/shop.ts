import { startServer } from './own-server.ts'
import type { OwnServer } from './own-server.ts'

/** A target whose answers take 0 to 60 ms, and whose `/broken` is answered with 500. */
export function startShop(): Promise<OwnServer> {
  return startServer((request, response) => {
    if (request.url === '/broken') response.statusCode = 500
    setTimeout(() => response.end('{}'), (Number(request.url?.split('/')[2] ?? 0) * 7) % 60)
  })
}

/** Tests of several names that succeed, fail and err, in known proportions: four of them to one hit that failed. */
export const shopOf = (target: OwnServer) => ({
  'shop.ts': `
    import { TestCase } from 'loads-runner'
    export class TestShop extends TestCase {
      async test_buy() {
        await this.session.get('${target.url}/basket/' + (this.iteration % 9), { name: '/basket' })
        await this.session.get('${target.url}/fast/' + (this.iteration % 3), { name: '/fast' })
        if (this.iteration % 3 === 1) this.fail('sold out')
        if (this.iteration % 3 === 2) throw new TypeError('no such thing')
      }
      async test_look() {
        await this.session.get('${target.url}/broken', { name: '/broken' })
        this.incrCounter('looks')
      }
    }`,
})

/** The test of one request, as often as it is asked for. */
export const oneHit = (target: OwnServer) => ({
  'hit.ts': `
    import { TestCase } from 'loads-runner'
    export class TestHit extends TestCase {
      async test_hit() {
        await this.session.get('${target.url}/hit', { name: '/hit' })
      }
    }`,
})
