import type { UserContext } from './context.ts'
import { statusOfError } from './error-status.ts'
import { outsideInstrumentation } from './instrument/running-user.ts'
import type { Tags } from './meter.ts'

/** Runs an action as one hit of the kind `call`; what it throws is thrown on. */
export async function measureCall<T>(
  context: UserContext,
  name: string,
  action: () => T | PromiseLike<T>,
  tags: Tags | null,
): Promise<T> {
  const startedAt = performance.now()
  const end = (status: string, failed: boolean) => {
    const micros = Math.round((performance.now() - startedAt) * 1000)
    context.meter.hit('call', name, '', status, failed, micros, 0, 0, tags)
  }
  try {
    // One hit is one hit, also in a class whose clients are measured by themselves.
    const value = await outsideInstrumentation(action)
    end('ok', false)
    return value
  } catch (error) {
    const status = statusOfError(error, context.signal)
    end(status, status !== 'interrupted')
    throw error
  }
}
