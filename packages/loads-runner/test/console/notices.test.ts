import assert from 'node:assert/strict'
import type { RunEvent } from '@loads-runner/protocol'
import { hitsPerUser, scenarioOf } from '@loads-runner/protocol/testing'
import { noticesOf } from '../../src/console/notices.ts'
import { RunView } from '@loads-runner/history'
import { constantRate, constantUsers, EventMaker, spec } from '../fixtures.ts'

describe('noticesOf', () => {
  const told = (view: RunView, event: RunEvent): string[] => {
    const notices = noticesOf({ type: 'event', runId: 'r1', sequence: 1, skipped: 0, event }, view, false)
    view.apply(event)
    return notices
  }

  it('tells which scenarios and stages begin, each once', () => {
    const view = new RunView(() => 0)
    const maker = new EventMaker()
    const scenarios = [
      scenarioOf({ name: 'browsers', stages: [hitsPerUser(3, 20), constantUsers(5, 60_000)] }),
      scenarioOf({ name: 'buyers\u001b[2J', stages: [constantRate(20, 3000)], startMs: 1000 }),
    ]
    view.apply(maker.snapshot({ spec: spec({ profile: { scenarios } }) }))
    assert.deepEqual(told(view, maker.state('ready')), [])
    const first = told(view, maker.state('running'))
    assert.equal(first.length, 2)
    assert.match(first[0]!, /^scenario browsers: stage 1 of 2: 3 users/)
    assert.match(first[1]!, /^scenario buyers \[2J: 20\/s for 3s.* \(after 1s\)$/)
    const second = told(view, maker.state('running', 'scenario browsers: stage 2 of 2', 1))
    assert.equal(second.length, 1)
    assert.match(second[0]!, /^scenario browsers: stage 2 of 2: 5 users/)
    assert.deepEqual(told(view, maker.state('running', 'scenario browsers is through', 2)), [])
  })

  it('tells when a threshold is crossed and when it holds again, each time once', () => {
    const view = new RunView()
    view.apply(new EventMaker().snapshot())
    const stands = (ok: boolean | null, value: number | null): RunEvent => ({
      type: 'thresholds',
      at: 0,
      elapsedMs: 0,
      states: [{ expression: 'http_req_duration: p(95)<200', value, ok }],
    })
    assert.deepEqual(told(view, stands(null, null)), [])
    assert.deepEqual(told(view, stands(true, 100)), [])
    assert.deepEqual(told(view, stands(false, 250)), [
      '✗ threshold crossed: http_req_duration: p(95)<200 (250ms)',
    ])
    assert.deepEqual(told(view, stands(false, 260)), [])
    assert.deepEqual(told(view, stands(true, 190)), [
      '✓ threshold holds again: http_req_duration: p(95)<200 (190ms)',
    ])
  })

  it('tells what an operator has changed', () => {
    const view = new RunView()
    view.apply(new EventMaker().snapshot())
    const control = {
      type: 'control',
      at: 0,
      elapsedMs: 0,
      scenario: 'main',
      target: 50,
      by: 'me@host',
    } as const
    assert.deepEqual(told(view, { ...control, paused: false }), ['control: set to 50 (me@host)'])
    assert.deepEqual(told(view, { ...control, paused: true }), ['control: paused (me@host)'])
  })
})
