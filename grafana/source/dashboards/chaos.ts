import { dashboard } from '../dashboard.ts'
import { eachSpan, influx, moments, oneRunByName, overTime } from '../influxql.ts'
import { lines } from '../panel.ts'
import {
  agentTable,
  byStatus,
  eventTable,
  failures,
  latencyHeat,
  observed,
  rate,
  serviceTime,
  thresholdStates,
  total,
  verdict,
} from './figures.ts'

export const chaos = dashboard({
  uid: 'loads-chaos',
  title: 'Loads: chaos',
  description: 'What was made to fail, and what that did: faults as bands over latency, errors and agents.',
  tags: ['influxdb'],
  variables: oneRunByName,
  annotations: moments,
  sections: [
    {
      title: 'The whole run so far',
      panels: [
        verdict(6),
        total('Failed', 'Share of hits that failed.', '"failed" / "hits"', 'percentunit', {
          width: 6,
          decimals: 2,
        }),
        total('p99', '99 of 100 hits took no longer.', '"p99"', 'ms', { width: 6, decimals: 1 }),
        total('Slowest', 'The slowest hit.', '"max"', 'ms', { width: 6, decimals: 1 }),
      ],
    },
    {
      title: 'What was made to fail',
      panels: [
        eventTable('Faults', 'Each fault from its beginning to its end; without an end it goes on.', [
          'fault',
        ]),
        eventTable('Notes and operators', 'What people and tests said while it went on.', [
          'note',
          'control',
        ]),
      ],
    },
    {
      title: 'What that did',
      panels: [
        serviceTime(24),
        failures(),
        byStatus(),
        latencyHeat(),
        rate(),
        lines({
          title: 'Failed hits by name',
          description: 'Failed hits in each interval by name: which parts of the target feel a fault.',
          datasource: influx,
          targets: overTime(
            `SELECT "failed" FROM "loads_names" WHERE ${eachSpan} AND "test" =~ /^$test$/ AND "name" =~ /^$name$/ GROUP BY "test", "method", "name"`,
            '$tag_method $tag_name',
          ),
          unit: 'none',
          width: 12,
          height: 8,
        }),
        thresholdStates(),
        observed(),
      ],
    },
    {
      title: 'Agents',
      panels: [
        agentTable(12),
        eventTable('Agents: losses and returns', 'When agents were suspect, lost, fenced, back.', ['agent']),
      ],
    },
  ],
})
