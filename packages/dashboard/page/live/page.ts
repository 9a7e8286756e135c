import type { ApiClient } from './api-client.ts'
import type { ConnectionStatus } from './connection-status.ts'
import type { Route } from './route.ts'

/** What the app shows for a route. */
export interface Page {
  readonly root: HTMLElement
  /** A key that no field takes: true when the page has used it. */
  pressed?(event: KeyboardEvent): boolean
  destroy(): void
}

/** What a page may do with what is around it. */
export interface PageFrame {
  readonly api: ApiClient
  go(route: Route): void
  /** Where the reader is, after `Runs`. */
  setTitle(title: string): void
  setStatus(status: ConnectionStatus | null): void
  /** Says something to those who hear the page. */
  announce(text: string): void
}
