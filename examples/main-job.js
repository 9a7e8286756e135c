/**
 * The main job of `npm start`: the tests of the front page against the target beside them, on five local agents.
 *
 *     npm start                       ten seconds of load, live
 *     npm start -- --users 200        any option of loads-runner, after the defaults
 */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startTarget } from './target/server.js'

const here = dirname(fileURLToPath(import.meta.url))
const command = join(here, '..', 'packages', 'loads-runner', 'bin', 'loads-runner.js')
const args = [
  'example.TestWebSite',
  '--agents',
  '5',
  '--users',
  '50',
  '--duration',
  '10s',
  ...process.argv.slice(2),
]

/** npm and the terminal both deliver one Ctrl-C. Within this many milliseconds they are one. */
const sameKeyMs = 250

let target
try {
  target = await startTarget()
} catch (error) {
  console.error(`error: the target of the example does not start: ${error.message}`)
  process.exit(4)
}
console.log(`target: ${target.httpUrl} and ${target.wsUrl}`)
console.log(`loads-runner ${args.join(' ')}\n`)

// In a process group of its own: so that Ctrl-C arrives there once, from here, and not from the terminal as well.
const runner = spawn(process.execPath, [command, '--test-dir', here, ...args], {
  stdio: 'inherit',
  detached: true,
})

const lastPassed = new Map()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGWINCH']) {
  process.on(signal, () => {
    const now = performance.now()
    if (now - (lastPassed.get(signal) ?? -Infinity) < sameKeyMs) return
    lastPassed.set(signal, now)
    runner.kill(signal)
  })
}
process.on('exit', () => {
  if (runner.exitCode === null && runner.signalCode === null) runner.kill('SIGKILL')
})

/** @type {number} */
const exitCode = await new Promise((resolve) => {
  runner.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']))
  runner.once('error', (error) => {
    console.error(`error: cannot start loads-runner: ${error.message}`)
    resolve(4)
  })
})
const { http, websocket, messages } = target.count()
console.log(`\nThe target itself counted ${http} requests, ${websocket} WebSockets and ${messages} messages.`)
await target.stop()
process.exit(exitCode)
