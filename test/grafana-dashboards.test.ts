import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { dashboards } from '../grafana/source/dashboards.ts'
import { jsonOf } from '../grafana/source/json.ts'
import { annotationsOf, panelsOf, placedOf, targetsOf, variablesOf } from '../grafana/source/walk.ts'

const directory = fileURLToPath(new URL('../grafana/dashboards/', import.meta.url))

describe('the dashboards of Grafana', () => {
  it('are written as their sources say: npm run dashboards', async () => {
    assert.deepEqual((await readdir(directory)).toSorted(), Object.keys(dashboards).toSorted())
    for (const [file, dashboard] of Object.entries(dashboards))
      assert.equal(await readFile(`${directory}${file}`, 'utf8'), await jsonOf(dashboard), file)
  })

  it('keep the uids that links hold', () => {
    const uids = Object.fromEntries(Object.entries(dashboards).map(([file, { uid }]) => [file, uid]))
    assert.deepEqual(uids, {
      'run.json': 'loads-run',
      'agents.json': 'loads-agents',
      'comparison.json': 'loads-comparison',
      'chaos.json': 'loads-chaos',
      'run-prometheus.json': 'loads-run-prometheus',
    })
  })

  for (const [file, dashboard] of Object.entries(dashboards))
    describe(file, () => {
      const panels = panelsOf(dashboard)

      it('has panels that say what they show, each with an id, a title of its own, a unit and a data source', () => {
        assert.ok(panels.length >= 9)
        const ids = [...new Set([...placedOf(dashboard), ...panels])].map(({ id }) => id)
        assert.equal(new Set(ids).size, ids.length)
        const titles = panels.map(({ title }) => title)
        assert.equal(new Set(titles).size, titles.length, titles.join(', '))
        for (const panel of panels) {
          const { title, description, datasource, fieldConfig } = panel
          assert.ok(title !== undefined && title !== '')
          assert.ok((description ?? '').length > 10, `${title} has a description`)
          assert.match(description!, /\.$|:$/, `the description of ${title} is a sentence`)
          assert.equal(datasource?.uid, '${datasource}', title)
          assert.ok((fieldConfig?.defaults.unit ?? '') !== '', `${title} has a unit`)
          assert.ok(targetsOf(panel).length > 0, `${title} asks for something`)
          const refIds = targetsOf(panel).map(({ refId }) => refId)
          assert.equal(new Set(refIds).size, refIds.length, title)
        }
      })

      it('has no two panels in one place, and none outside the grid', () => {
        const taken = new Map<string, string>()
        for (const { title = '', gridPos } of placedOf(dashboard)) {
          assert.ok(gridPos !== undefined && gridPos.w > 0 && gridPos.h > 0, title)
          assert.ok(gridPos.x >= 0 && gridPos.x + gridPos.w <= 24, `${title} is within 24 columns`)
          for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
            for (let y: number = gridPos.y; y < gridPos.y + gridPos.h; y++) {
              const other = taken.get(`${x} ${y}`)
              assert.equal(other, undefined, `${title} and ${other} are both at ${x}, ${y}`)
              taken.set(`${x} ${y}`, title)
            }
        }
      })

      it('asks for the runs that its data source has, and shows their moments', () => {
        const names = variablesOf(dashboard).map(({ name }) => name)
        assert.equal(new Set(names).size, names.length)
        assert.equal(names[0], 'datasource')
        assert.ok(names.includes('project'))
        for (const { name, description, type } of variablesOf(dashboard))
          if (type === 'query') assert.ok((description ?? '') !== '', `${name} has a description`)
        if (file === 'comparison.json') assert.deepEqual(annotationsOf(dashboard), [])
        else assert.ok(annotationsOf(dashboard).length >= 2)
      })

      it('names no variable that it does not have', () => {
        const known = new Set(variablesOf(dashboard).map(({ name }) => name))
        const macros = /^(timeFilter|__\w+|tag_\w+|col)$/
        const asked = [...panels.flatMap(targetsOf), ...variablesOf(dashboard), ...annotationsOf(dashboard)]
        for (const [, name] of JSON.stringify(asked).matchAll(/\$\{?(\w+)/g))
          assert.ok(known.has(name!) || macros.test(name!), `$${name}`)
      })
    })

  it('takes quantiles as they were measured: none is averaged, summed or interpolated over time', () => {
    const all = Object.values(dashboards).flatMap(panelsOf).flatMap(targetsOf)
    const queries = all.map((target) => String((target as { query?: string }).query ?? ''))
    assert.ok(queries.some((query) => query.includes('"p95"')))
    for (const query of queries)
      assert.doesNotMatch(
        query,
        /(mean|sum|median|percentile|max|min)\(\s*"?(p\d+|max|mean|response_p)/i,
        query,
      )
  })
})
