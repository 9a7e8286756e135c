import { element } from '../view/dom.ts'
import { ask } from './dialog.ts'

export type StopMode = 'drain' | 'cancel' | 'kill'

/** What stopping a run means next, as Ctrl-C does it: drain; again: cancel; a third time: kill. Pure. */
export function nextStop(state: string, asked: StopMode | null): StopMode {
  if (asked === 'cancel' || asked === 'kill') return 'kill'
  return asked === 'drain' || state === 'draining' ? 'cancel' : 'drain'
}

const texts: Readonly<Record<StopMode, { title: string; text: string; go: string }>> = {
  drain: {
    title: 'Stop the run?',
    text: 'Nothing new is started, and what is under way may finish. The summary tells of all that was done.',
    go: 'Stop',
  },
  cancel: {
    title: 'Cancel what is under way?',
    text: 'Executions that have not finished are cut off and count as interrupted.',
    go: 'Cancel executions',
  },
  kill: {
    title: 'Kill the run?',
    text: 'Its processes are ended at once. Figures that have not come yet are lost, and tests clean up nothing.',
    go: 'Kill',
  },
}

export async function confirmStop(mode: StopMode): Promise<boolean> {
  const { title, text, go } = texts[mode]
  const answer = await ask({
    title,
    content: [element('p', {}, text)],
    buttons: [
      { text: go, value: mode, kind: 'danger' },
      { text: 'Keep it running', value: '', kind: 'quiet' },
    ],
  })
  return answer === mode
}
