import assert from 'node:assert/strict'
import type { ChaosEvent } from '@loads-runner/chaos'
import type { Annotation } from '@loads-runner/protocol'
import { FaultMarks } from '../../src/proxies/fault-marks.ts'

const rule = {
  name: 'slow',
  type: 'delay',
  stream: 'downstream',
  toxicity: 0.25,
  attributes: { sleep: 2 },
} as const

function change(what: 'added' | 'removed' | 'enabled' | 'disabled' | 'deleted', proxy = 'shop'): ChaosEvent {
  const isRule = what === 'added' || what === 'removed'
  return { type: 'change', at: 0, proxy, what, ...(isRule ? { rule } : {}) }
}

function injected(fault: string, proxy = 'shop'): ChaosEvent {
  return {
    type: 'fault',
    at: 0,
    proxy,
    connection: 1,
    rule: 'r',
    fault,
    direction: 'upstream',
    unit: 'request',
    ordinal: 1,
    draw: 0,
  }
}

describe('marks of faults', () => {
  let published: Annotation[] = []
  let marks: FaultMarks

  beforeEach(() => {
    published = []
    marks = new FaultMarks((annotation) => published.push(annotation))
  })

  it('begin with a rule and end with it, under one id', () => {
    marks.take(change('added'))
    marks.take(change('removed'))
    const base = { type: 'fault', id: 'shop/slow', name: 'shop: delay' }
    assert.deepEqual(published, [
      { ...base, state: 'begins', detail: '25 %, downstream, sleep 2' },
      { ...base, state: 'ends', detail: '' },
    ])
  })

  it('begin once, also where the rule was there before anybody listened', () => {
    marks.begin('shop', rule)
    marks.take(change('added'))
    assert.equal(published.length, 1)
    marks.take(change('removed'))
    marks.take(change('removed'))
    assert.equal(published.length, 2)
  })

  it('tell of a proxy that is down, and end with a proxy that is deleted', () => {
    for (const what of ['disabled', 'enabled', 'disabled'] as const) marks.take(change(what))
    marks.take(change('added'))
    marks.take(change('added', 'other'))
    marks.take(change('deleted'))
    const states = published.map((each) => (each.type === 'fault' ? `${each.name} ${each.state}` : ''))
    assert.deepEqual(states, [
      'shop: down begins',
      'shop: down ends',
      'shop: down begins',
      'shop: delay begins',
      'other: delay begins',
      'shop: down ends',
      'shop: delay ends',
    ])
  })

  it('count what was injected, per second, and its end as 0 once', () => {
    marks.tell(1)
    for (let count = 0; count < 5; count++) marks.take(injected('http_error'))
    marks.take(injected('delay', 'other'))
    marks.tell(2)
    marks.tell(1)
    marks.tell(1)
    assert.deepEqual(
      published.map((each) => (each.type === 'observation' ? each.values : each)),
      [
        { 'faults per second, shop: http_error': 2.5, 'faults per second, other: delay': 0.5 },
        { 'faults per second, shop: http_error': 0, 'faults per second, other: delay': 0 },
      ],
    )
    assert.deepEqual(
      [...marks.totals],
      [
        ['shop: http_error', 5],
        ['other: delay', 1],
      ],
    )
  })
})
