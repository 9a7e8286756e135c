import { Arrivals } from './arrivals.ts'
import { ClosedUsers } from './closed-users.ts'
import type { Executor, ExecutorOptions } from './executor.ts'
import { RampingUsers } from './ramping-users.ts'
import { SharedHits } from './shared-hits.ts'

/** The executor of a load model. */
export function makeExecutor(options: ExecutorOptions): Executor {
  const { model } = options.view.run
  switch (model.type) {
    case 'constant-users':
    case 'hits-per-user':
      return new ClosedUsers(options, model)
    case 'shared-hits':
      return new SharedHits(options, model)
    case 'ramping-users':
      return new RampingUsers(options, model)
    case 'constant-rate':
    case 'ramping-rate':
      return new Arrivals(options, model)
    case 'externally-controlled':
      return model.controls === 'rate' ? new Arrivals(options, model) : new RampingUsers(options, model)
  }
}
