/** Longest piece that is read at once. */
export const readBytes = 64 * 1024

/**
 * The read buffer of this load thread: all its connections read into it, one after the other, so nothing is allocated
 * per read. Longer than what is read, since the parser puts a 0 behind it.
 */
export const readBuffer = Buffer.from(new ArrayBuffer(readBytes + 8))

/** The same bytes, four at a time. */
export const readWords = new Int32Array(readBuffer.buffer)
