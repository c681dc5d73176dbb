// One conversation: what was said, in order and once, and what still waits to be said. No DOM here.
import type { Link } from './link'
import { drop, type Picked, remember } from './files'
import { type Attachment, type Conversation, Lost, type Message, Problem, type Push, upload } from './wire'
import { why } from './words'

export interface Draft {
  client_id: string
  text: string
  at: string
  files: Picked[]
  reply_to_email?: string
  /** Why the server refused it, in words to show; undefined while it waits. */
  failed?: string
  /** It would be refused again, whenever it is sent. */
  lasting?: boolean
}

export interface TalkEvents {
  /** Something to draw changed. */
  changed(): void
  /** The unsent messages changed and should be kept. */
  unsent(): void
  /** Whether the person has agreed to anything being sent. */
  may(): boolean
  started(conversation: string): void
  sent(message: { conversation: string; seq: number; at: string }): void
  received(message: Message): void
  /** The server does not know the token any more; tells whether that was so. */
  refused(problem: Problem): boolean
  /** The server wants an agreement before it takes the message. */
  agreement(): void
}

const page = 50
const typingFor = 5_000

export class Talk {
  id = ''
  state = 'open'
  messages: Message[] = []
  unsent: Draft[] = []
  more = false
  unread = 0
  typing = ''
  /** The highest seq of the visitor's that arrived at, and was read by, somebody. */
  delivered = 0
  read = 0
  private epoch = ''
  private offset = 0
  private redactions = 0 // how many messages were taken out, as far as we know
  private seen = false
  private held: Push[] | undefined // pushes that arrive while we catch up
  private flushing = false
  private asked = false // to flush, while that was going on
  private typingTimer = 0

  constructor(private readonly link: Link, private readonly token: () => string, private readonly on: TalkEvents) {}

  /** How many messages are still to go; those that were refused stay until the visitor says. */
  get waiting(): number {
    return this.unsent.filter((draft) => draft.failed === undefined).length
  }

  /** After hello: finds what was missed, then sends what waits. */
  async up(conversation: Conversation | undefined): Promise<void> {
    if (conversation) {
      if (conversation.id !== this.id) this.begin(conversation.id)
      this.state = conversation.state
      this.unread = conversation.unread
      await this.catchUp(conversation.offset)
    }
    this.flush()
  }

  forget(): void {
    this.begin('')
    this.unsent = []
    this.on.changed()
  }

  /** Takes up what an earlier page could not send, before what was written here meanwhile. */
  restore(drafts: Draft[]): void {
    const here = new Set(this.unsent.map((draft) => draft.client_id))
    this.unsent = [...drafts.filter((draft) => !here.has(draft.client_id)), ...this.unsent]
    this.on.changed()
    this.flush()
  }

  add(draft: Draft): void {
    this.unsent.push(draft)
    this.on.unsent()
    this.on.changed()
    this.flush()
  }

  again(draft: Draft): void {
    delete draft.failed
    this.on.changed()
    this.flush()
  }

  drop(draft: Draft): void {
    this.unsent = this.unsent.filter((other) => other !== draft)
    this.on.unsent()
    this.on.changed()
  }

  /** The visitor looks at the conversation, or stops to. */
  look(seen: boolean): void {
    this.seen = seen
    if (seen) this.markRead()
  }

  markRead(): void {
    const last = this.messages.at(-1)?.seq ?? 0
    if (this.unread === 0 || last === 0) return
    this.unread = 0
    this.on.changed()
    this.tell('read', { conversation: this.id, seq: last })
  }

  typed(on: boolean): void {
    if (this.id) this.tell('typing', { conversation: this.id, on })
  }

  async older(): Promise<void> {
    const before = this.messages[0]?.seq ?? 0
    const ok = await this.history(before, page)
    for (const message of ok.messages) this.insert(message)
    this.more = ok.more
    this.on.changed()
  }

  hear(push: Push): void {
    if (push.channel && push.channel !== this.id) return
    switch (push.push) {
      case 'message':
        if (this.held) this.held.push(push)
        else this.take(push)
        return
      case 'typing':
        this.showTyping(push.data)
        return
      case 'read':
        this.marks(push.data)
        return
      case 'redacted':
        if (this.held) this.held.push(push)
        else this.redact(Number(push.data.seq))
        return
      case 'conversation':
        if (typeof push.data.state === 'string') this.state = push.data.state
        this.on.changed()
    }
  }

  /** Sends what waits, oldest first, one at a time. What has no answer stays and goes again after a reconnect. */
  flush(): void {
    this.asked = true
    if (this.flushing || !this.link.up) return
    this.flushing = true
    this.asked = false
    this.sendAll()
      .catch((error) => {
        if (!(error instanceof Lost)) console.error('Aver:', error)
        if (this.link.up) this.later(0) // an upload was cut off while the socket stands
      })
      .finally(() => {
        this.flushing = false
        if (this.asked) this.flush()
      })
  }

  private async sendAll(): Promise<void> {
    for (let draft = this.next(); draft; draft = this.next()) {
      try {
        await this.send(draft)
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        if (this.on.refused(error)) return
        if (error.code === 'consent-required') return this.on.agreement()
        if (error.passing) {
          this.later(error.retryAfter)
          return
        }
        draft.failed = why(error)
        draft.lasting = error.lasting
        this.on.changed()
      }
    }
  }

  private later(seconds: number): void {
    setTimeout(() => this.flush(), (seconds || 2 + Math.random() * 3) * 1000)
  }

  private next(): Draft | undefined {
    return this.on.may() ? this.unsent.find((draft) => draft.failed === undefined) : undefined
  }

  private async send(draft: Draft): Promise<void> {
    const attachments: Attachment[] = []
    for (const picked of draft.files) attachments.push(await this.uploaded(picked))
    this.on.unsent()
    const { client_id, text, reply_to_email } = draft
    const ok = (await this.link.request('send', {
      client_id, text,
      ...(this.id && { conversation: this.id }),
      ...(attachments.length > 0 && { attachments: attachments.map((a) => a.id) }),
      ...(reply_to_email && { reply_to_email }),
    })) as { conversation: string; seq: number; at: string }
    const fresh = ok.conversation !== this.id
    if (fresh) this.begin(ok.conversation)
    this.insert({ conversation: ok.conversation, seq: ok.seq, client_id, at: ok.at, from: { kind: 'visitor' }, text, attachments })
    this.drop(draft)
    this.on.sent({ conversation: ok.conversation, seq: ok.seq, at: ok.at })
    if (!fresh) return
    this.on.started(ok.conversation)
    await this.catchUp() // an answer may have been quicker than we
  }

  private async uploaded(picked: Picked): Promise<Attachment> {
    if (!picked.uploaded) {
      picked.uploaded = await upload(this.token(), picked.file, (share) => {
        picked.share = share
        this.on.changed()
      })
      remember(picked.uploaded.id, picked.file)
    }
    return picked.uploaded
  }

  private begin(id: string): void {
    this.id = id
    this.messages = []
    this.epoch = ''
    this.offset = this.redactions = this.unread = this.delivered = this.read = 0
    this.more = false
    this.typing = ''
    this.held = undefined
  }

  /** Subscribes from where we are. Pushes wait until nothing is missing, so that nobody sees a hole. What was missed is
   * unread, but for the messages up to counted, which the server has counted already. */
  private async catchUp(counted = 0): Promise<void> {
    const { id, epoch, offset } = this
    const here = this.messages.length > 0 // or else all of it is old
    const held: Push[] = (this.held = [])
    try {
      const ok = (await this.link.request('subscribe', { channel: id, epoch, offset })) as {
        epoch: string; offset: number; recovered: boolean; read?: number; redactions?: number; messages?: Message[]
      }
      const taken = here && (ok.redactions ?? 0) !== this.redactions // something that we show was taken out meanwhile
      const from = taken ? this.messages[0]!.seq : here ? this.messages.at(-1)!.seq + 1 : 0
      const missed = ok.recovered && !taken ? { messages: ok.messages ?? [], more: this.more } : await this.everything(from)
      if (id !== this.id || this.held !== held) return
      for (const message of missed.messages) {
        const fresh = this.insert(message)
        if (!fresh || message.from.kind === 'visitor') continue
        if (message.seq > counted) this.unread++
        if (here) this.on.received(message)
      }
      this.redactions = ok.redactions ?? 0
      this.more = missed.more
      this.epoch = ok.epoch
      this.offset = ok.offset
      this.read = Math.max(this.read, ok.read ?? 0)
    } finally {
      if (this.held === held) this.held = undefined
    }
    if (this.seen) this.markRead()
    this.on.changed()
    for (const push of held) this.hear(push)
  }

  /** Reads the history back to a message, or its last page if that is 0. */
  private async everything(from: number): Promise<{ messages: Message[]; more: boolean }> {
    let { messages, more } = await this.history(undefined, page)
    while (from > 0 && more && messages[0] && messages[0].seq > from) {
      const before = await this.history(messages[0].seq, page)
      messages = [...before.messages, ...messages]
      more = before.more
    }
    return { messages, more: from > 0 ? this.more : more }
  }

  private async history(before: number | undefined, limit: number): Promise<{ messages: Message[]; more: boolean }> {
    return (await this.link.request('history', { channel: this.id, ...(before && { before }), limit })) as never
  }

  private take(push: Push): void {
    const offset = push.offset ?? 0
    if (push.epoch !== this.epoch || offset > this.offset + 1) {
      this.catchUp().catch(() => {}) // the way was lost: up() does it again
      return
    }
    this.offset = Math.max(this.offset, offset)
    const message = push.data as unknown as Message
    const fresh = this.insert(message)
    if (fresh && message.from.kind !== 'visitor') {
      this.typing = ''
      this.unread++
      this.on.received(message)
      if (this.seen) this.markRead()
    }
    this.on.changed()
  }

  /** Puts a message in its place; tells whether it was new. */
  private insert(message: Message): boolean {
    if (message.conversation !== this.id) return false
    if (message.client_id) {
      const before = this.unsent.length
      this.unsent = this.unsent.filter((draft) => draft.client_id !== message.client_id)
      if (before !== this.unsent.length) this.on.unsent()
    }
    const at = this.messages.findIndex((other) => other.seq >= message.seq)
    const known = this.messages[at]?.seq === message.seq
    if (known && message.redacted) for (const file of this.messages[at]!.attachments) drop(file.id)
    if (at < 0) this.messages.push(message)
    else this.messages.splice(at, known ? 1 : 0, message)
    if (message.from.kind !== 'visitor') return !known
    if (message.state === 'read') this.read = Math.max(this.read, message.seq)
    if (message.state === 'delivered') this.delivered = Math.max(this.delivered, message.seq)
    return !known
  }

  /** A message was taken out, for everybody: its words and files go from here, too. */
  private redact(seq: number): void {
    this.redactions++
    const message = this.messages.find((other) => other.seq === seq)
    if (message) this.insert({ ...message, text: '', attachments: [], redacted: true })
    this.on.changed()
  }

  private marks(data: Record<string, unknown>): void {
    const seq = Number(data.seq) || 0
    if (data.by === 'visitor') this.unread = this.messages.filter((m) => m.seq > seq && m.from.kind !== 'visitor').length
    else if (data.state === 'delivered') this.delivered = Math.max(this.delivered, seq)
    else this.read = Math.max(this.read, seq)
    this.on.changed()
  }

  private showTyping(data: Record<string, unknown>): void {
    clearTimeout(this.typingTimer)
    const from = data.from as { kind?: string; name?: string } | undefined
    if (from?.kind === 'visitor') return
    this.typing = data.on ? from?.name || '…' : ''
    if (this.typing) {
      this.typingTimer = window.setTimeout(() => {
        this.typing = ''
        this.on.changed()
      }, typingFor)
    }
    this.on.changed()
  }

  /** Says something nobody waits for. */
  private tell(op: string, body: object): void {
    this.link.request(op, body).catch(() => {})
  }
}
