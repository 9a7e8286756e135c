import { readFile, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { loadModule } from '../custom/load-modules.ts'
import { ChaosError } from '../errors.ts'
import type { TlsOptions } from '../proxy/options.ts'
import type { Environment } from './environment.ts'
import type { NamedProxyOptions, ProxyConfig } from './proxy-config.ts'
import { modulesOf, readConfig } from './read-config.ts'

const mostBytes = 10 * 2 ** 20

/**
 * Reads a configuration file, and loads the modules that it names. Paths in it are relative to it.
 *
 * @param file as the user calls it, relative to `directory`
 * @throws {ChaosError} CHAOS_CONFIG, CHAOS_MODULE, CHAOS_EXISTS
 */
export async function readConfigFile(
  file: string,
  {
    directory = process.cwd(),
    environment = process.env,
  }: { directory?: string; environment?: Environment } = {},
): Promise<ProxyConfig> {
  const path = resolve(directory, file)
  const text = await textOf(path, file)
  const base = dirname(path)
  for (const module of modulesOf(text, file, environment)) await loadModule(module, base)
  const config = readConfig(text, file, environment)
  return {
    ...config,
    events: config.events === null ? null : resolve(base, config.events),
    proxies: config.proxies.map((proxy) => withPaths(proxy, base)),
  }
}

async function textOf(path: string, file: string): Promise<string> {
  try {
    if ((await stat(path)).size > mostBytes)
      throw new Error(`it has more than ${mostBytes / 2 ** 20} MiB, which no configuration has`)
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new ChaosError('CHAOS_CONFIG', `cannot read ${file}: ${(error as Error).message}`, { cause: error })
  }
}

const pathKeys = ['cert', 'key', 'ca', 'clientCert', 'clientKey'] as const

function withPaths(proxy: NamedProxyOptions, base: string): NamedProxyOptions {
  if (proxy.tls === undefined) return proxy
  const tls: TlsOptions = { ...proxy.tls }
  for (const key of pathKeys) {
    const value = tls[key]
    if (value !== undefined && !value.includes('-----BEGIN') && !isAbsolute(value))
      tls[key] = join(base, value)
  }
  return { ...proxy, tls }
}
