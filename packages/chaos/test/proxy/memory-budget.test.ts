import assert from 'node:assert/strict'
import { RuleSet } from '../../src/rules/rule-set.ts'
import { Decider } from '../../src/rules/decider.ts'
import { tcp } from '../../src/protocols/tcp.ts'
import { Link, type LinkHost } from '../../src/proxy/link.ts'
import { MemoryBudget } from '../../src/proxy/memory-budget.ts'

const kilobyte = Buffer.alloc(1024)

/** A link with a stage that allows itself 1 MiB. */
function linkUnder(budget: MemoryBudget, maxHeldBytes: number | null = null): Link {
  const rules = new RuleSet(tcp, () => {})
  for (let number = 0; number < 4; number++) rules.add({ type: 'noop', name: `noop ${number}` })
  const host: LinkHost = {
    proxyName: 'proxy',
    decider: new Decider(1, 'proxy'),
    connection: 1,
    client: '127.0.0.1',
    budget,
    maxHeldBytes,
    rules: () => rules.all(),
    relieved: () => {},
    endStopped: () => {},
    faultCloses: () => {},
    tellFault: () => {},
  }
  const link = new Link('downstream', host, { write: () => {}, ended: () => {} })
  link.begin()
  return link
}

/** Holds until it is full. @returns bytes */
function filled(link: Link): number {
  while (!link.isFull(0, false)) link.hold(kilobyte)
  return link.held
}

describe('memory that links may hold', () => {
  it('is what their stages allow while the process has some left, and 64 KiB each when it has not', () => {
    const budget = new MemoryBudget(2 << 20)
    const links = [1, 2, 3, 4].map(() => linkUnder(budget))
    assert.deepEqual(links.map(filled), [(1 << 20) + 1024, (1 << 20) - 1024, 65_536 + 1024, 65_536 + 1024])
    assert.ok(budget.isUsedUp)
    // What one gives back, others may use.
    links[0]!.release(1 << 20)
    assert.ok(filled(links[3]!) > 512 * 1024)
    for (const link of links) link.close()
    assert.equal(budget.held, 0)
  })

  it('is what was asked for where that is less, and counts what the receiver has not taken', () => {
    const link = linkUnder(new MemoryBudget(1 << 30), 100_000)
    assert.equal(filled(link), 98 * 1024)
    link.release(90 * 1024)
    assert.ok(!link.isFull(0, true))
    assert.ok(link.isFull(64 * 1024 + 1, false))
    assert.ok(link.isFull(60 * 1024, true))
  })
})
