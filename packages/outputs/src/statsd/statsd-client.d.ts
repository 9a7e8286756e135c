/** The part of the package that is used here; it has no types of its own. */
declare module 'statsd-client' {
  type Tags = Readonly<Record<string, string>>

  export default class StatsDClient {
    constructor(options: {
      prefix?: string
      tags?: Tags
      _socket: { send(line: string): void; close(): void }
    })
    counter(name: string, delta: number, tags?: Tags): this
    gauge(name: string, value: number, tags?: Tags): this
  }
}
