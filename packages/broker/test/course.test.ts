import assert from 'node:assert/strict'
import { runStages } from '@loads-runner/testcase/load'
import { hitsPerUser, profileOf, scenarioOf } from '@loads-runner/protocol/testing'
import { Course } from '../src/course.ts'

const stage = hitsPerUser(1, 1)

describe('course', () => {
  it('leads one scenario through its stages', () => {
    const course = new Course(runStages(profileOf(stage, stage)))
    assert.equal(course.note(), 'stage 1 of 2')
    assert.equal(course.isOver, false)
    assert.deepEqual(
      course.begin(50).map(({ stage, beginMs }) => [stage.number, beginMs]),
      [[0, 50]],
    )
    assert.deepEqual(
      course.advance(() => false, 60),
      [],
    )
    const [step] = course.advance(() => true, 70)
    assert.deepEqual([step!.ended.number, step!.next!.number], [0, 1])
    assert.equal(course.note(), 'stage 2 of 2')
    assert.equal(course.running()[0]!.beginMs, 70)
    assert.equal(course.advance(() => true, 80)[0]!.next, null)
    assert.ok(course.isOver)
    assert.deepEqual(
      course.advance(() => true, 90),
      [],
    )
  })

  it('leads several side by side, each at its own pace', () => {
    const scenarios = [
      scenarioOf({ name: 'browse', stages: [stage, stage, stage] }),
      scenarioOf({ name: 'buy', stages: [stage], startMs: 500 }),
    ]
    const course = new Course(runStages({ scenarios }))
    assert.equal(course.hasBegun(0), false)
    assert.deepEqual(
      course.begin(0).map(({ stage, beginMs }) => [stage.number, beginMs]),
      [
        [0, 0],
        [3, 500],
      ],
    )
    assert.equal(course.note(), 'scenario browse: stage 1 of 3, scenario buy: stage 1 of 1')
    assert.equal(course.latest, 3)
    course.advance((number) => number === 0, 10)
    assert.equal(course.latest, 1)
    assert.deepEqual(
      [0, 1, 2, 3].map((number) => course.hasBegun(number)),
      [true, true, false, true],
    )
    course.advance((number) => number === 3, 10)
    assert.equal(course.note(), 'scenario browse: stage 2 of 3')
    assert.equal(course.isOver, false)
    course.advance(() => true, 10)
    course.advance(() => true, 10)
    assert.ok(course.isOver)
  })
})
