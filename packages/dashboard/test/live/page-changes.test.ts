import assert from 'node:assert/strict'
import type { RunEvent } from '@loads-runner/protocol'
import { controlledUsers, scenarioOf } from '@loads-runner/protocol/testing'
import type { ScriptedRun, ScriptOptions } from '../support/scripted-run.ts'
import { countedHits, Stage, token } from './support/stage.ts'

const controlled = scenarioOf({
  name: 'buyers',
  stages: [controlledUsers()],
})

describe('changes through the live page', function () {
  this.timeout(120_000)
  const stage = new Stage()

  describe('changes', () => {
    async function openControlled(hash = '#/runs/run-1'): Promise<ScriptedRun> {
      const spec = { profile: { scenarios: [controlled] } } as NonNullable<ScriptOptions['spec']>
      const run = stage.began('run-1', { spec })
      await stage.open(hash)
      await stage.page.locator('.tile').first().waitFor()
      return run
    }

    const giveToken = async (text: string) => {
      await stage.page.locator('#token').fill(text)
      await stage.page.keyboard.press('Enter')
    }

    it('need the token: without it nothing happens, a wrong one is said, the right one is kept', async () => {
      await openControlled()
      await stage.page.getByRole('button', { name: 'Stop' }).click()
      await stage.page.locator('dialog').getByRole('button', { name: 'Stop' }).click()
      await stage.page.locator('#token').waitFor()
      await stage.page.keyboard.press('Escape')
      await stage.page.locator('.answer', { hasText: 'nothing was changed' }).waitFor()
      assert.deepEqual(stage.source.asked, [])

      await stage.page.getByRole('button', { name: 'Stop' }).click()
      await stage.page.locator('dialog').getByRole('button', { name: 'Stop' }).click()
      await giveToken('not-the-token-of-the-tests')
      await stage.page.locator('dialog .trouble', { hasText: 'not the token' }).waitFor()
      assert.deepEqual(stage.source.asked, [])
      await giveToken(token)
      await stage.page.locator('.answer', { hasText: 'the run stops' }).waitFor()
      assert.deepEqual(stage.source.asked, [['stop', 'run-1', 'drain']])

      // The second time it is a cancellation, the third time the end; the token is known.
      for (const [name, mode] of [
        ['Cancel now', 'cancel'],
        ['Kill', 'kill'],
      ] as const) {
        await stage.page.getByRole('button', { name }).click()
        await stage.page.locator('dialog .danger').click()
        await stage.page.locator('.answer', { hasText: mode }).waitFor()
        assert.deepEqual(stage.source.asked.at(-1), ['stop', 'run-1', mode])
      }
    })

    it('take the token from the address, once, and remove it from there', async () => {
      await openControlled(`#/runs/run-1?token=${token}`)
      assert.equal(new URL(stage.page.url()).hash, '#/runs/run-1')
      assert.doesNotMatch(await stage.page.content(), /a-token-of-the-tests/)
      await stage.page.locator('#note').fill('deployed 1.4.2')
      await stage.page.keyboard.press('Enter')
      await stage.page.locator('.answer', { hasText: 'the note is in the run' }).waitFor()
      assert.deepEqual(stage.source.asked, [
        ['annotate', 'run-1', { type: 'note', text: 'deployed 1.4.2', tags: {} }],
      ])
      assert.equal(await stage.page.locator('#note').inputValue(), '')
      await stage.page.reload()
      await stage.page.locator('#note').fill('again')
      await stage.page.keyboard.press('Enter')
      await stage.page.locator('.answer', { hasText: 'the note is in the run' }).waitFor()
      assert.equal(stage.source.asked.length, 2)
    })

    it('set users, pause and resume, and show who has changed what', async () => {
      const run = await openControlled(`#/runs/run-1?token=${token}`)
      const field = stage.page.getByLabel('buyers: users')
      assert.equal(await field.inputValue(), '2')
      await field.fill('12')
      // What is being written is not overwritten by figures that come meanwhile.
      stage.source.say('run-1', run.second())
      await stage.untilHits(countedHits(run))
      assert.equal(await field.inputValue(), '12')
      await field.press('Enter')
      await stage.page.locator('.answer', { hasText: 'buyers is set to 12' }).waitFor()
      assert.deepEqual(stage.source.asked.at(-1), [
        'control',
        'run-1',
        { scenario: 'buyers', target: 12, paused: null },
      ])
      const control: RunEvent = {
        type: 'control',
        at: Date.now(),
        elapsedMs: 6_000,
        scenario: 'buyers',
        target: 12,
        paused: false,
        by: 'ada@lab',
      }
      stage.source.say('run-1', control)
      await stage.page.locator('.changes li', { hasText: 'ada@lab' }).waitFor()
      assert.match(await stage.page.locator('.changes').innerText(), /0:06\s+set to 12 users\s+ada@lab/)
      assert.equal(await field.inputValue(), '12')

      await stage.page.getByRole('button', { name: 'Pause' }).click()
      await stage.page.locator('.answer', { hasText: 'paused' }).waitFor()
      assert.deepEqual(stage.source.asked.at(-1), [
        'control',
        'run-1',
        { scenario: 'buyers', target: null, paused: true },
      ])
      stage.source.say('run-1', { ...control, paused: true })
      await stage.page.getByRole('button', { name: 'Resume' }).waitFor()
    })

    it('say why they are refused', async () => {
      await openControlled(`#/runs/run-1?token=${token}`)
      stage.source.refusal = Object.assign(new Error('buyers cannot have 21 users: it has 20 at most'), {
        code: 'BAD_TARGET',
      })
      await stage.page.getByLabel('buyers: users').fill('21')
      await stage.page.keyboard.press('Enter')
      await stage.page.locator('.answer[data-tone=bad]', { hasText: '20 at most' }).waitFor()
      // What holds is shown again.
      assert.equal(await stage.page.getByLabel('buyers: users').inputValue(), '2')
    })
  })

  describe('where reading needs the token', () => {
    beforeEach(async () => {
      await stage.serve(0, '0.0.0.0')
      stage.began('run-1')
    })

    it('is asked for once, and then everything is shown', async () => {
      await stage.open('')
      await stage.page.locator('#token').fill(token)
      await stage.page.keyboard.press('Enter')
      await stage.page.locator('.tile').first().waitFor()
      await stage.untilStatus('live')
      assert.equal(await stage.page.locator('dialog').count(), 0)
    })

    it('is taken from the address', async () => {
      await stage.open(`#/runs/run-1?token=${token}`)
      await stage.page.locator('.tile').first().waitFor()
      await stage.untilStatus('live')
    })

    it('shows nothing to those who do not have it, and says so', async () => {
      await stage.open('#/runs/run-1')
      await stage.page.locator('#token').waitFor()
      await stage.page.keyboard.press('Escape')
      await stage.untilStatus('refused')
      assert.match(await stage.page.locator('.wait').innerText(), /those who have the token/)
      assert.equal(await stage.page.locator('.tile').count(), 0)
    })
  })
})
