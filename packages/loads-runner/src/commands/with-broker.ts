import { BrokerConnection } from '../broker-connection.ts'
import type { Invocation } from '../read-settings.ts'
import { openStandingBroker } from '../standing-broker.ts'

/** Connects to the broker that `--broker` names for as long as `use` takes. */
export async function withBroker<T>(
  { settings }: Pick<Invocation, 'settings'>,
  use: (connection: BrokerConnection, dial: () => Promise<BrokerConnection>) => Promise<T>,
): Promise<T> {
  const { dialer } = await openStandingBroker(settings.broker!)
  const dial = () => BrokerConnection.open(dialer)
  const connection = await dial()
  try {
    return await use(connection, dial)
  } finally {
    await connection.close()
  }
}
