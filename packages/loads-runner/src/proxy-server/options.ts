import { parseAddress } from '@loads-runner/chaos'
import { UsageError } from '../errors.ts'
import type { OptionTable } from '../option-table.ts'
import { flag, list, oneOf, positiveDuration, whole, word } from '../option-values.ts'

/** What `loads-proxy` takes, besides the options of behaviors. Null: not given; the file, or a default, has it then. */
export interface ProxySettings {
  proxy: string | null
  backend: string | null
  protocol: string | null
  behavior: string | null
  seed: number | null
  name: string | null
  timeout: number | null
  mirrorUpstream: boolean
  config: string | null
  module: readonly string[]
  tlsCert: string | null
  tlsKey: string | null
  tlsCa: string | null
  tlsClientCert: string | null
  tlsClientKey: string | null
  tlsServerName: string | null
  tlsInsecure: boolean
  tlsCertificate: string | null
  tlsOpaque: boolean
  http: boolean
  noHttp: boolean
  httpHost: string | null
  httpPort: number | null
  token: string | null
  noToken: boolean
  events: string | null
  replay: string | null
  faults: boolean
  logLevel: 'debug' | 'info' | 'warning' | 'error'
}

const proxy = 'A proxy:'
const tls = 'TLS (write tls:// before an address to end it, or to speak it):'
const control = 'Control:'
const record = 'Record and replay:'
const other = 'Configuration:'

/** A port alone is one of this machine. */
const address = (what: 'listen' | 'backend') => (text: string) => {
  const whole = /^\d+$/.test(text) ? `127.0.0.1:${text}` : text
  try {
    parseAddress(whole, what)
    return whole
  } catch (error) {
    // Its message begins with what it is, which is said by the option.
    throw new UsageError((error as Error).message.slice(what.length + 1))
  }
}

export const proxyTable: OptionTable<ProxySettings> = {
  proxy: {
    flags: '--proxy <HOST:PORT>',
    group: proxy,
    help: 'where clients connect; port 0 takes any (default: 127.0.0.1:0)',
    initial: null,
    parse: address('listen'),
    aliases: ['listen'],
  },
  backend: {
    flags: '--backend <HOST:PORT>',
    group: proxy,
    help: 'where their bytes go',
    initial: null,
    parse: address('backend'),
    aliases: ['upstream'],
  },
  protocol: {
    flags: '--protocol <NAME>',
    group: proxy,
    help: 'how the bytes are understood (default: tcp); see --faults',
    initial: null,
    parse: word,
  },
  behavior: {
    flags: '--behavior <20:delay,5:error>',
    group: proxy,
    help: 'percentages of faults, of which each request has one at most; see --faults',
    initial: null,
    parse: word,
  },
  seed: {
    flags: '--seed <N>',
    group: proxy,
    help: 'the same seed and traffic make the same decisions (default: another one each time)',
    initial: null,
    parse: whole(0),
  },
  timeout: {
    flags: '--timeout <DURATION>',
    group: proxy,
    help: 'until a backend counts as not reached (default: 30s)',
    initial: null,
    parse: positiveDuration,
  },
  mirrorUpstream: {
    flags: '--mirror-upstream',
    group: proxy,
    help: 'refuse connections while the backend cannot be reached',
    initial: false,
    parse: flag,
  },
  name: {
    flags: '--name <NAME>',
    group: proxy,
    help: 'name of the proxy, or which of the file is meant (default: proxy)',
    initial: null,
    parse: word,
  },
  tlsCert: {
    flags: '--tls-cert <FILE>',
    group: tls,
    help: 'certificate that clients are shown (default: one of a throw-away authority)',
    initial: null,
    parse: word,
  },
  tlsKey: { flags: '--tls-key <FILE>', group: tls, help: 'its key', initial: null, parse: word },
  tlsCa: {
    flags: '--tls-ca <FILE>',
    group: tls,
    help: 'who signed the certificate of the backend',
    initial: null,
    parse: word,
  },
  tlsClientCert: {
    flags: '--tls-client-cert <FILE>',
    group: tls,
    help: 'certificate that the backend asks for',
    initial: null,
    parse: word,
  },
  tlsClientKey: { flags: '--tls-client-key <FILE>', group: tls, help: 'its key', initial: null, parse: word },
  tlsServerName: {
    flags: '--tls-server-name <NAME>',
    group: tls,
    help: 'name that the backend must have (default: its host)',
    initial: null,
    parse: word,
  },
  tlsInsecure: {
    flags: '--tls-insecure',
    group: tls,
    help: 'any certificate of the backend will do',
    initial: false,
    parse: flag,
  },
  tlsCertificate: {
    flags: '--tls-certificate <KIND>',
    group: tls,
    help: 'what is wrong with ours: expired, not-yet-valid, wrong-name or self-signed (default: good)',
    initial: null,
    parse: oneOf('good', 'expired', 'not-yet-valid', 'wrong-name', 'self-signed'),
  },
  tlsOpaque: {
    flags: '--tls-opaque',
    group: tls,
    help: 'TLS goes through as it is; no fault knows requests then',
    initial: false,
    parse: flag,
  },
  http: {
    flags: '--http',
    group: control,
    help: 'serve the control API, also where the file says no (it is served anyway)',
    initial: true,
    parse: flag,
  },
  noHttp: { flags: '--no-http', group: control, help: 'no control API', initial: false, parse: flag },
  httpHost: {
    flags: '--http-host <HOST>',
    group: control,
    help: 'where the control API listens (default: 127.0.0.1)',
    initial: null,
    parse: word,
  },
  httpPort: {
    flags: '--http-port <PORT>',
    group: control,
    help: 'its port; 0 takes any (default: 8474)',
    initial: null,
    parse: whole(0, 65_535),
  },
  token: {
    flags: '--token <TOKEN>',
    group: control,
    help: 'who calls it must show this; better in LOADS_PROXY_TOKEN than in a command line',
    initial: null,
    parse: word,
  },
  noToken: {
    flags: '--no-token',
    group: control,
    help: 'without one also where other machines reach it: clients of Toxiproxy have none',
    initial: false,
    parse: flag,
  },
  events: {
    flags: '--events <FILE>',
    group: record,
    help: 'write every event: connections, faults, changes (NDJSON); what the file had is gone',
    initial: null,
    parse: word,
  },
  replay: {
    flags: '--replay <FILE>',
    group: record,
    help: 'decide as that log says; without --backend and --config its proxies are started, too',
    initial: null,
    parse: word,
  },
  config: {
    flags: '--config <FILE>',
    group: other,
    help: 'proxies and their faults: YAML, JSON (also of Toxiproxy) or INI (also of Vaurien)',
    initial: null,
    parse: word,
  },
  module: {
    flags: '--module <FILE>',
    group: other,
    help: 'an ES module with faults or protocols of your own; repeatable',
    initial: [],
    parse: list,
    repeatable: true,
  },
  faults: {
    flags: '--faults',
    group: other,
    help: 'list all faults with their options, and all protocols, and end',
    initial: false,
    parse: flag,
    commandLineOnly: true,
  },
  logLevel: {
    flags: '--log-level <LEVEL>',
    group: other,
    help: 'debug (every event), info, warning or error (default: info)',
    initial: 'info',
    parse: oneOf('debug', 'info', 'warning', 'error'),
  },
}
