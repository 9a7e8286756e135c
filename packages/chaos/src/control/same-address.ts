import { lookup } from 'node:dns/promises'
import { hostToBind, parseAddress, showAddress } from '../proxy/address.ts'

/** Whether a proxy that listens at `bound` does what `given` asks for; names are resolved. Port 0 always asks for another. */
export async function isSameAddress(given: string, bound: string): Promise<boolean> {
  if (given === bound) return true
  try {
    const wanted = parseAddress(given, 'listen')
    const there = parseAddress(bound, 'listen')
    if (wanted.port !== there.port || wanted.tls !== there.tls) return false
    const { address } = await lookup(hostToBind(wanted.host))
    return showAddress({ host: address, port: wanted.port }) === showAddress(there)
  } catch {
    // Not to be resolved: whoever makes it tells what is wrong.
    return false
  }
}
