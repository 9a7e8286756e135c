import { parseDuration } from '../duration.ts'
import type { OptionTable } from '../option-table.ts'
import { flag, httpUrl, ipAddress, oneOf, positiveDuration, whole, word } from '../option-values.ts'

/** The target and how users reach it. */
export interface TargetSettings {
  serverUrl: string | null
  timeout: number
  insecure: boolean
  /** File names of PEM texts. */
  ca: string | null
  cert: string | null
  key: string | null
  proxy: string | null
  /** A file, or the address of a control server. */
  proxies: string | null
  http2: boolean
  connections: 'user' | 'shared' | 'fresh'
  maxConnections: number
  maxRequests: number | null
  keepAlive: number
  sourceAddress: readonly string[]
  dns: 'first' | 'spread'
  phases: boolean
  trace: boolean
}

const group = 'Target:'

export const targetOptions: OptionTable<TargetSettings> = {
  serverUrl: {
    flags: '--server-url <URL>',
    group,
    help: 'the address that relative paths of the tests belong to',
    initial: null,
    parse: httpUrl,
  },
  timeout: {
    flags: '--timeout <T>',
    group,
    help: 'longest time for one request (default: 30s)',
    initial: 30_000,
    parse: positiveDuration,
  },
  insecure: {
    flags: '--insecure',
    group,
    help: 'accept any TLS certificate of the target',
    initial: false,
    parse: flag,
  },
  ca: {
    flags: '--ca <FILE>',
    group,
    help: 'certificates to trust (PEM)',
    initial: null,
    parse: word,
  },
  cert: {
    flags: '--cert <FILE>',
    group,
    help: "the users' TLS certificate (PEM)",
    initial: null,
    parse: word,
  },
  key: { flags: '--key <FILE>', group, help: 'the key of --cert (PEM)', initial: null, parse: word },
  proxy: {
    flags: '--proxy <URL>',
    group,
    help: 'HTTP proxy on the way to the target',
    initial: null,
    parse: httpUrl,
  },
  proxies: {
    flags: '--proxies <FILE|URL>',
    group,
    help: 'fault-injecting proxies for the tests (this.proxies) and their schedule: a file, or the control address of a loads-proxy',
    initial: null,
    parse: word,
  },
  http2: {
    flags: '--http2',
    group,
    help: 'speak HTTP/2 where the target offers it, over TLS; without TLS always',
    initial: false,
    parse: flag,
  },
  connections: {
    flags: '--connections <HOW>',
    group,
    help: 'user: each user has its own; shared: the users of a load thread share a pool; fresh: new ones for each execution (default: user)',
    initial: 'user',
    parse: oneOf('user', 'shared', 'fresh'),
  },
  maxConnections: {
    flags: '--max-connections <N>',
    group,
    help: 'connections to one address at a time, of a user or of a pool (default: 256)',
    initial: 256,
    parse: whole(1, 1_000_000),
  },
  maxRequests: {
    flags: '--max-requests <N>',
    group,
    help: 'close a connection after so many requests',
    initial: null,
    parse: whole(1),
  },
  keepAlive: {
    flags: '--keep-alive <T>',
    group,
    help: 'close a connection that was idle for so long (default: 5m)',
    initial: 300_000,
    parse: parseDuration,
  },
  sourceAddress: {
    flags: '--source-address <IP>',
    group,
    help: 'local address that connections start from; repeatable, in turn',
    initial: [],
    parse: ipAddress,
    repeatable: true,
  },
  dns: {
    flags: '--dns <HOW>',
    group,
    help: 'first: the first address of a name; spread: all its addresses in turn (default: first)',
    initial: 'first',
    parse: oneOf('first', 'spread'),
  },
  phases: {
    flags: '--phases',
    group,
    help: 'measure the parts of each hit: blocked, DNS, connect, TLS, send, wait, receive',
    initial: false,
    parse: flag,
  },
  trace: {
    flags: '--trace',
    group,
    help: 'send a traceparent header that holds the execution id',
    initial: false,
    parse: flag,
  },
}
