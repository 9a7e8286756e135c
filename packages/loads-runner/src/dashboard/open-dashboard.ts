import { randomBytes } from 'node:crypto'
import type { DashboardServer as Server } from '@loads-runner/dashboard'
import type { Dialer } from '@loads-runner/protocol'
import type { Secrets } from '@loads-runner/testcase/secrets'
import { version } from '../version.ts'
import { BrokerRuns } from './broker-runs.ts'

/** A broker that has told us of the end of a run tells the page as well; for so long it is waited for. Milliseconds. */
const patienceMs = 2_000

/** Where the page is where nothing else is said. */
const usual = { host: '127.0.0.1', port: 7777 }

export interface DashboardOptions {
  dialer: Dialer
  secrets: Secrets
  /** Null: the usual place, or any free port. */
  bind: { host: string; port: number } | null
  /** Directories with past runs. */
  roots: readonly string[]
  token: string
  /** Names besides addresses and localhost by which it is reached. */
  hostNames: readonly string[]
  onTrouble: (text: string) => void
}

/** A page of the runs of a broker. */
export interface Dashboard {
  /** Its address, without the token. */
  readonly url: string
  /** Resolves soon: those who look at the run were told of its end. */
  toldEnd(runId: string): Promise<void>
  close(): Promise<void>
}

/** A token nobody guesses. */
export function createDashboardToken(): string {
  return randomBytes(24).toString('base64url')
}

/** @throws {DashboardError} DASHBOARD_PORT when the place is taken */
export async function openDashboard(options: DashboardOptions): Promise<Dashboard> {
  const { dialer, secrets, bind, roots, token, hostNames, onTrouble } = options
  const [{ DashboardServer }, { StoredRuns }] = await Promise.all([
    import('@loads-runner/dashboard'),
    import('./past-runs.ts'),
  ])
  const source = new BrokerRuns({ dialer, secrets, onTrouble })
  const start = (place: { host: string; port: number }): Promise<Server> =>
    DashboardServer.start({ ...place, source, past: new StoredRuns(roots), token, hostNames, version })
  try {
    const server = await start(bind ?? usual).catch((error: unknown) => {
      if (bind !== null || (error as { code?: unknown }).code !== 'DASHBOARD_PORT') throw error
      return start({ ...usual, port: 0 })
    })
    return {
      url: server.url,
      toldEnd: (runId) => server.toldEnd(runId, patienceMs),
      close: async () => {
        await server.close()
        await source.close()
      },
    }
  } catch (error) {
    await source.close()
    throw error
  }
}
