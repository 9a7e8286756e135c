import type { RunModel } from '../../src/model.ts'
import { element } from '../view/dom.ts'
import { renderRun } from '../view/run-pane.ts'
import { reasonsPanel, settingsPanel } from './settings.ts'
import { summaryPanels } from './summary-panels.ts'

/** The report of a run: its model is written into the page, as JSON in an element with the id `model`. */

const root = document.querySelector<HTMLElement>('#root') ?? document.body.appendChild(element('main'))
const written = document.querySelector('#model')?.textContent ?? ''
try {
  const model = JSON.parse(written) as RunModel
  document.title = `${model.summary?.verdict ?? model.head.state}: ${model.head.names.join(', ')}`.slice(
    0,
    200,
  )
  renderRun(root, model, { live: false })
  const run = root.querySelector('.run')
  run?.querySelector('.tiles')?.before(...reasonsPanel(model))
  run?.append(...summaryPanels(model), settingsPanel(model))
} catch (error) {
  root.append(
    element(
      'p',
      { class: 'empty' },
      `This report cannot be read: ${error instanceof Error ? error.message : String(error)}. ` +
        'Write it again with: loads report RUN',
    ),
  )
}
