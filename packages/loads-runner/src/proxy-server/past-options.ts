/** Options of Vaurien that have no meaning any more, and why; those that take a value are told so. */
const past: Readonly<Record<string, { why: string; takesValue: boolean }>> = {
  'stay-connected': { why: 'connections stay until a side ends them', takesValue: false },
  bufsize: { why: 'reads are as large as they come', takesValue: true },
  'pool-max-size': { why: 'each client has a connection of its own to the backend', takesValue: true },
  'pool-timeout': { why: 'each client has a connection of its own to the backend', takesValue: true },
  sync: { why: 'no socket blocks', takesValue: false },
  backlog: { why: 'the system chooses it', takesValue: true },
  'log-output': { why: 'the log goes to standard error', takesValue: true },
  'statsd.enabled': { why: 'figures are at /metrics of the control API', takesValue: false },
  'statsd.host': { why: 'figures are at /metrics of the control API', takesValue: true },
  'statsd.port': { why: 'figures are at /metrics of the control API', takesValue: true },
  'statsd.prefix': { why: 'figures are at /metrics of the control API', takesValue: true },
  'statsd.sample-rate': { why: 'figures are at /metrics of the control API', takesValue: true },
}

/** Takes options of Vaurien out of the arguments that change nothing any more: a script of before still starts. */
export function withoutPast(args: readonly string[]): { args: string[]; warnings: string[] } {
  const kept: string[] = []
  const warnings: string[] = []
  for (let at = 0; at < args.length; at++) {
    const [, name, value] = /^--([a-z._-]+)(=.*)?$/s.exec(args[at]!) ?? []
    const isPast = name !== undefined && Object.hasOwn(past, name)
    const ofProtocol = name !== undefined && /^protocol-[a-z]+-/.test(name)
    if (!isPast && !ofProtocol) {
      kept.push(args[at]!)
      continue
    }
    const { why, takesValue } = isPast
      ? past[name]!
      : { why: 'protocols have no options', takesValue: name!.endsWith('-buffer') }
    if (takesValue && value === undefined) at++
    warnings.push(`--${name!} has no effect any more: ${why}`)
  }
  return { args: kept, warnings }
}
