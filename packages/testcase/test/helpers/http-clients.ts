/**
 * The conformance suite of HTTP clients: runs the same tests over sockets of our own, and over undici alone, which does
 * what the sockets cannot.
 */
export function eachHttpClient(title: string, suite: () => void): void {
  for (const client of ['sockets', 'undici']) {
    describe(`${title}, over ${client}`, () => {
      before(() => {
        process.env['LOADS_HTTP_CLIENT'] = client
      })
      after(() => {
        delete process.env['LOADS_HTTP_CLIENT']
      })
      suite()
    })
  }
}
