import { isAbsolute, resolve } from 'node:path'
import {
  ChaosError,
  knownFaults,
  knownProtocols,
  parseBehaviors,
  readConfigFile,
  readRecording,
  type ControlConfig,
  type NamedProxyOptions,
  type ProxyConfig,
  type Recording,
  type TlsOptions,
} from '@loads-runner/chaos'
import { UsageError } from '../errors.ts'
import { describe, environmentName, proxyPrefix, suggestion } from '../option-table.ts'
import type { World } from '../world.ts'
import { behaviorAttributes } from './behavior-options.ts'
import type { ProxyInvocation } from './read-proxy-settings.ts'

/** What is to be started. */
export interface ProxyPlan {
  proxies: readonly NamedProxyOptions[]
  /** Null: no control API. */
  control: { host: string; port: number; token: string | null } | null
  seed: number | null
  events: string | null
  recording: Recording | null
  schedule: ProxyConfig['schedule']
  partitions: ProxyConfig['partitions']
  warnings: readonly string[]
}

/**
 * Puts together file, environment and command line; the latter win.
 *
 * @throws {UsageError} with all that is wrong
 */
export async function planProxies(
  world: Pick<World, 'env' | 'cwd'>,
  invocation: ProxyInvocation,
  problems: string[],
): Promise<ProxyPlan> {
  const { settings } = invocation
  const warnings = [...invocation.warnings]
  const file = settings.config === null ? null : await readFile(world, settings.config, problems)
  warnings.push(...(file?.warnings ?? []))
  const recording = settings.replay === null ? null : await readRecording(resolve(world.cwd, settings.replay))
  const isOnlyReplay = recording !== null && file === null && settings.backend === null
  const known = isOnlyReplay ? recordedProxies(recording, problems) : (file?.proxies ?? [])
  const merged = mergedProxies(known, invocation, world.cwd, problems)
  const seed = settings.seed ?? file?.seed ?? null
  const events = settings.events === null ? (file?.events ?? null) : resolve(world.cwd, settings.events)
  if (recording !== null) {
    if (settings.seed !== null) problems.push('--seed: a replay has the seeds of its log; leave it out')
    if (events !== null && events === resolve(world.cwd, settings.replay!))
      problems.push('--events: is the log that is replayed; name another file')
    warnings.push(...warningsOf(recording, settings.replay!, merged))
  }
  const control = controlOf(file?.control ?? {}, invocation, problems)
  if (control === null && merged.length === 0 && (file?.partitions ?? null) === null && problems.length === 0)
    problems.push('nothing to do: without the control API give --backend HOST:PORT or --config FILE')
  if (problems.length > 0) throw new UsageError([...new Set(problems)])
  return {
    proxies: merged.map((proxy) => seeded(proxy, seed, recording)),
    control,
    seed,
    events,
    recording,
    schedule: file?.schedule ?? null,
    partitions: file?.partitions ?? null,
    warnings,
  }
}

async function readFile(world: Pick<World, 'env' | 'cwd'>, file: string, problems: string[]) {
  try {
    return await readConfigFile(file, { directory: world.cwd, environment: world.env })
  } catch (error) {
    if (!(error instanceof ChaosError) || error.code !== 'CHAOS_CONFIG') throw error
    problems.push(...error.message.split('\n'))
    throw new UsageError(problems)
  }
}

/** The proxies of the file with what the environment and the command line change, or one more. */
function mergedProxies(
  known: readonly NamedProxyOptions[],
  invocation: ProxyInvocation,
  cwd: string,
  problems: string[],
): readonly NamedProxyOptions[] {
  const { settings, sources } = invocation
  const shared = sharedOptions(invocation)
  const own = ownOptions(invocation, cwd)
  const given = (Object.keys(own) as (keyof typeof own)[]).map((key) => optionOf[key])
  const named = settings.name === null ? undefined : known.find(({ name }) => name === settings.name)
  const change = (proxy: NamedProxyOptions, changes: Partial<NamedProxyOptions>) =>
    withBehaviors(
      {
        ...proxy,
        ...changes,
        ...(changes.tls === undefined ? {} : { tls: { ...proxy.tls, ...changes.tls } }),
      },
      invocation,
      problems,
    )
  if (named !== undefined)
    return known.map((proxy) => (proxy === named ? change(proxy, { ...shared, ...own }) : proxy))
  if (known.length === 0 || settings.name !== null) {
    if (settings.backend !== null) {
      const { backend } = settings
      return [...known, change({ name: settings.name ?? 'proxy', backend, ...shared, ...own }, {})]
    }
    if (settings.name !== null && known.length > 0) {
      const names = known.map(({ name }) => name)
      const hint = suggestion(settings.name, names) || `; it has ${names.join(', ')}`
      problems.push(
        `--name: the file has no proxy ${settings.name}${hint}; for another one give --backend, too`,
      )
    } else if (given.length > 0 || settings.behavior !== null || invocation.behaviors.length > 0) {
      const first = given[0] ?? (settings.behavior === null ? invocation.behaviors[0]!.called : '--behavior')
      problems.push(`${first}: of which proxy? Give --backend HOST:PORT, or --config FILE`)
    }
    return known
  }
  if (known.length === 1) return known.map((proxy) => change(proxy, { ...shared, ...own }))
  if (given.length > 0) {
    const names = known.map(({ name }) => name).join(', ')
    const source = sources.backend === 'environment' ? ' (also from the environment)' : ''
    problems.push(`${given[0]}: of which proxy${source}? Give --name, one of ${names}`)
  }
  return known.map((proxy) => change(proxy, shared))
}

/** What several proxies may have in common. */
function sharedOptions({ settings, sources }: ProxyInvocation): Partial<NamedProxyOptions> {
  const { behavior, timeout, mirrorUpstream, seed } = settings
  return {
    ...(behavior === null ? {} : { behavior }),
    ...(timeout === null ? {} : { dialTimeoutMs: timeout }),
    ...(sources.mirrorUpstream === 'default' ? {} : { mirrorUpstream }),
    ...(seed === null ? {} : { seed }),
  }
}

/** What only one can have. */
function ownOptions({ settings, sources }: ProxyInvocation, cwd: string): Partial<NamedProxyOptions> {
  const { proxy, backend, protocol } = settings
  const path = (text: string) => (isAbsolute(text) ? text : resolve(cwd, text))
  const tls: TlsOptions = {
    ...(settings.tlsCert === null ? {} : { cert: path(settings.tlsCert) }),
    ...(settings.tlsKey === null ? {} : { key: path(settings.tlsKey) }),
    ...(settings.tlsCa === null ? {} : { ca: path(settings.tlsCa) }),
    ...(settings.tlsClientCert === null ? {} : { clientCert: path(settings.tlsClientCert) }),
    ...(settings.tlsClientKey === null ? {} : { clientKey: path(settings.tlsClientKey) }),
    ...(settings.tlsServerName === null ? {} : { serverName: settings.tlsServerName }),
    ...(sources.tlsInsecure === 'default' ? {} : { verify: !settings.tlsInsecure }),
    ...(settings.tlsCertificate === null
      ? {}
      : { certificate: settings.tlsCertificate as NonNullable<TlsOptions['certificate']> }),
    ...(settings.tlsOpaque ? { mode: 'opaque' as const } : {}),
  }
  return {
    ...(proxy === null ? {} : { listen: proxy }),
    ...(backend === null ? {} : { backend }),
    ...(protocol === null ? {} : { protocol }),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
  }
}

const optionOf = {
  listen: '--proxy',
  backend: '--backend',
  protocol: '--protocol',
  tls: '--tls-...',
} as Record<keyof NamedProxyOptions, string>

/** Options of behaviors, checked against the protocol of the proxy; those of the file stay where nothing else is said. */
function withBehaviors(
  proxy: NamedProxyOptions,
  { behaviors, settings, sources }: ProxyInvocation,
  problems: string[],
): NamedProxyOptions {
  const { protocol = 'tcp', name } = proxy
  const protocols = knownProtocols().map((each) => each.name)
  if (!protocols.includes(protocol)) {
    const hint = suggestion(protocol, protocols) || `; known ones are ${protocols.join(', ')}`
    problems.push(`${called('protocol', sources.protocol)}: there is no protocol ${protocol}${hint}`)
    return proxy
  }
  if (settings.behavior !== null) {
    try {
      const types = ['error', ...knownFaults().map(({ type }) => type)]
      for (const { type } of parseBehaviors(settings.behavior)) {
        if (types.includes(type)) continue
        const hint = suggestion(type, types) || '; see --faults'
        problems.push(`${called('behavior', sources.behavior)}: there is no fault ${type}${hint}`)
      }
    } catch (error) {
      if (!(error instanceof ChaosError)) throw error
      problems.push(`${called('behavior', sources.behavior)}: ${error.message}`)
      return proxy
    }
  }
  const merged: Record<string, Record<string, unknown>> = {}
  for (const [behavior, attributes] of Object.entries(proxy.behaviors ?? {}))
    merged[behavior] = { ...attributes }
  for (const { called: option, text, behavior, attribute } of behaviors) {
    const found = behaviorAttributes({ behavior, attribute }, text, protocol)
    if (typeof found === 'string') problems.push(`${option}: ${found}`)
    else merged[behavior] = { ...merged[behavior], ...found }
  }
  return { ...proxy, name, ...(Object.keys(merged).length === 0 ? {} : { behaviors: merged }) }
}

function called(key: string, source: ProxyInvocation['sources']['protocol']): string {
  return source === 'environment' ? environmentName(key, proxyPrefix) : describe(key, 'command line')
}

function controlOf(
  file: ControlConfig,
  { settings, sources }: ProxyInvocation,
  problems: string[],
): ProxyPlan['control'] {
  const isAsked = sources.http !== 'default' || settings.httpHost !== null || settings.httpPort !== null
  if (settings.noHttp || !settings.http || (file.off === true && !isAsked)) return null
  const host = settings.httpHost ?? file.host ?? '127.0.0.1'
  const port = settings.httpPort ?? file.port ?? 8474
  const token = settings.noToken ? null : (settings.token ?? (file.token || null))
  if (token === null && !settings.noToken && !isLoopback(host))
    problems.push(
      `the control API at ${host} could be used by whoever reaches this machine: set LOADS_PROXY_TOKEN, or say --no-token if that is meant`,
    )
  return { host, port, token }
}

function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host)
}

function seeded(
  proxy: NamedProxyOptions,
  seed: number | null,
  recording: Recording | null,
): NamedProxyOptions {
  const own = recording === null ? (proxy.seed ?? seed) : (recording.seedOf(proxy.name) ?? proxy.seed ?? seed)
  return {
    ...proxy,
    ...(own === null ? {} : { seed: own }),
    ...(recording === null ? {} : { recorded: recording.decisionsOf(proxy.name) }),
  }
}

function recordedProxies(recording: Recording, problems: string[]): NamedProxyOptions[] {
  return recording.proxies.map(({ name, listen, backend, protocol, seed, faults, tls }) => {
    if (tls)
      problems.push(`--replay: proxy ${name} had options of TLS, which no log keeps: give --config, too`)
    return { name, listen, backend, protocol, seed, faults }
  })
}

function warningsOf(recording: Recording, file: string, proxies: readonly NamedProxyOptions[]): string[] {
  const strangers = proxies.filter(({ name }) => recording.seedOf(name) === undefined).map(({ name }) => name)
  return [
    ...(recording.lostFaults > 0
      ? [`${file}: ${recording.lostFaults} faults were lost when it was written, and are not made again`]
      : []),
    ...(recording.changes > 0
      ? [
          `${file}: faults were changed ${recording.changes} times while it was written; only the same changes make the same faults`,
        ]
      : []),
    ...strangers.map((name) => `${file}: says nothing of proxy ${name}, which is left alone`),
  ]
}
