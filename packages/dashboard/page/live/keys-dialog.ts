import { element } from '../view/dom.ts'
import { ask } from './dialog.ts'

const keys: readonly [key: string, meaning: string][] = [
  ['j  k  ↓  ↑', 'next and previous run of the list'],
  ['Enter', 'open the run'],
  ['x', 'choose the run, to compare two'],
  ['c', 'compare the two that are chosen'],
  ['/', 'search'],
  ['g', 'back to the list'],
  ['t', 'theme: auto, light, dark'],
  ['← → + − 0', 'on a chart: move, zoom, show all'],
  ['Esc', 'close this, forget what was typed'],
]

/** What can be done without a mouse. */
export async function showKeys(): Promise<void> {
  await ask({
    title: 'Keys',
    content: [
      element(
        'dl',
        { class: 'keys' },
        ...keys.map(([key, meaning]) =>
          element(
            'div',
            {},
            element('dt', {}, ...key.split(/\s+/).map((each) => element('kbd', {}, each))),
            element('dd', {}, meaning),
          ),
        ),
      ),
    ],
    buttons: [{ text: 'Close', value: '', kind: 'quiet' }],
  })
}
