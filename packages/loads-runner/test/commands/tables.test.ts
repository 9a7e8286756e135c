import assert from 'node:assert/strict'
import { checkRows, checkText } from '../../src/commands/check-cluster.ts'
import { runsText } from '../../src/commands/list-runs.ts'
import { pingText } from '../../src/commands/ping-broker.ts'
import { stats } from '../fixtures.ts'

const agent = {
  id: 'a1',
  host: 'h1',
  pid: 12,
  version: '0.1.0',
  slots: 2,
  busy: 1,
  labels: { zone: 'x' },
  runs: ['r1'],
}

describe('answers of a broker', () => {
  it('name agents', () => {
    const broker = {
      broker: 'b',
      version: '0.1.0',
      pid: 1,
      address: '127.0.0.1:7776',
      agents: [agent],
      activeRuns: 1,
    }
    assert.equal(
      pingText(broker, 1.25),
      'broker 127.0.0.1:7776 (version 0.1.0, pid 1) answered in 1.3 ms: 1 agent, 1 active run\n' +
        'agent  host  pid  version  busy  labels  runs\n' +
        'a1     h1     12  0.1.0     1/2  zone=x  r1\n',
    )
  })

  it('name runs', () => {
    const row = {
      runId: 'r1',
      state: 'running' as const,
      names: ['m.T'],
      project: 'shop',
      user: null,
      submittedAt: 0,
      startedAt: null,
      agents: ['a1'],
      hits: 1234,
      verdict: null,
      endedAt: null,
      labels: {},
    }
    assert.equal(runsText([]), 'no runs\n')
    assert.equal(
      runsText([row]),
      'run  state    verdict  submitted             agents   hits  by    tests\n' +
        'r1   running  -        1970-01-01T00:00:00Z       1  1,234  shop  m.T\n',
    )
  })

  it('tell who was checked', () => {
    const rows = checkRows([agent, { ...agent, id: 'a2' }], {
      counters: { 'checked a1': 1, 'answer a1 200': 1 },
      timings: { 'answer a1': stats({ count: 1, mean: 12 }) },
    })
    assert.deepEqual(
      rows.map(({ agent: id, ran, target, targetMs }) => [id, ran, target, targetMs]),
      [
        ['a1', true, '200', 12],
        ['a2', false, null, null],
      ],
    )
    const text = checkText(rows, { verdict: 'failed', reasons: ['no execution finished'] })
    assert.equal(
      text,
      'agent  host  version  test         target\n' +
        'a1     h1    0.1.0    ok           200 12ms\n' +
        'a2     h1    0.1.0    did not run  -\n' +
        '\n2 agents checked: failed\n  no execution finished\n',
    )
    const busy = [{ id: 'a3', runs: ['r1', 'r2'] }]
    assert.match(
      checkText(rows, { verdict: 'passed', reasons: [] }, busy),
      /\n\nnot checked: a3 is busy \(r1 r2\)\n2 agents checked: passed\n$/,
    )
  })
})
