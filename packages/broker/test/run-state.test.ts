import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { RunState } from '@loads-runner/protocol'
import { IllegalMoveError } from '../src/errors.ts'
import { isEnd, moves, RunStateMachine } from '../src/run-state.ts'

const states = Object.keys(moves) as RunState[]

describe('RunStateMachine', () => {
  it('starts queued, tells of every move, and knows an end', () => {
    const told: string[] = []
    const machine = new RunStateMachine('r1', (state, note) => told.push(`${state}: ${note}`))
    assert.equal(machine.current, 'queued')
    machine.move('preparing', 'on a1')
    machine.move('failed', 'a1 cannot run')
    assert.deepEqual(told, ['preparing: on a1', 'failed: a1 cannot run'])
    assert.equal(machine.ended, true)
  })

  it('names both states when a move is illegal, and stays where it is', () => {
    const machine = new RunStateMachine('r1', () => assert.fail('nothing moved'))
    assert.throws(
      () => machine.move('done', ''),
      (error) => {
        assert.ok(error instanceof IllegalMoveError)
        assert.equal(error.code, 'BROKER_ILLEGAL_MOVE')
        assert.match(error.message, /run r1 is queued and cannot become done/)
        return true
      },
    )
    assert.equal(machine.current, 'queued')
  })

  it('never leaves an end and never returns, whatever is tried', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...states), { maxLength: 30 }), (tries) => {
        const visited: RunState[] = ['queued']
        const machine = new RunStateMachine('r1', (state) => visited.push(state))
        for (const state of tries) {
          const before = machine.current
          try {
            machine.move(state, '')
          } catch {
            assert.equal(machine.current, before)
          }
        }
        assert.equal(new Set(visited).size, visited.length)
        assert.ok(visited.slice(0, -1).every((state) => !isEnd(state)))
      }),
    )
  })

  it('can reach an end from every state that is none', () => {
    for (const state of states) if (!isEnd(state)) assert.ok(moves[state].some(isEnd), state)
  })
})
