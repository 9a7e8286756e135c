import { execFile } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { promisify } from 'node:util'
import { ChaosError } from '../errors.ts'
import type { FaultScope } from '../proxy/fault-scope.ts'

const run = promisify(execFile)
/** Each command is quick; one that is not will never be. */
const commandMs = 20_000

/** This machine itself, as an endpoint: what is not started in a namespace. */
export const thisMachine = 'host'

/**
 * Endpoints in Linux network namespaces of their own, joined by a switch: cuts drop packets. Here a cut is what it is in a real
 * network: a SYN gets no answer, so that connecting times out, and after a heal TCP sends again what was lost. Needs root.
 */
export class NetworkNamespaces implements AsyncDisposable {
  readonly #prefix: string
  /** The first three numbers of all addresses. */
  readonly #network: string
  /** By endpoint, that of the machine included. */
  readonly #addresses = new Map<string, string>()
  /** How often a packet filter has a rule: cuts that overlap need it once. */
  readonly #drops = new Map<string, number>()
  readonly #scopes = new Set<FaultScope>()

  private constructor(prefix: string, network: string) {
    this.#prefix = prefix
    this.#network = network
  }

  /** What is missing to use it; null: nothing, as far as can be told without trying. */
  static async missing(): Promise<string | null> {
    if (process.platform !== 'linux') return 'network namespaces are a thing of Linux; use PartitionMatrix'
    if (process.getuid?.() !== 0) return 'network namespaces need root; use PartitionMatrix, or run as root'
    for (const [command, argument] of [
      ['ip', '-V'],
      ['iptables', '-V'],
    ] as const) {
      try {
        await run(command, [argument], { timeout: commandMs })
      } catch {
        return `${command} is not there; install iproute2 and iptables`
      }
    }
    return null
  }

  /**
   * @param names of endpoints, up to 200; not `host`
   * @throws {ChaosError} CHAOS_STATE: it cannot be done here, with the reason; then nothing is left of it
   */
  static async open(names: readonly string[]): Promise<NetworkNamespaces> {
    const missing = await NetworkNamespaces.missing()
    if (missing !== null) throw new ChaosError('CHAOS_STATE', missing)
    if (names.length > 200 || new Set(names).size < names.length || names.includes(thisMachine))
      throw new ChaosError(
        'CHAOS_STATE',
        `endpoints must be 200 different names at most, none of them ${thisMachine}`,
      )
    // Interfaces have names of 15 characters at most. 198.18.0.0/15 is for tests of networks (RFC 2544).
    const prefix = `ch${randomBytes(3).toString('hex')}`
    const network = `198.${randomInt(18, 20)}.${randomInt(256)}`
    const made = new NetworkNamespaces(prefix, network)
    try {
      await made.#make(names)
    } catch (error) {
      await made.close()
      const reason = error instanceof Error ? error.message.trim() : String(error)
      throw new ChaosError('CHAOS_STATE', `network namespaces cannot be made here: ${reason}`, {
        cause: error,
      })
    }
    return made
  }

  /** Of an endpoint, or of this machine as endpoints see it. @throws {ChaosError} CHAOS_NOT_FOUND */
  address(name: string): string {
    const address = this.#addresses.get(name)
    if (address !== undefined) return address
    const known = [...this.#addresses.keys()].join(', ')
    throw new ChaosError('CHAOS_NOT_FOUND', `there is no endpoint ${name}; there are ${known}`)
  }

  /** A command as it must be started to be at an endpoint. @throws {ChaosError} CHAOS_NOT_FOUND */
  command(name: string, command: string, ...args: readonly string[]): { command: string; args: string[] } {
    this.address(name)
    if (name === thisMachine) return { command, args: [...args] }
    return { command: 'ip', args: ['netns', 'exec', this.#namespace(name), command, ...args] }
  }

  /**
   * Packets between two endpoints vanish, or with `oneWay` those from the first to the second, until the scope ends.
   *
   * @throws {ChaosError} CHAOS_NOT_FOUND
   */
  async cut(from: string, to: string, { oneWay = false }: { oneWay?: boolean } = {}): Promise<FaultScope> {
    this.address(from)
    this.address(to)
    if (from === to) throw new ChaosError('CHAOS_STATE', `${from} cannot be cut from itself`)
    const ways: [string, string][] = oneWay
      ? [[from, to]]
      : [
          [from, to],
          [to, from],
        ]
    for (const [sender, receiver] of ways) await this.#drop(sender, receiver)
    let isOver = false
    const end = async (): Promise<void> => {
      if (isOver) return
      isOver = true
      this.#scopes.delete(scope)
      for (const [sender, receiver] of ways) await this.#allow(sender, receiver)
    }
    const scope = { end, [Symbol.asyncDispose]: end }
    this.#scopes.add(scope)
    return scope
  }

  /** Ends all cuts. */
  async heal(): Promise<void> {
    for (const scope of this.#scopes) await scope.end()
  }

  /** Takes all of it away; processes at endpoints must have ended. Twice is harmless. */
  async close(): Promise<void> {
    const spaces = [...this.#addresses.keys()]
      .filter((name) => name !== thisMachine)
      .map((name) => this.#namespace(name))
    // The switch goes last, and this machine's end of it with it.
    for (const space of [...spaces, this.#switch]) await run('ip', ['netns', 'del', space]).catch(() => {})
    await run('ip', ['link', 'del', `${this.#prefix}h`]).catch(() => {})
    this.#addresses.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  get #switch(): string {
    return `${this.#prefix}-switch`
  }

  #namespace(name: string): string {
    return `${this.#prefix}-${[...this.#addresses.keys()].indexOf(name)}`
  }

  /** The switch is a bridge in a namespace of its own: this machine's filters and bridges stay as they are. */
  async #make(names: readonly string[]): Promise<void> {
    await ip('netns', 'add', this.#switch)
    await ip('-n', this.#switch, 'link', 'add', 'bridge', 'type', 'bridge')
    await ip('-n', this.#switch, 'link', 'set', 'bridge', 'up')
    this.#addresses.set(thisMachine, `${this.#network}.1`)
    await this.#plug(`${this.#prefix}h`, 'port0', null, `${this.#network}.1`)
    for (const [at, name] of names.entries()) {
      const address = `${this.#network}.${at + 2}`
      this.#addresses.set(name, address)
      const space = this.#namespace(name)
      await ip('netns', 'add', space)
      await ip('-n', space, 'link', 'set', 'lo', 'up')
      await this.#plug('eth0', `port${at + 1}`, space, address)
    }
  }

  /** @param space null: this machine */
  async #plug(end: string, port: string, space: string | null, address: string): Promise<void> {
    const there = space === null ? [] : ['-n', space]
    await ip(...there, 'link', 'add', end, 'type', 'veth', 'peer', 'name', port, 'netns', this.#switch)
    await ip('-n', this.#switch, 'link', 'set', port, 'master', 'bridge', 'up')
    await ip(...there, 'addr', 'add', `${address}/24`, 'dev', end)
    await ip(...there, 'link', 'set', end, 'up')
  }

  async #drop(sender: string, receiver: string): Promise<void> {
    const key = JSON.stringify([sender, receiver])
    const count = this.#drops.get(key) ?? 0
    this.#drops.set(key, count + 1)
    if (count === 0) await this.#filter('-A', sender, receiver)
  }

  async #allow(sender: string, receiver: string): Promise<void> {
    const key = JSON.stringify([sender, receiver])
    const count = this.#drops.get(key)!
    this.#drops.set(key, count - 1)
    if (count === 1) await this.#filter('-D', sender, receiver)
  }

  /** Where the receiver is this machine, its packets are dropped where they are sent. */
  async #filter(what: '-A' | '-D', sender: string, receiver: string): Promise<void> {
    const [space, rule] =
      receiver === thisMachine
        ? [this.#namespace(sender), ['OUTPUT', '-d', this.address(receiver)]]
        : [this.#namespace(receiver), ['INPUT', '-s', this.address(sender)]]
    const [chain, ...match] = rule as [string, ...string[]]
    await run('ip', ['netns', 'exec', space, 'iptables', '-w', what, chain, ...match, '-j', 'DROP'], {
      timeout: commandMs,
    })
  }
}

async function ip(...args: readonly string[]): Promise<void> {
  await run('ip', args, { timeout: commandMs })
}
