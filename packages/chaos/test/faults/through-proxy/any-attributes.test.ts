import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ChaosError } from '../../../src/errors.ts'
import { byteFaults } from '../../../src/faults/byte-faults.ts'
import type { FaultRequest } from '../../../src/rules/rule.ts'
import { Proxied } from '../../support/proxied.ts'

/** Faults that change nothing but times and the sizes of pieces. */
const harmless = ['latency', 'bandwidth', 'slicer', 'loss', 'slow_close', 'noop']

const value = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 3000 }) },
  { weight: 4, arbitrary: fc.constant<unknown>(undefined) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(
      -1,
      0.5,
      NaN,
      2 ** 53,
      '2s',
      '50%',
      'x',
      '',
      null,
      {},
      true,
      'proxy',
      'pareto',
    ),
  },
)

const fault = fc
  .record({
    type: fc.constantFrom(...harmless),
    stream: fc.constantFrom('upstream', 'downstream'),
    values: fc.array(value, { minLength: 4, maxLength: 4 }),
  })
  .map(({ type, stream, values }): FaultRequest => {
    const names = Object.keys(byteFaults.find((each) => each.type === type)!.attributes as object)
    return { type, stream, attributes: Object.fromEntries(names.map((name, at) => [name, values[at]])) }
  })

/** Whether it was taken; what is refused must be for its attributes. */
function isTaken(change: () => unknown): boolean {
  try {
    change()
    return true
  } catch (error) {
    assert.ok(error instanceof ChaosError && error.code === 'CHAOS_ATTRIBUTE', String(error))
    return false
  }
}

describe('any faults on live connections', () => {
  it('#31 refused or not, they lose nothing, and the proxy goes on', async () => {
    await using proxied = await Proxied.echo()
    const { proxy } = proxied
    const other = await proxied.connect()
    let taken = 0
    let refused = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fault, { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 4 }),
        async (faults, sizes) => {
          const client = await proxied.connect()
          const sent: Buffer[] = []
          for (const [at, request] of faults.entries()) {
            const name = `fault ${at}`
            if (isTaken(() => proxy.addFault({ ...request, name }))) taken++
            else refused++
            const bytes = Buffer.alloc(sizes[at % sizes.length]!, at + 1)
            client.write(bytes)
            sent.push(bytes)
            await new Promise((resolve) => setImmediate(resolve))
            const earlier = proxy.rules.all()[0]
            if (earlier !== undefined && at % 2 === 1)
              isTaken(() => proxy.updateFault(earlier.name, { attributes: request.attributes! }))
          }
          client.end()
          await new Promise((resolve) => setImmediate(resolve))
          proxy.rules.clear()
          assert.equal(await client.ended(), 'end')
          assert.ok(Buffer.concat(sent).equals(client.bytes))
          other.write('x')
        },
      ),
      { numRuns: 150 },
    )
    assert.ok(taken > 30 && refused > 30, `${taken} taken, ${refused} refused`)
    await other.until(150)
    assert.equal(proxy.counters().held, 0)
  })
})
