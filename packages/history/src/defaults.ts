/** Fields that records of earlier versions lack, and what they stand at then. */

type Fields = Record<string, unknown>

const view = { hits: 0, windowsMissing: 0 }
const window = { activeUsers: 0, hits: 0, eventLoopLagMs: 0, cpu: 0, latenessMs: 0 }

/** A spec as this version has it. What is not an object is left to the schema to refuse. */
export function withSpecDefaults(spec: unknown): unknown {
  return withFields(spec, { outputs: [] })
}

/** An event as this version has it. */
export function withEventDefaults(event: Fields): Fields {
  switch (event.type) {
    case 'snapshot':
      return {
        annotations: [],
        ...event,
        spec: withSpecDefaults(event.spec),
        agents: each(event.agents, view),
      }
    case 'agent':
      return { ...event, agent: withFields(event.agent, view) }
    case 'commit':
      return { ...event, windows: each(event.windows, window) }
    case 'control':
      return { by: '', ...event }
    default:
      return event
  }
}

function each(list: unknown, defaults: Fields): unknown {
  return Array.isArray(list) ? list.map((item) => withFields(item, defaults)) : list
}

function withFields(value: unknown, defaults: Fields): unknown {
  return isFields(value) ? { ...defaults, ...value } : value
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
