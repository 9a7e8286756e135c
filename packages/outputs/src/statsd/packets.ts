/** What passes through Ethernet without being split: 1,500 bytes less headers, with room for tunnels. */
export const longestPacket = 1_432

/** Lines together in as few packets as hold them in order. A line that is longer than a packet goes alone. */
export function packetsOf(lines: readonly string[], longestBytes = longestPacket): Buffer[] {
  const packets: Buffer[] = []
  let together: string[] = []
  let length = 0
  const close = () => {
    if (together.length > 0) packets.push(Buffer.from(together.join('\n')))
    together = []
    length = 0
  }
  for (const line of lines) {
    const bytes = Buffer.byteLength(line)
    if (length > 0 && length + 1 + bytes > longestBytes) close()
    length += bytes + (together.length > 0 ? 1 : 0)
    together.push(line)
  }
  close()
  return packets
}
