import { HeadBytes } from './head-bytes.ts'
import { MysqlCapabilities } from './mysql-capabilities.ts'
import { MysqlFramer } from './mysql-framer.ts'
import { MysqlReply, type MysqlReplyKind } from './mysql-reply.ts'
import { MysqlRequests, type MysqlRequest } from './mysql-requests.ts'
import type { Dialogue, RequestHead, Talk } from './protocol.ts'

/** Bytes of a statement that can be matched. */
const statementBytes = 16 * 1024
/** Bytes of a reply's packet that say where it ends; a greeting has a version in it. */
const replyBytes = 512

/** A connection of MySQL or MariaDB: greeting, login, then commands. */
export class MysqlDialogue implements Dialogue {
  readonly #talk: Talk
  readonly #capabilities = new MysqlCapabilities()
  readonly #requests = new MysqlRequests(this.#capabilities)
  readonly #client = new MysqlFramer(statementBytes)
  readonly #backend = new MysqlFramer(replyBytes)
  /** Of the client, while it is not known what it asks. */
  readonly #held = new HeadBytes()
  #request: MysqlRequest | null = null
  #reply: MysqlReply | null = null
  #replyTo: RequestHead | null = null
  /** What the client's next packet is, where it is no command. */
  #awaited: 'login' | 'authentication' | 'file' | null = 'login'
  #isLoggedIn = false

  constructor(talk: Talk) {
    this.#talk = talk
    talk.requestBegins(this.#requests.greeting())
    talk.requestEnds()
  }

  fromClient(bytes: Buffer): void {
    const packet = this.#client
    let told = 0
    let at = 0
    while (at < bytes.length) {
      at = packet.read(bytes, at)
      if (this.#request === null && packet.hasHead) {
        const request = this.#begun()
        if (typeof request === 'string') {
          this.#talk.opaque(request, this.#held.join(bytes.subarray(told)), null)
          return
        }
        this.#request = request
        this.#talk.requestBegins(request)
        const held = this.#held.take()
        if (held !== null) this.#talk.requestBytes(held)
      }
      if (!packet.ended || this.#request === null) continue
      this.#request.sequence = packet.sequence
      // A file goes on until an empty packet.
      if (this.#awaited === 'file' && packet.length > 0) continue
      this.#talk.requestBytes(bytes.subarray(told, at))
      told = at
      this.#request = null
      this.#awaited = null
      this.#talk.requestEnds()
    }
    if (told === bytes.length) return
    const rest = bytes.subarray(told)
    if (this.#request === null) this.#held.add(rest)
    else this.#talk.requestBytes(rest)
  }

  fromBackend(bytes: Buffer): void {
    const packet = this.#backend
    let told = 0
    let at = 0
    while (at < bytes.length) {
      const reply = (this.#reply ??= this.#replyBegins())
      at = packet.read(bytes, at)
      if (!packet.ended || !reply.take(packet)) continue
      const reason = this.#learn(reply, packet)
      this.#talk.replyBytes(bytes.subarray(told, at))
      told = at
      this.#reply = null
      this.#talk.replyEnds()
      if (reason === null) continue
      const rest = bytes.subarray(at)
      this.#talk.opaque(reason, this.#held.take(), rest.length > 0 ? rest : null)
      return
    }
    if (told < bytes.length) this.#talk.replyBytes(bytes.subarray(told))
  }

  clientEnded(): void {
    const held = this.#held.take()
    if (held !== null) this.#talk.opaque('the client ended within a packet', held, null)
  }

  /** What the packet whose head was read is; why nothing can be known of it and what follows. */
  #begun(): MysqlRequest | string {
    const packet = this.#client
    // Numbers of packets begin anew with each command, whatever else was expected.
    if (packet.sequence === 0 && this.#awaited !== 'file' && this.#awaited !== 'login') this.#awaited = null
    switch (this.#awaited) {
      case 'login': {
        const reason = this.#capabilities.readLogin(packet.head, packet.length)
        return reason ?? this.#requests.login(packet)
      }
      case 'authentication':
        return this.#requests.authentication(packet)
      case 'file':
        return this.#requests.file(packet)
      case null:
        return this.#requests.command(packet) ?? 'a stream of replication'
    }
  }

  #replyBegins(): MysqlReply {
    this.#replyTo = this.#talk.answering()
    this.#talk.replyBegins(this.#replyTo)
    const kind = this.#replyTo?.detail['reply'] as MysqlReplyKind | undefined
    return new MysqlReply(kind ?? 'single', this.#capabilities.deprecatesEof)
  }

  /** What the end of a reply says of what follows. @returns why nothing is understood from here on */
  #learn(reply: MysqlReply, packet: MysqlFramer): string | null {
    if (reply.kind === 'greeting' && !reply.isError && !this.#capabilities.readGreeting(packet.head))
      return 'not MySQL'
    if (reply.asks !== null) this.#awaited = reply.asks
    if (reply.prepared !== null) this.#requests.prepared(reply.prepared, this.#replyTo?.text ?? '')
    if (reply.kind !== 'login' || reply.asks !== null || reply.isError || this.#isLoggedIn) return null
    this.#isLoggedIn = true
    return this.#capabilities.compresses ? 'compression' : null
  }
}
