/**
 * Makes a fresh clone ready: packages, build, and with --tests what the tests use from the system. Quick when there is
 * nothing to do. No dependencies, since it runs before any are installed.
 *
 *     node .ci/set-up.mjs [--tests]
 */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const onCi = Boolean(process.env.CI) && process.env.CI !== 'false'

/** What tests use that npm does not bring: the command that must be there, and the Debian package that has it. */
const systemPackages = [
  { command: 'nginx', package: 'nginx', uses: 'benchmarks against a real web server' },
  { command: 'python3', package: 'python3', uses: 'tests of users written in Python' },
  {
    command: 'influxd',
    package: 'influxdb',
    uses: 'tests of figures in InfluxDB, and of the queries of the dashboards',
  },
  { command: 'prometheus', package: 'prometheus', uses: 'tests of figures in Prometheus' },
  { command: 'redis-server', package: 'redis-server', uses: 'tests of proxies in front of Redis' },
  { command: 'memcached', package: 'memcached', uses: 'tests of proxies in front of memcached' },
  { command: 'mariadbd', package: 'mariadb-server', uses: 'tests of proxies in front of MySQL' },
  { command: 'pg_lsclusters', package: 'postgresql', uses: 'tests of proxies in front of PostgreSQL' },
  { command: 'aiosmtpd', package: 'python3-aiosmtpd', uses: 'tests of proxies in front of a mail server' },
  { command: 'openssl', package: 'openssl', uses: 'tests of TLS with another client' },
  { command: 'ip', package: 'iproute2', uses: 'tests of a network that drops what it carries' },
  { command: 'iptables', package: 'iptables', uses: 'tests of a network that drops what it carries' },
  { command: 'chromium', package: 'chromium', uses: 'tests of the page and the report in a browser' },
]

try {
  if (!packagesAreFresh()) {
    step('installing packages', 'npm', [existsSync(join(root, 'package-lock.json')) ? 'ci' : 'install'])
  }
  step('building', 'npm', ['run', '--silent', 'build'])
  if (process.argv.includes('--tests')) installSystemPackages()
} catch (error) {
  process.stderr.write(`set-up: ${error.message}\n`)
  process.exitCode = 1
}

/** True when node_modules holds what the lock file says. */
function packagesAreFresh() {
  const lockFile = join(root, 'package-lock.json')
  const installedFile = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(installedFile)) return false
  if (!existsSync(lockFile) || statSync(installedFile).mtimeMs >= statSync(lockFile).mtimeMs) return true
  // A checkout makes the lock file younger without a change in it: what counts is what it says.
  const wanted = JSON.parse(readFileSync(lockFile, 'utf8')).packages
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages
  return Object.entries(wanted).every(([path, { version, resolved, link, optional }]) => {
    if (path === '' || !path.startsWith('node_modules/')) return true
    const found = installed[path]
    // Optional packages of other platforms are not installed, and right so.
    if (found === undefined) return Boolean(optional)
    return link ? found.link === true && found.resolved === resolved : found.version === version
  })
}

function installSystemPackages() {
  const missing = systemPackages.filter(({ command }) => !isOnPath(command))
  if (missing.length === 0) return
  const names = missing.map((each) => each.package)
  const asRoot = howToBecomeRoot()
  let problem = 'it needs apt-get, and root or sudo without a password'
  if (asRoot !== null && isOnPath('apt-get')) {
    const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const [command, ...args] = [...asRoot, 'apt-get']
    try {
      step('updating the list of system packages', command, [...args, '-qq', 'update'], environment)
      const install = [...args, '-qq', 'install', '-y', '--no-install-recommends', ...names]
      step(`installing ${names.join(', ')}`, command, install, environment)
      return
    } catch (error) {
      problem = error.message
    }
  }
  const skipped = missing.map((each) => `  without ${each.package}: no ${each.uses}`).join('\n')
  const text = `cannot install ${names.join(', ')}: ${problem}\n${skipped}\n  by hand: apt-get install ${names.join(' ')}`
  if (onCi) throw new Error(text)
  process.stderr.write(`\n*** TESTS WILL BE SKIPPED: ${text}\n\n`)
}

/** The words that make a command run as root; null when we may not. */
function howToBecomeRoot() {
  if (process.getuid?.() === 0) return []
  if (!isOnPath('sudo') || spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status !== 0) return null
  return ['sudo', '-n', '--preserve-env=DEBIAN_FRONTEND']
}

function isOnPath(command) {
  // Servers live in sbin, which is not on the path of every user.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Runs a command with one line of progress; its output is shown only when it fails. */
function step(title, command, args, env = process.env) {
  const startedAt = performance.now()
  process.stdout.write(`set-up: ${title} ... `)
  const { status, signal, error, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    env,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  if (status === 0) {
    process.stdout.write(`${seconds} s\n`)
    return
  }
  process.stdout.write('failed\n')
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`)
  const why = error ? error.message : signal ? `ended by ${signal}` : `exit code ${status}`
  throw new Error(`${[command, ...args].join(' ')}: ${why}`)
}
