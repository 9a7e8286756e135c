import { ControlServer, type ControlOptions } from '../../src/control/control-server.ts'
import { Proxies } from '../../src/proxy/proxies.ts'

export interface Answered {
  status: number
  headers: Headers
  text: string
  /** Of a body that is JSON. */
  json: any
}

/** A control server with proxies of its own. */
export class Control implements AsyncDisposable {
  readonly proxies: Proxies
  readonly server: ControlServer

  static async start(options: Partial<ControlOptions> = {}): Promise<Control> {
    const proxies = options.proxies ?? new Proxies({ seed: 1 })
    const server = await ControlServer.start({ port: 0, version: '0.1.0', ...options, proxies })
    return new Control(proxies, server)
  }

  private constructor(proxies: Proxies, server: ControlServer) {
    this.proxies = proxies
    this.server = server
  }

  get url(): string {
    return this.server.url
  }

  /** @param body as it is when a text, else as JSON */
  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answered> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    let json: unknown
    try {
      json = JSON.parse(text)
    } catch {}
    return { status: response.status, headers: response.headers, text, json }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close()
    await this.proxies.close()
  }
}
