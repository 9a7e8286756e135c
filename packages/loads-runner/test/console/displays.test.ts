import assert from 'node:assert/strict'
import { barLine } from '../../src/console/bar-display.ts'
import { silentDisplay } from '../../src/console/display.ts'
import { openDisplay } from '../../src/console/open-display.ts'
import { percentOf } from '../../src/console/progress-bar.ts'
import { fitFields, statusFields } from '../../src/console/status-line.ts'
import { RunView } from '../../src/run-view.ts'
import { FakeOutput } from '../fake-world.ts'
import { agentView, EventMaker, spec, summary } from '../fixtures.ts'

const fullBar = `[${'='.repeat(47)}]  100%\n`

function halfWay(): { view: RunView; maker: EventMaker } {
  let now = 0
  const view = new RunView(() => now)
  const maker = new EventMaker()
  view.apply(maker.snapshot())
  view.apply(maker.state('running'))
  now = 1000
  view.apply(maker.commit(5))
  return { view, maker }
}

/** What a terminal of one line shows after these writes. Fails on anything that it does not know. */
function visible(content: string): string[] {
  const lines: string[] = []
  let line = ''
  let column = 0
  // oxlint-disable-next-line no-control-regex
  for (const [token, code] of content.matchAll(/\u001b\[(\??\d+[A-Za-z])|[^]/g)) {
    if (code === undefined && token === '\n') {
      lines.push(line)
      ;[line, column] = ['', 0]
    } else if (code === undefined) {
      assert.notEqual(token, '\u001b')
      line = line.slice(0, column).padEnd(column) + token + line.slice(column + 1)
      column++
    } else if (code.endsWith('G')) column = Number(code.slice(0, -1)) - 1
    else if (code === '0K') line = line.slice(0, column)
    else if (code === '2K') line = ''
    else assert.match(code, /^\?25[hl]$/)
  }
  return [...lines, line]
}

describe('the bar of a terminal', () => {
  it('stands on the last line, notices above it', async () => {
    const stream = new FakeOutput(100)
    const display = openDisplay(stream, false)
    const { view, maker } = halfWay()
    display.notice('before')
    await display.follow(view)
    display.notice('agent a2 is lost')
    display.notice('and so on')
    const lines = visible(stream.content)
    assert.deepEqual(lines.slice(0, 3), ['before', 'agent a2 is lost', 'and so on'])
    assert.equal(lines.length, 4)
    assert.match(lines[3]!, /^\[=+-+\]  50%  0:01  5 hits  5\/s  0 errors/)
    view.apply(maker.commit(5))
    view.apply(maker.finished())
    display.leave()
    assert.deepEqual(visible(stream.content).slice(3), [fullBar.trimEnd(), ''])
    assert.ok(
      stream.content.lastIndexOf('\u001b[?25h') > stream.content.lastIndexOf('\u001b[?25l'),
      'the cursor is back',
    )
  })

  it('leaves nothing behind when the run was cut short', async () => {
    const stream = new FakeOutput(100)
    const display = openDisplay(stream, false)
    const { view, maker } = halfWay()
    await display.follow(view)
    view.apply(maker.finished(summary({ verdict: 'aborted', exitCode: 130 })))
    display.leave()
    assert.deepEqual(visible(stream.content), [''])
    display.notice('after')
    assert.deepEqual(visible(stream.content), ['after', ''])
  })

  it('hides while somebody is asked', async () => {
    const stream = new FakeOutput(100)
    const display = openDisplay(stream, false)
    await display.follow(halfWay().view)
    display.pause()
    display.notice('a question')
    assert.deepEqual(visible(stream.content), ['a question', ''])
    display.resume()
    assert.match(visible(stream.content)[1]!, /50%/)
    display.leave()
  })

  it('fits into any width', () => {
    const { view } = halfWay()
    for (let width = 20; width <= 250; width++) {
      const { bar, figures } = barLine(view, width)
      assert.ok(bar >= 1 && bar <= 47)
      assert.ok(bar + figures.length + 6 <= width, `width ${width}: ${bar} and "${figures}"`)
    }
    assert.match(barLine(view, 250).figures, /1 agent$/)
    assert.equal(barLine(view, 20).figures.trim(), '50%')
  })

  it('writes nothing to a terminal that has gone', async () => {
    const stream = new FakeOutput(100)
    const display = openDisplay(stream, false)
    await display.follow(halfWay().view)
    stream.closed = true
    const before = stream.content
    display.notice('x')
    display.leave()
    assert.equal(stream.content, before)
  })
})

describe('plain lines', () => {
  it('show notices, and the full bar at the end', async () => {
    const stream = new FakeOutput()
    const display = openDisplay(stream, false)
    const { view, maker } = halfWay()
    await display.follow(view)
    display.notice('agent a2 is lost')
    view.apply(maker.finished())
    display.leave()
    assert.equal(stream.content, `agent a2 is lost\n${fullBar}`)
  })
})

describe('openDisplay', () => {
  it('is silent when told', () => {
    assert.equal(openDisplay(new FakeOutput(100), true), silentDisplay)
  })
})

describe('statusFields', () => {
  it('says what a run is waiting for', () => {
    const view = new RunView()
    const maker = new EventMaker()
    view.apply(maker.snapshot({ agents: [agentView('a1', 'preparing'), agentView('a2', 'prepared')] }))
    assert.deepEqual(statusFields(view), ['waiting for agents'])
    view.apply(maker.state('queued', 'waiting for 2 free agents'))
    assert.deepEqual(statusFields(view), ['waiting for 2 free agents'])
    view.apply(maker.state('preparing'))
    assert.deepEqual(statusFields(view), ['loading tests (1 of 2 agents ready)'])
  })

  it('counts agents that are lost', () => {
    const { view } = halfWay()
    view.apply({ type: 'agent', at: 0, agent: agentView('a2', 'lost'), note: '' })
    assert.ok(statusFields(view).includes('2 agents (1 lost)'))
  })

  it('shows how long a timed run will last', () => {
    const view = new RunView(() => 0)
    const stages = [{ users: 1, iterations: null, durationMs: 65_000 }]
    const profile = { stages, rampUpMs: 0, delayMs: 0 }
    view.apply(new EventMaker().snapshot({ state: 'running', elapsedMs: 5000, spec: spec({ profile }) }))
    assert.equal(statusFields(view)[0], '0:05/1:05')
  })

  it('leaves out what does not fit, from the end', () => {
    assert.equal(fitFields(['one', 'two', 'three'], 8), 'one  two')
    assert.equal(fitFields(['one', 'two', 'three'], 7), 'one')
    assert.equal(fitFields(['one'], 2), 'on')
    assert.equal(fitFields(['one'], -1), '')
    assert.equal(fitFields(['one', ['two or three', 'two'], 'four'], 15), 'one  two  four')
    assert.equal(fitFields([['three', 'two']], 2), 'tw')
  })
})

describe('percentOf', () => {
  it('says 100 only when all is done', () => {
    const view = { progress: () => 0.9999 } as RunView
    assert.equal(percentOf(view), '99%')
    assert.equal(percentOf({ progress: () => 1 } as RunView), '100%')
  })
})
