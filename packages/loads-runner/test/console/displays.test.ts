import assert from 'node:assert/strict'
import { profileOf, scenarioOf } from '@loads-runner/protocol/testing'
import { BarDisplay, barLine, fitLines } from '../../src/console/bar-display.ts'
import { liveLines } from '../../src/console/live-lines.ts'
import { silentDisplay } from '../../src/console/display.ts'
import { openDisplay } from '../../src/console/open-display.ts'
import { percentOf } from '../../src/console/progress-bar.ts'
import { fitFields, startFields, statusFields } from '../../src/console/status-line.ts'
import { RunView } from '@loads-runner/history'
import { FakeOutput } from '../fake-world.ts'
import {
  agentView,
  constantRate,
  constantUsers,
  EventMaker,
  executionKey,
  hitKey,
  spec,
  summary,
} from '../fixtures.ts'

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

/** What a terminal shows after these writes. Fails on anything that it does not know. */
function visible(content: string): string[] {
  const lines: string[] = ['']
  let row = 0
  let column = 0
  // oxlint-disable-next-line no-control-regex
  for (const [token, code] of content.matchAll(/\u001b\[(\??\d+[A-Za-z])|[^]/g)) {
    if (code === undefined && token === '\n') {
      row++
      column = 0
      lines[row] ??= ''
    } else if (code === undefined && token === '\r') column = 0
    else if (code === undefined) {
      assert.notEqual(token, '\u001b')
      lines[row] = lines[row]!.slice(0, column).padEnd(column) + token + lines[row]!.slice(column + 1)
      column++
    } else if (code.endsWith('A')) {
      row -= Number(code.slice(0, -1))
      assert.ok(row >= 0, 'the cursor never leaves what is ours')
    } else if (code.endsWith('B')) row += Number(code.slice(0, -1))
    else if (code === '2K') lines[row] = ''
    else if (code === '0K') lines[row] = lines[row]!.slice(0, column)
    else if (code === '0J') {
      lines.length = row + 1
      lines[row] = lines[row]!.slice(0, column)
    } else assert.match(code, /^(?:\?25[hl]|\d+m)$/)
  }
  // What is below the cursor is blank.
  assert.deepEqual(lines.slice(row + 1).filter(Boolean), [])
  return lines.slice(0, row + 1)
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

/** An open model of two scenarios in mid-run. */
function openRun(thresholds = 2): { view: RunView; maker: EventMaker } {
  let now = 0
  const view = new RunView(() => now)
  const maker = new EventMaker()
  const scenarios = [
    scenarioOf({ name: 'browsers', stages: [constantUsers(2, 10_000)] }),
    scenarioOf({ name: 'buyers\u001b[2J', stages: [constantRate(100, 10_000)] }),
  ]
  const states = Array.from({ length: thresholds }, (_, index) => ({
    expression: `errors{test:t${index}}: rate<0.01`,
    value: index === 1 ? 0.05 : 0.001,
    ok: index !== 1,
  }))
  view.apply(maker.snapshot({ spec: spec({ profile: { scenarios } }), thresholds: states }))
  view.apply(maker.state('running'))
  const response = { ...hitKey('buyers\u001b[2J'), kind: 'hit-response' } as const
  const latenessKey = { ...response, kind: 'lateness' } as const
  for (const second of [1, 2, 3]) {
    now = second * 1000
    view.apply(
      maker.commitOf(
        [
          [hitKey('browsers'), 5, 10_000],
          [executionKey('failure', 'browsers'), 1, 20_000],
          [response, 50, 250_000],
          [latenessKey, 90, 1000],
        ],
        1,
        {
          planned: 100 * second,
          started: 90 * second,
          dropped: 5 * second,
          generator: { eventLoopLagMs: 35, cpu: 1, latenessMs: 240 },
        },
      ),
    )
  }
  return { view, maker }
}

describe('the lines above the bar', () => {
  it('are none for a plain run', () => {
    assert.deepEqual(liveLines(halfWay().view), [])
  })

  it('show the schedule, response times, scenarios, thresholds and a generator that is late', () => {
    assert.deepEqual(
      liveLines(openRun().view).map(({ text, style }) => `${style}: ${text}`),
      [
        'bad: starts       DROPPED 15 (5/s)  planned 100/s  started 90/s  late 240ms',
        'plain: response     p50 251ms  p95 251ms  p99 251ms  (service p95 10ms)',
        'doubtful: browsers     3 executions  1/s  p95 10ms  3 errors',
        'plain: buyers [2J   0 executions  0/s  p95 -  0 errors',
        'bad: ✗ errors{test:t1}: rate<0.01  5%',
        'good: ✓ errors{test:t0}: rate<0.01  0.1%',
        'doubtful: generator    late by 35ms: figures of this moment are doubtful',
      ],
    )
  })

  it('show the warm-up while it lasts', () => {
    const view = new RunView(() => 0)
    const maker = new EventMaker()
    view.apply(maker.snapshot({ spec: spec({ warmUpMs: 5000 }) }))
    view.apply(maker.state('running'))
    view.apply(maker.commit(3, { warmUp: true }))
    assert.deepEqual(
      liveLines(view).map(({ text }) => text),
      ['warm-up      figures count in 4s (3 hits so far)'],
    )
    assert.ok(statusFields(view).includes('warm-up'))
  })

  it('say what an operator has set', () => {
    const { view } = halfWay()
    view.apply({
      type: 'control',
      at: 0,
      elapsedMs: 0,
      scenario: 'main',
      target: 50,
      paused: false,
      by: 'me',
    })
    assert.deepEqual(liveLines(view), [{ text: 'control      set to 50', style: 'plain' }])
    view.apply({ type: 'control', at: 0, elapsedMs: 0, scenario: 'main', target: 50, paused: true, by: 'me' })
    assert.equal(liveLines(view)[0]!.text, 'control      set to 50, paused')
  })

  it('stay few: thresholds that are crossed come first', () => {
    const lines = liveLines(openRun(30).view).map(({ text }) => text)
    assert.equal(lines.filter((text) => /^[✓✗…]/.test(text)).length, 5)
    assert.match(lines[4]!, /^✗ errors\{test:t1\}/)
    assert.ok(lines.includes('and 25 more thresholds'))
  })

  it('fit into any terminal', () => {
    const lines = liveLines(openRun().view)
    for (let width = 1; width < 120; width++)
      for (const { text } of fitLines(lines, width, 5)) assert.ok(text.length <= width)
    assert.equal(fitLines(lines, 80, 3).length, 3)
    assert.deepEqual(fitLines(lines, 80, 0), [])
  })

  it('are drawn in place, and notices scroll away above them', async () => {
    const stream = new FakeOutput(100)
    const display = new BarDisplay(stream, { NO_COLOR: '1' })
    const { view, maker } = openRun()
    display.notice('before')
    await display.follow(view)
    display.notice('agent a2 is lost')
    const lines = visible(stream.content)
    assert.deepEqual(lines.slice(0, 2), ['before', 'agent a2 is lost'])
    assert.match(lines[2]!, /^starts /)
    assert.equal(lines.length, 2 + 7 + 1)
    assert.match(lines.at(-1)!, /^\[=+-+\]  30%/)
    view.apply({ type: 'thresholds', at: 0, elapsedMs: 0, states: [] })
    display.notice('fewer')
    assert.equal(visible(stream.content).length, 3 + 5 + 1)
    view.apply(maker.finished())
    display.leave()
    assert.deepEqual(visible(stream.content).slice(3), [fullBar.trimEnd(), ''])
  })

  it('have colors where the terminal wants them', async () => {
    for (const [env, colored] of [
      [{}, true],
      [{ NO_COLOR: '1' }, false],
    ] as const) {
      const stream = new FakeOutput(100)
      const display = new BarDisplay(stream, env)
      await display.follow(openRun().view)
      display.leave()
      assert.equal(stream.content.includes('\u001b[31m'), colored)
    }
  })
})

describe('plain lines', () => {
  it('say how the schedule goes, and what is crossed', () => {
    const { view } = openRun()
    const text = fitFields([...statusFields(view), ...startFields(view)], 200)
    assert.match(text, /15 dropped  1 threshold crossed/)
    assert.match(text, /planned 100\/s  late 240ms  response p95 251ms$/)
    assert.deepEqual(startFields(halfWay().view), [])
  })

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
    const profile = profileOf(constantUsers(1, 65_000))
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
