import { readFile } from 'node:fs/promises'
import { plural } from './console/figures.ts'
import type { HostLimits } from './world.ts'

/** Files that a load process opens besides the connections of its users. */
const ownFiles = 64

/** What the plan needs of one process and of this host. */
export interface Need {
  /** Users at one time in the largest process. */
  usersPerProcess: number
  /** Users at one time on this host. */
  users: number
}

export interface LimitFindings {
  errors: string[]
  warnings: string[]
}

/**
 * Is there room for the connections of the plan? Each user holds one at least, so more users than open files cannot
 * work. Ports are counted per target address, so there only a warning is possible.
 */
export function checkLimits(need: Need, limits: HostLimits): LimitFindings {
  const errors: string[] = []
  const warnings: string[] = []
  const { openFiles, ports } = limits
  if (openFiles !== null) {
    const room = openFiles - ownFiles
    if (need.usersPerProcess > room) {
      errors.push(
        `${plural(need.usersPerProcess, 'user')} in one process may need ${need.usersPerProcess + ownFiles} open files ` +
          `(${ownFiles} are for Loads itself), and the limit here is ${openFiles}: ` +
          `raise it (ulimit -n), use fewer users, or spread them with --agents`,
      )
    } else if (need.usersPerProcess * 2 > room) {
      warnings.push(
        `${need.usersPerProcess} users in one process come close to the limit of ${openFiles} open files (ulimit -n) ` +
          `if each holds more than one connection`,
      )
    }
  }
  if (ports !== null && need.users > ports * 0.9) {
    warnings.push(
      `${need.users} users on this host may need more than its ${ports} local ports towards one target address ` +
        `(net.ipv4.ip_local_port_range)`,
    )
  }
  return { errors, warnings }
}

/** Reads the limits of this process and host from /proc; null where there is none. */
export async function readHostLimits(): Promise<HostLimits> {
  const [limits, range] = await Promise.all([
    readOrNull('/proc/self/limits'),
    readOrNull('/proc/sys/net/ipv4/ip_local_port_range'),
  ])
  return {
    openFiles: limits === null ? null : openFilesOf(limits),
    ports: range === null ? null : portsOf(range),
  }
}

/** The soft limit in the text of /proc/self/limits; null when it is unlimited. */
export function openFilesOf(limits: string): number | null {
  const match = /^Max open files\s+(\d+)/m.exec(limits)
  return match === null ? null : Number(match[1])
}

/** The number of ports in a range "32768 60999". */
export function portsOf(range: string): number | null {
  const match = /^(\d+)\s+(\d+)/.exec(range.trim())
  return match === null ? null : Number(match[2]) - Number(match[1]) + 1
}

async function readOrNull(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch(() => null)
}
