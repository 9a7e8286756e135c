const carriageReturn = 0x0d
const lineFeed = 0x0a

/** What the framer waits for. */
const atType = 0
const inLine = 1
const inNumber = 2
const atLineFeed = 3
const inBody = 4
const behindBody = 5
const behindBodyReturn = 6

/** What an open frame is made of. */
const aggregate = 0
const attribute = 1
const streamed = 2
const streamedAttribute = 3
const streamedString = 4

/** Nobody nests deeper; each level costs memory. */
const deepest = 1000
/** Letters of a word that are kept. */
const longestWord = 16
/** Digits of a length or count; more are no number that anything could have. */
const mostDigits = 15

/**
 * Finds where a value of RESP2 or RESP3 ends, in bytes that are split anywhere. Of the bytes it keeps nothing but the little
 * that says whose answer the value is. Algorithm and types: the RESP3 specification.
 */
export class RespFramer {
  /** First byte of the value, that of attributes before it aside; 0: not known yet. */
  type = 0
  /**
   * Of a simple string its text; of an array or a push its first element where that is a text. 16 letters at most. Only of a
   * push, unless it was asked for.
   */
  word = ''
  /** Whether `type` and `word` are known, so far as they ever will be. */
  isKnown = false
  isDone = true
  /** The last integer within the value. */
  lastNumber = 0
  #state = atType
  /** Of the line that is being read. */
  #lineType = 0
  #number = 0
  #digits = 0
  #isNegative = false
  #isStreamed = false
  #bodyLeft = 0
  #wantsWord = false
  #isWord = false
  readonly #left: number[] = []
  readonly #kinds: number[] = []

  /** A new value begins. */
  start(wantsWord = false): void {
    this.type = 0
    this.word = ''
    this.isKnown = false
    this.isDone = false
    this.#state = atType
    this.#wantsWord = wantsWord
    this.#isWord = false
    this.#left.length = 0
    this.#kinds.length = 0
  }

  /** The next elements of an array whose beginning somebody else has read. */
  startWithin(elements: number): void {
    this.start()
    this.isKnown = true
    this.type = 0x2a
    this.#left.push(elements)
    this.#kinds.push(aggregate)
  }

  /** @returns the offset behind the last byte that belongs to the value; -1: this is not RESP */
  scan(bytes: Buffer, from: number): number {
    let at = from
    while (at < bytes.length && !this.isDone) {
      switch (this.#state) {
        case atType:
          if (!this.#beginLine(bytes[at++]!)) return -1
          break
        case inNumber:
          if (!this.#readDigit(bytes[at++]!)) return -1
          break
        case atLineFeed:
          if (bytes[at++] !== lineFeed || !this.#endNumber()) return -1
          break
        case inLine: {
          const end = bytes.indexOf(lineFeed, at)
          const behind = end === -1 ? bytes.length : end + 1
          if (this.#isWord) this.#addToWord(bytes, at, behind)
          at = behind
          if (end !== -1) this.#endValue()
          break
        }
        case inBody: {
          const behind = Math.min(bytes.length, at + this.#bodyLeft)
          if (this.#isWord) this.#addToWord(bytes, at, behind)
          this.#bodyLeft -= behind - at
          at = behind
          if (this.#bodyLeft === 0) this.#state = behindBody
          break
        }
        case behindBody:
          if (bytes[at++] !== carriageReturn) return -1
          this.#state = behindBodyReturn
          break
        default:
          if (bytes[at++] !== lineFeed) return -1
          this.#endValue()
      }
    }
    return at
  }

  #beginLine(type: number): boolean {
    this.#lineType = type
    const within = this.#kinds.at(-1)
    if (within === undefined && type !== 0x7c /* | */) this.#learnType(type)
    else if (this.#isWord && type !== 0x24 && type !== 0x2b && type !== 0x7c && !this.#isInAttribute())
      this.#endWord()
    // In pieces of a string there is nothing else.
    if ((within === streamedString) !== (type === 0x3b)) return false
    switch (type) {
      case 0x2b: // + simple string
      case 0x2d: // - error
      case 0x5f: // _ null
      case 0x23: // # boolean
      case 0x2c: // , double
      case 0x28: // ( big number
        this.#state = inLine
        return true
      case 0x2e: // . end of a streamed aggregate
        this.#state = inLine
        return within === streamed || within === streamedAttribute
      case 0x24: // $ bulk string
      case 0x21: // ! bulk error
      case 0x3d: // = verbatim string
      case 0x3a: // : integer
      case 0x2a: // * array
      case 0x7e: // ~ set
      case 0x3e: // > push
      case 0x25: // % map
      case 0x7c: // | attribute
      case 0x3b: // ; piece of a streamed string
        break
      default:
        return false
    }
    this.#state = inNumber
    this.#number = 0
    this.#digits = 0
    this.#isNegative = false
    this.#isStreamed = false
    return true
  }

  #learnType(type: number): void {
    this.type = type
    const isPush = type === 0x3e
    this.#isWord = isPush || (this.#wantsWord && (type === 0x2a || type === 0x2b))
    this.isKnown = !this.#isWord
  }

  #readDigit(byte: number): boolean {
    if (byte >= 0x30 && byte <= 0x39) {
      this.#digits++
      this.#number = this.#number * 10 + byte - 0x30
      return this.#digits <= mostDigits || this.#lineType === 0x3a
    }
    if (byte === carriageReturn) {
      this.#state = atLineFeed
      return this.#digits > 0 || this.#isStreamed
    }
    if (this.#digits > 0 || this.#isNegative || this.#isStreamed) return false
    if (byte === 0x2d) this.#isNegative = true
    else if (byte === 0x3f) this.#isStreamed = true
    else if (byte !== 0x2b) return false
    return true
  }

  /** The line of a number is over: a length, a count or the value itself. */
  #endNumber(): boolean {
    const number = this.#isNegative ? -this.#number : this.#number
    switch (this.#lineType) {
      case 0x3a:
        this.lastNumber = number
        this.#endValue()
        return true
      case 0x24:
      case 0x21:
      case 0x3d:
        if (this.#isStreamed) {
          this.#endWord()
          return this.#open(streamedString, Infinity)
        }
        if (number < 0) this.#endValue()
        else this.#beginBody(number)
        return true
      case 0x3b:
        if (this.#isStreamed || number < 0) return false
        if (number > 0) {
          this.#beginBody(number)
        } else {
          this.#close()
          this.#endValue()
        }
        return true
      case 0x7c:
        if (this.#isStreamed) return this.#open(streamedAttribute, Infinity)
        if (number > 0) return this.#open(attribute, 2 * number)
        this.#state = atType
        return true
      default: {
        if (this.#isStreamed) return this.#open(streamed, Infinity)
        const elements = this.#lineType === 0x25 ? 2 * number : number
        if (elements > 0) return this.#open(aggregate, elements)
        this.#endValue()
        return true
      }
    }
  }

  #beginBody(length: number): void {
    this.#bodyLeft = length
    this.#state = length === 0 ? behindBody : inBody
  }

  #open(kind: number, elements: number): boolean {
    this.#kinds.push(kind)
    this.#left.push(elements)
    this.#state = atType
    return this.#kinds.length <= deepest
  }

  #close(): void {
    this.#kinds.pop()
    this.#left.pop()
  }

  #endValue(): void {
    this.#state = atType
    if (this.#lineType === 0x2e) {
      const kind = this.#kinds.at(-1)
      this.#close()
      if (kind === streamedAttribute) return
    } else if (this.#isWord && !this.#isInAttribute()) {
      this.#endWord()
    }
    while (this.#kinds.length > 0) {
      const top = this.#kinds.length - 1
      const kind = this.#kinds[top]!
      if (kind !== aggregate && kind !== attribute) return
      if (--this.#left[top]! > 0) return
      this.#close()
      // The value that an attribute is about follows it.
      if (kind === attribute) return
    }
    this.isDone = true
    this.isKnown = true
  }

  #isInAttribute(): boolean {
    return this.#kinds.includes(attribute) || this.#kinds.includes(streamedAttribute)
  }

  #addToWord(bytes: Buffer, from: number, to: number): void {
    if (this.#isInAttribute()) return
    const more = bytes.toString('latin1', from, Math.min(to, from + longestWord))
    this.word = (this.word + more).slice(0, longestWord)
  }

  #endWord(): void {
    this.word = this.word.trimEnd()
    this.#isWord = false
    this.isKnown = true
  }
}
