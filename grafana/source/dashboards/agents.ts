import { dashboard } from '../dashboard.ts'
import { eachSpan, influx, moments, oneRun, overTime } from '../influxql.ts'
import { lines, type Part } from '../panel.ts'
import { agentTable, eventTable, total } from './figures.ts'

function perAgent(title: string, description: string, field: string, unit: string, stacked = false): Part {
  return lines({
    title,
    description,
    datasource: influx,
    targets: overTime(
      `SELECT "${field}" FROM "loads_agents" WHERE ${eachSpan} GROUP BY "agent", "host"`,
      '$tag_agent',
    ),
    unit,
    width: 12,
    height: 8,
    stacked,
  })
}

export const agents = dashboard({
  uid: 'loads-agents',
  title: 'Loads: agents',
  description:
    'The machines that make the load: whether they keep up, and whether what they measure can be believed.',
  tags: ['influxdb'],
  variables: oneRun,
  annotations: moments,
  sections: [
    {
      title: 'The whole run so far',
      panels: [
        total('Users now', 'Virtual users that are active now, over all agents.', '"active_users"', 'none', {
          width: 6,
        }),
        total('Hits per second', 'Mean over the whole load.', '"hits_per_second"', 'reqps', {
          width: 6,
          decimals: 1,
        }),
        total(
          'Dropped',
          'Executions that fell due and never began; models with a rate only.',
          '"dropped"',
          'locale',
          {
            width: 6,
            steps: [
              { color: 'green', value: null },
              { color: 'red', value: 1 },
            ],
          },
        ),
        total(
          'Lateness p99',
          'How late executions began, 99 of 100; models with a rate only.',
          '"lateness_p99"',
          'ms',
          {
            width: 6,
            decimals: 1,
          },
        ),
        agentTable(),
      ],
    },
    {
      title: 'Work',
      panels: [
        perAgent(
          'Hits by agent',
          'Hits per second of each agent, on top of each other.',
          'per_second',
          'reqps',
          true,
        ),
        perAgent(
          'Users by agent',
          'Active users of each agent at the end of each interval.',
          'active_users',
          'none',
          true,
        ),
      ],
    },
    {
      title: 'Do they keep up?',
      panels: [
        perAgent(
          'Event loop lag',
          'The longest that a load thread was busy with something else, in each interval: latencies that were measured then are too high by as much.',
          'event_loop_lag_ms',
          'ms',
        ),
        perAgent('Processor', 'Cores in use by each agent.', 'cpu', 'none'),
        perAgent('Lateness', 'How late the worst start of each interval was.', 'lateness_ms', 'ms'),
        perAgent(
          'Windows',
          'Windows of figures that came in from each agent: a gap is a window that is missing.',
          'windows',
          'none',
        ),
      ],
    },
    {
      title: 'Moments',
      panels: [
        eventTable('Agents: moments', 'When agents came, were suspect, lost, fenced, done.', ['agent'], 24),
      ],
    },
  ],
})
