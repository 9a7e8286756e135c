import assert from 'node:assert/strict'
import { checkLimits, openFilesOf, portsOf, readHostLimits } from '../src/host-limits.ts'

describe('host limits', () => {
  const limits = { openFiles: 1024, ports: 28_232 }

  it('refuses more users than files, with the ways out', () => {
    assert.deepEqual(checkLimits({ users: 960, usersPerProcess: 960 }, limits).errors, [])
    const { errors } = checkLimits({ users: 961, usersPerProcess: 961 }, limits)
    assert.equal(errors.length, 1)
    assert.match(errors[0]!, /961 users .* the limit here is 1024: raise it \(ulimit -n\).*--agents/)
  })

  it('warns when it is near', () => {
    assert.deepEqual(checkLimits({ users: 480, usersPerProcess: 480 }, limits).warnings, [])
    assert.match(checkLimits({ users: 481, usersPerProcess: 481 }, limits).warnings[0]!, /come close/)
    const { errors, warnings } = checkLimits({ users: 26_000, usersPerProcess: 100 }, limits)
    assert.deepEqual(errors, [])
    assert.match(warnings[0]!, /28232 local ports/)
  })

  it('says nothing where nothing is known', () => {
    const unknown = { openFiles: null, ports: null }
    assert.deepEqual(checkLimits({ users: 1e9, usersPerProcess: 1e9 }, unknown), { errors: [], warnings: [] })
  })

  it('reads what Linux says', () => {
    const text =
      'Limit                     Soft Limit           Hard Limit           Units\nMax open files            1024                 524288               files\n'
    assert.equal(openFilesOf(text), 1024)
    assert.equal(openFilesOf(text.replace('1024  ', 'unlimited')), null)
    assert.equal(portsOf('32768\t60999\n'), 28_232)
    assert.equal(portsOf(''), null)
  })

  it('reads the limits of this host, or null', async () => {
    const { openFiles, ports } = await readHostLimits()
    assert.ok(openFiles === null || openFiles > 0)
    assert.ok(ports === null || ports > 0)
  })
})
