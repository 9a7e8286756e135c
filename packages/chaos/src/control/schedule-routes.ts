import type { FaultSchedule } from '../schedule/fault-schedule.ts'
import { Fields } from './fields.ts'
import { badBody } from './refusal.ts'
import { json, nothing, type RouteModule } from './route.ts'

/**
 * A schedule that goes by somebody else's load: `POST /schedule` with `{"start": true}`, `{"phase": NAME}` or
 * `{"phaseEnds": NAME}`, and `DELETE /schedule`, which takes everything back and answers with what it could not.
 */
export function scheduleRoutes(schedule: FaultSchedule): RouteModule {
  return {
    routes: [
      {
        methods: ['POST'],
        path: '/schedule',
        answer: async (call) => {
          const fields = new Fields(await call.json())
          const [phase, ended] = [fields.text('phase'), fields.text('phaseends')]
          if (fields.flag('start') === true) schedule.start()
          else if (phase !== undefined) schedule.phase(phase)
          else if (ended !== undefined) schedule.phaseEnds(ended)
          else throw badBody('start, phase or phaseEnds is needed')
          return nothing
        },
      },
      { methods: ['DELETE'], path: '/schedule', answer: async () => json(200, await schedule.stop()) },
    ],
  }
}
