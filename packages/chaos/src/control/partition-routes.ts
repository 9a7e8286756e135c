import { randomUUID } from 'node:crypto'
import { plainNodes } from '../config/plain-nodes.ts'
import { Problems } from '../config/problems.ts'
import { cutModes, type CutMode } from '../partition/cut.ts'
import type { PartitionMatrix } from '../partition/partition-matrix.ts'
import { readGroups } from '../partition/read-groups.ts'
import type { FaultScope } from '../proxy/fault-scope.ts'
import { Fields } from './fields.ts'
import { about, badBody, Refusal } from './refusal.ts'
import { json, nothing, type Call, type RouteModule } from './route.ts'

/** Cuts that were made and not ended. */
const mostCuts = 1000

/**
 * Partitions: `GET /partitions` tells how things are; `PUT` with `{"groups": [["a", "b"], ["c"]], "mode"}` makes them so, in
 * place of all cuts; `DELETE` heals. `POST /partitions/cuts` with `{"from", "to", "mode", "oneWay"}`, `{"isolate", "mode"}` or
 * `{"groups", "mode"}` adds one, `DELETE /partitions/cuts/{cut}` ends it. `GET /partitions/ways/{from}/{to}` tells where to
 * connect to.
 */
export function partitionRoutes(matrix: PartitionMatrix): RouteModule {
  const cuts = new Map<string, FaultScope>()
  const heal = async (): Promise<void> => {
    cuts.clear()
    await matrix.heal()
  }
  return {
    routes: [
      { methods: ['GET'], path: '/partitions', answer: () => json(200, matrix.state()) },
      {
        methods: ['PUT'],
        path: '/partitions',
        answer: async (call) => {
          const fields = new Fields(await call.json())
          const groups = groupsOf(fields, matrix)
          const mode = modeOf(fields)
          await about('proxy', heal)
          await about('proxy', () => matrix.partition(groups, { mode }))
          return json(200, matrix.state())
        },
      },
      {
        methods: ['DELETE'],
        path: '/partitions',
        answer: async () => {
          await about('proxy', heal)
          return nothing
        },
      },
      {
        methods: ['POST'],
        path: '/partitions/cuts',
        answer: async (call) => {
          if (cuts.size >= mostCuts) throw new Refusal(409, `${mostCuts} cuts are there; end some, or heal`)
          const id = randomUUID()
          cuts.set(id, await cut(call, matrix))
          return json(201, { id })
        },
      },
      {
        methods: ['DELETE'],
        path: '/partitions/cuts/{cut}',
        answer: async (call) => {
          const id = call.part('cut')
          const scope = cuts.get(id)
          if (scope === undefined) throw new Refusal(404, 'cut not found', { code: 'CHAOS_NOT_FOUND' })
          await about('proxy', () => scope.end())
          cuts.delete(id)
          return nothing
        },
      },
      {
        methods: ['GET'],
        path: '/partitions/ways/{from}/{to}',
        answer: async (call) => {
          const [from, to] = [call.part('from'), call.part('to')]
          checkEndpoints(matrix, from, to)
          return json(200, { from, to, listen: await about('proxy', () => matrix.address(from, to)) })
        },
      },
    ],
  }
}

async function cut(call: Call, matrix: PartitionMatrix): Promise<FaultScope> {
  const fields = new Fields(await call.json())
  const mode = modeOf(fields)
  const isolated = fields.text('isolate')
  const [from, to] = [fields.text('from'), fields.text('to')]
  if (isolated !== undefined) {
    checkEndpoints(matrix, isolated)
    return about('proxy', () => matrix.isolate(isolated, { mode }))
  }
  if (from === undefined || to === undefined) {
    if (fields.list('groups') === undefined) throw badBody('a cut has from and to, isolate, or groups')
    const groups = groupsOf(fields, matrix)
    return about('proxy', () => matrix.partition(groups, { mode }))
  }
  checkEndpoints(matrix, from, to)
  const oneWay = fields.flag('oneway') ?? false
  return about('proxy', () => matrix.cut(from, to, { mode, oneWay }))
}

function modeOf(fields: Fields): CutMode {
  const mode = fields.text('mode') ?? 'blackhole'
  const known = cutModes.find((each) => each === mode)
  if (known === undefined) throw badBody(`mode must be one of ${cutModes.join(', ')}`, 'mode')
  return known
}

function groupsOf(fields: Fields, matrix: PartitionMatrix): readonly (readonly string[])[] {
  const problems = new Problems()
  const groups = readGroups(plainNodes(fields.list('groups') ?? null, 'groups'), matrix.endpoints, problems)
  if (problems.list.length > 0) throw badBody(problems.list.join('; '), 'groups')
  return groups
}

function checkEndpoints(matrix: PartitionMatrix, ...names: readonly string[]): void {
  const unknown = names.find((name) => !matrix.endpoints.includes(name))
  if (unknown === undefined) return
  const known = matrix.endpoints.join(', ')
  throw new Refusal(404, `endpoint not found`, {
    code: 'CHAOS_NOT_FOUND',
    detail: `there is no endpoint ${unknown}; there are ${known}`,
  })
}
