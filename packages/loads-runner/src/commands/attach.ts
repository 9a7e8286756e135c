import { openDisplay } from '../console/open-display.ts'
import { stopQuestion } from '../console/stop-question.ts'
import { inColor } from '../console/color.ts'
import { summaryText } from '../console/summary-text.ts'
import { worseOf } from '../exit-codes.ts'
import { exitCodeOfSignal, Interrupts } from '../interrupts.ts'
import type { Invocation } from '../read-settings.ts'
import { planOutputs } from '../outputs/planned-outputs.ts'
import { RunOutputs } from '../outputs/run-outputs.ts'
import { Secrets } from '@loads-runner/testcase/secrets'
import { watchRun } from '../watch-run.ts'
import type { DetachQuestion } from '../watch-run.ts'
import type { World } from '../world.ts'
import { displayStream, sayUnwritten, writeJsonFile } from './run.ts'
import { withBroker } from './with-broker.ts'

/** A watcher that is interrupted where nobody can be asked just goes: the run is not its own. */
const justDetach: DetachQuestion = () => Promise.resolve('detach')

/** `--attach [RUN]`: watches a run that somebody else has started; it writes nothing unless told. */
export async function attachCommand(world: World, invocation: Invocation): Promise<number> {
  const { settings } = invocation
  const display = openDisplay(displayStream(world, invocation), settings.quiet)
  const environment = {
    cwd: world.cwd,
    env: world.env,
    log: (level: string, text: string) => display.notice(`${level}: ${text}`),
  }
  const { here } = await planOutputs(settings, environment, true)
  const interrupts = new Interrupts(world)
  try {
    return await withBroker(invocation, async (connection, dial) => {
      const { runId } = await interrupts.race(
        connection.request('subscribe', { runId: settings.attach || null }),
      )
      const outputs = await RunOutputs.open(here, null, environment)
      const { view, how } = await watchRun({
        connection,
        runId,
        redial: dial,
        patienceMs: settings.maxOrphanTime,
        display,
        debug: settings.debug,
        interrupts,
        secrets: new Secrets([]),
        askToDetach: stopQuestion(world) ?? justDetach,
        // Whoever started the run was not interrupted.
        stopReason: 'operator',
        onMessage: ({ event }) => outputs?.take(event),
        prepare: () => null,
      })
      const unwritten = (await outputs?.finish()) ?? []
      const { summary } = view
      if (summary === null) {
        if (how === 'detached') display.text(`Run ${runId} goes on.\n`)
        return how === 'detached' ? 0 : exitCodeOfSignal(interrupts.first ?? 'SIGINT')
      }
      const written = [
        await writeJsonFile(world, invocation, summary),
        sayUnwritten(world, { unwritten }),
      ].reduce(worseOf)
      display.text(inColor(summaryText(summary), displayStream(world, invocation), world.env))
      return written === 0 ? summary.exitCode : written
    })
  } finally {
    interrupts.close()
  }
}
