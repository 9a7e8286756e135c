import assert from 'node:assert/strict'
import type { Tags } from '@loads-runner/testcase'
import { Notes, notesLeftOut } from '../src/notes.ts'
import { closed, runSession } from './helpers/run-session.ts'
import { virtualTime } from './helpers/virtual-time.ts'

const example = (body: string, statics = '') => ({
  files: {
    'example.ts': `
import { TestCase } from '@loads-runner/testcase'
export class TestNotes extends TestCase {
  ${statics}
  async test_a() { ${body} }
}`,
  },
})

describe('Notes', () => {
  virtualTime()

  function open(): { notes: Notes; taken: [string, Tags][]; leftOut: number[] } {
    const taken: [string, Tags][] = []
    const leftOut: number[] = []
    const notes = new Notes(
      (text, tags) => taken.push([text, tags]),
      (count) => leftOut.push(count),
    )
    return { notes, taken, leftOut }
  }

  it('are cut to their limits, and never within a character', () => {
    const { notes, taken } = open()
    notes.take('x'.repeat(500), { a: 'b' })
    notes.take('x'.repeat(501), {})
    notes.take(`${'x'.repeat(496)}${'\u{1F600}'.repeat(9)}`, {})
    notes.take(
      'many',
      Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`t${index}`, 'y'.repeat(300)])),
    )
    assert.deepEqual(taken[0], ['x'.repeat(500), { a: 'b' }])
    assert.deepEqual(taken[1], [`${'x'.repeat(497)}...`, {}])
    assert.equal(taken[2]![0], `${'x'.repeat(496)}...`)
    const tags = Object.entries(taken[3]![1])
    assert.equal(tags.length, 20)
    assert.ok(tags.every(([, value]) => value === `${'y'.repeat(197)}...`))
  })

  it('are 20 at once, and what is left out is told once, also of what others left out', () => {
    const { notes, taken, leftOut } = open()
    for (let index = 0; index < 25; index++) notes.take(`note ${index}`, {})
    notes.leaveOut(7)
    assert.equal(taken.length, 20)
    notes.tell(performance.now())
    assert.deepEqual(leftOut, [])
    notes.tell(Infinity)
    notes.tell(Infinity)
    assert.deepEqual(leftOut, [12])
    assert.match(notesLeftOut(1), /^1 note was left out/)
  })
})

describe('this.annotate in a session', () => {
  for (const workers of [1, 0]) {
    it(`reaches the agent from ${workers === 0 ? 'the main thread' : 'a load thread'}, without secrets`, async () => {
      const statics = `
  static setUpAgent(run) { run.annotate('agent set up', { run: run.runId }) }
  static tearDownAgent(run) { run.annotate('agent torn down') }
  setUpUser() { this.annotate('user set up') }`
      const run = await runSession({
        ...example(
          `this.annotate('cache emptied by hush-hush', { node: 'db-' + this.user, key: process.env.KEY })`,
          statics,
        ),
        spec: { workers, secrets: { KEY: 'hush-hush' } },
      })
      assert.deepEqual(run.notes, [
        { text: 'agent set up', tags: { run: 'run-1' } },
        { text: 'user set up', tags: {} },
        { text: 'cache emptied by [redacted]', tags: { node: 'db-0', key: '[redacted]' } },
        { text: 'agent torn down', tags: {} },
      ])
      assert.equal(run.aggregate.tests().successes, 1)
    })
  }

  it('fails an execution that gives no text, or tags that are no words', async () => {
    const run = await runSession({
      ...example(
        `this.iteration === 0 ? this.annotate('') : this.annotate('x', { size: this.iteration as never })`,
      ),
      stages: [closed(1, 2)],
    })
    assert.deepEqual(run.notes, [])
    const groups = [...run.aggregate.series.values()].filter((each) => each.key.kind === 'error')
    assert.deepEqual(groups.map((each) => String(each.detail?.message)).sort(), [
      'annotate(""): a note needs a text',
      'annotate(): the tag "size" is 1; tags are words: give a string',
    ])
  })

  it('is no way to flood a run: 20 a second of a session, and one line about the rest', async () => {
    const run = await runSession({
      ...example(`for (let index = 0; index < 5000; index++) this.annotate('note ' + index)`),
      stages: [closed(4, 1)],
      spec: { workers: 2 },
    })
    const all = run.logs.map((text) => Number(/^(\d+) notes? w.* left out/.exec(text)![1]))
    assert.equal(run.notes.length + all.reduce((sum, count) => sum + count, 0), 20_000)
    // Both threads may get 20 as far as the session, which lets 20 pass: more only where all that took seconds.
    assert.ok(run.notes.length >= 20 && run.notes.length <= 20 * (1 + run.windows.at(-1)!.toMs / 1000))
    assert.ok(run.logs.length <= 1 + run.windows.at(-1)!.toMs / 1000, run.logs.join())
    assert.equal(run.aggregate.tests().successes, 4)
  })

  it('is given to setUpRun and tearDownRun, too, with the same limits', async () => {
    const statics = `
  static setUpRun(run) { run.annotate('filled', { rows: '10' }); return { annotates: typeof run.annotate } }
  static tearDownRun(run) { for (let index = 0; index < 30; index++) run.annotate('emptied ' + index) }`
    const run = await runSession({
      ...example('this.assertEqual(this.run.data.annotates, "function")', statics),
      conduct: true,
    })
    assert.deepEqual(run.notes[0], { text: 'filled', tags: { rows: '10' } })
    assert.equal(run.aggregate.tests().successes, 1)
    const [left] = run.logs.map((text) => Number(/^(\d+) notes? w.* left out/.exec(text)![1]))
    assert.equal(run.notes.length + left!, 31)
  })
})
