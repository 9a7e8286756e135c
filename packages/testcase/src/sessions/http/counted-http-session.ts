import { outsideInstrumentation } from '../../instrument/running-user.ts'
import { HttpSession } from './http-session.ts'
import type { RequestOptions } from './http-request.ts'
import type { HttpResponse } from './response.ts'

/** The session of a user whose other clients are measured by what they publish: its own requests are hits already. */
export class CountedHttpSession extends HttpSession {
  override request(method: string, url: string, options?: RequestOptions): Promise<HttpResponse> {
    return outsideInstrumentation(() => super.request(method, url, options))
  }
}
