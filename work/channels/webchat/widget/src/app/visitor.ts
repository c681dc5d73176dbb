// Who the visitor is to the server: nobody until the first consented action, then a session. Holds the one token.
import { type Call, pairs } from '../shared/bridge'
import { forget as forgetFiles } from './files'
import { type Given, Keep, type Kept } from './keep'
import { Link } from './link'
import { type Draft, Talk, type TalkEvents } from './talk'
import { type Config, type Hello, Lost, post, Problem, type Push, type Receipt } from './wire'
import { why } from './words'

interface Session {
  token: string
  contact: string
}

export interface VisitorEvents extends Omit<TalkEvents, 'unsent' | 'may' | 'refused'> {
  loaded(contact: string): void
  /** The person was erased; here, in another tab, or by an operator. */
  erased(receipt: Receipt | undefined): void
  config(changes: Partial<Config>): void
  /** The link stands, for the first time or again. */
  up(): void
}

export class Visitor {
  token = ''
  contact = ''
  given: Given | undefined
  email = ''
  /** The link is down although there is a session. */
  away = false
  /** The server closed for good (a close code ≥ 3500 without a meaning of its own). */
  stopped = false
  readonly talk: Talk
  private readonly link: Link
  private readonly keep: Keep
  private jwt = ''
  private user: Record<string, unknown> = {}
  private unsaid: Record<string, unknown> = {} // for the op set
  private owner: string | undefined // hash of the signed user_id the session belongs to
  private beginning: Promise<void> | undefined
  private pageConsent: Given | undefined
  private retry = 0
  private lostTimer = 0
  private life = 0 // counts resets: what began before one must not end after it
  private readonly own = new Set<string>() // the messages that were ever this tab's to send

  constructor(private readonly config: Config, private readonly origin: () => string, private readonly on: VisitorEvents) {
    this.keep = new Keep(config.website, () => this.reset(), () => void this.follow())
    this.link = new Link(config.website, () => this.token, {
      up: (hello) => this.up(hello),
      down: () => this.down(),
      push: (push) => this.hear(push),
      final: (code) => this.final(code),
    })
    this.talk = new Talk(this.link, () => this.token, { ...on, unsent: () => this.save(), may: () => this.agreed, refused: (problem) => this.refused(problem) })
  }

  /** Whether the person has agreed to the notice as it is worded now, or need not. */
  get agreed(): boolean {
    const { required, purpose, version } = this.config.consent
    return !required || (this.given?.purpose === purpose && this.given.version === version)
  }

  get signedIn(): boolean {
    return this.jwt !== ''
  }

  /** Opens what an earlier page left, but a signed identity's conversation only for the same signed identity. */
  async resume(): Promise<void> {
    const kept = await this.join()
    if (!kept) return
    this.talk.restore(kept.unsent.map(restore))
    this.save()
  }

  /** Another tab kept something: it began for this one, too, or what it wrote began the conversation, of which only a new hello tells. */
  private async follow(): Promise<void> {
    await this.join()
    if (!this.token || this.talk.id || this.talk.waiting > 0) return
    this.link.stop()
    this.link.start()
  }

  /** Goes on as who this browser is by now, here or in another tab. What waits in that tab is left to it. */
  private async join(): Promise<Kept | undefined> {
    const { jwt } = this
    const signed = await owner(jwt)
    const kept = this.keep.load()
    if (!kept || this.token || jwt !== this.jwt || kept.user !== signed) return undefined
    const agreed = this.given && this.agreed ? this.given : undefined
    this.token = kept.token
    this.owner = kept.user
    this.given = kept.consent
    if (agreed && !this.agreed) this.agree(agreed.source).catch(() => this.on.agreement())
    this.save()
    this.link.start()
    this.on.changed()
    return kept
  }

  /** Records the agreement. If there is a session the server is told now, else with the session. */
  async agree(source?: 'page'): Promise<void> {
    const { purpose, version, language } = this.config.consent
    const given: Given = { purpose, version, language, at: new Date().toISOString(), ...(source && { source }) }
    if (this.token) await post('/widget/v1/consent', this.token, { ...stated(given), granted: true })
    this.given = given
    this.save()
    this.on.changed()
    this.talk.flush()
    if (this.talk.waiting > 0) void this.begin()
  }

  /** Takes the agreement back: forgets the browser's copy at once, then tells the server. */
  async withdraw(): Promise<void> {
    const { purpose, version, language } = this.given ?? this.config.consent
    this.given = this.pageConsent = undefined
    this.keep.clear()
    this.on.changed()
    if (this.token) await post('/widget/v1/consent', this.token, { purpose, version, language, granted: false })
  }

  /** Sends a message; the first one begins the session. Call it only when agreed. */
  say(draft: Draft): void {
    if (draft.reply_to_email) this.email = draft.reply_to_email
    this.talk.add(draft)
    void this.begin()
  }

  /** Tries a refused message again; what was refused may have been the session. */
  again(draft: Draft): void {
    this.talk.again(draft)
    void this.begin()
  }

  /** Erases the person. The link is down meanwhile: its news of the erasure would come before the receipt. */
  async erase(): Promise<void> {
    this.link.stop()
    try {
      const { receipt } = await post<{ receipt: Receipt }>('/widget/v1/privacy/erase', this.token, { confirm: true, language: this.config.language })
      this.gone(receipt)
    } catch (error) {
      this.link.start()
      throw error
    }
  }

  /** Forgets everything here; the server keeps what it has. */
  reset(): void {
    this.life++
    clearTimeout(this.retry)
    clearTimeout(this.lostTimer)
    this.link.stop()
    this.keep.clear()
    forgetFiles()
    this.token = this.contact = this.email = ''
    this.given = this.pageConsent = this.owner = undefined
    this.away = this.stopped = false
    this.user = {}
    this.unsaid = {}
    this.jwt = ''
    this.talk.forget()
  }

  /** Takes a refusal that ends the session, and tells whether it was one. */
  refused(error: unknown): boolean {
    const code = error instanceof Problem ? error.code : ''
    if (code !== 'unauthenticated' && code !== 'gone') return false
    this.final(code === 'gone' ? 3501 : 3500)
    return true
  }

  reconnect(): void {
    this.stopped = false
    this.link.start()
    void this.begin()
    this.on.changed()
  }

  /** Takes what the page says about the visitor; it reaches the server with the session, not before. */
  set(call: Call): void {
    const [first, second] = call.args
    switch (call.key) {
      case 'user:token':
        if (typeof first === 'string') void this.identify(first)
        return
      case 'consent':
        this.pageAgreed(call.args)
        return
      case 'session:data':
        this.unsaid.data = { ...(this.unsaid.data as object), ...Object.fromEntries(pairs(call.args)) }
        break
      case 'session:segments':
        this.unsaid.segments = { list: first, overwrite: second === true }
        break
      case 'session:event':
        this.unsaid.events = [...((this.unsaid.events as unknown[]) ?? []), ...events(call.args)]
        break
      default:
        this.describe(call.key, call.args)
    }
    this.tell()
  }

  private describe(key: string, [first, second]: unknown[]): void {
    const field = { 'user:email': 'email', 'user:nickname': 'name', 'user:phone': 'phone', 'user:avatar': 'avatar_url', 'user:company': 'company', 'user:grounds': 'grounds' }[key]
    if (!field) return
    const value = field === 'company' ? { name: first, ...(second as object) } : first
    if (field === 'email' && typeof first === 'string') this.email = first
    this.user[field] = value
    this.unsaid.user = { ...(this.unsaid.user as object), [field]: value }
  }

  /** The page's own notice counts if it was about this purpose and this wording. */
  private pageAgreed([purpose, version, granted]: unknown[]): void {
    const { consent } = this.config
    if (purpose !== consent.purpose || version !== consent.version) return
    if (granted === true) {
      this.pageConsent = { purpose: consent.purpose, version: consent.version, language: consent.language, source: 'page', at: new Date().toISOString() }
      if (!this.token) this.given = this.pageConsent
      else if (!this.agreed) this.agree('page').catch(() => {})
      this.on.changed()
    } else if (this.given) {
      this.withdraw().catch(() => {})
    }
  }

  /** A person signed in on the page. The same person goes on; anybody else begins anew and sees nothing of before. */
  private async identify(jwt: string): Promise<void> {
    if (this.beginning) await this.beginning // for whoever was signed in until now
    if ((this.token || this.jwt) && (await owner(jwt)) !== (this.token ? this.owner : await owner(this.jwt))) {
      const { user, unsaid, email, pageConsent } = this
      this.reset()
      Object.assign(this, { user, unsaid, email, pageConsent, given: pageConsent })
    }
    this.jwt = jwt
    await this.resume()
    this.on.changed()
    if (this.talk.waiting > 0) void this.begin()
  }

  private begin(): Promise<void> {
    if (this.token || !this.agreed) return Promise.resolve()
    const { life } = this
    return (this.beginning ??= this.keep.alone(() => this.session(life).finally(() => (this.beginning = undefined))))
  }

  private async session(life: number): Promise<void> {
    await this.join() // another tab may have begun meanwhile
    if (this.token || life !== this.life) return
    const { jwt } = this
    try {
      const { token, contact } = await post<Session>('/widget/v1/sessions?w=' + encodeURIComponent(this.config.website), '', this.request())
      const signed = await owner(jwt)
      if (life !== this.life) return
      this.owner = signed
      this.token = token
      this.greet(contact)
      this.save()
      this.link.start()
    } catch (error) {
      if (life !== this.life) return
      if (error instanceof Lost || (error instanceof Problem && error.passing)) {
        this.away = true
        this.later(error)
      } else if (error instanceof Problem && error.code === 'consent-required') {
        this.given = undefined
        this.on.agreement()
      } else {
        const words = error instanceof Problem ? why(error) : String(error)
        for (const draft of this.talk.unsent) draft.failed = words
      }
      this.on.changed()
    }
  }

  private request(): object {
    const { email, name, phone, grounds } = this.user
    const user = { ...(this.jwt && { token: this.jwt }), ...strings({ email, name, phone }), ...(Array.isArray(grounds) && { grounds }) }
    return {
      website: this.config.website,
      language: this.config.language,
      page_url_origin: this.origin(),
      ...(this.given && { consent: stated(this.given) }),
      ...(Object.keys(user).length > 0 && { user }),
    }
  }

  private later(error: Lost | Problem): void {
    clearTimeout(this.retry)
    const seconds = (error instanceof Problem && error.retryAfter) || 1 + Math.random() * 5
    this.retry = window.setTimeout(() => {
      if (this.talk.waiting > 0) void this.begin()
    }, seconds * 1000)
  }

  private up(hello: Hello): void {
    clearTimeout(this.lostTimer)
    this.away = false
    this.greet(hello.contact)
    this.on.up()
    this.on.changed()
    this.tell()
    this.talk.up(hello.conversation).catch((error) => {
      if (!(error instanceof Lost)) console.error('Aver:', error)
    })
  }

  private greet(contact: string): void {
    if (this.contact === contact) return
    this.contact = contact
    this.on.loaded(contact)
  }

  /** Most losses last less than a moment and are not worth a word. */
  private down(): void {
    clearTimeout(this.lostTimer)
    this.lostTimer = window.setTimeout(() => {
      this.away = true
      this.on.changed()
    }, 1_500)
  }

  private hear(push: Push): void {
    if (push.push === 'erased') this.gone(push.data.receipt as Receipt | undefined)
    else if (push.push === 'config') this.on.config(push.data as Partial<Config>)
    else this.talk.hear(push)
  }

  private gone(receipt?: Receipt): void {
    this.reset()
    this.on.erased(receipt)
  }

  private final(code: number): void {
    if (code === 3501) return this.gone()
    if (code === 3500) {
      const { unsent } = this.talk
      const { jwt, user } = this
      this.reset()
      this.talk.unsent = unsent // in memory only, until the person agrees again
      Object.assign(this, { jwt, user })
      if (unsent.length > 0) this.on.agreement()
    } else {
      this.stopped = true
    }
    this.on.changed()
  }

  /** Passes on what the page said, once there is somebody to say it to. */
  private tell(): void {
    if (!this.link.up || Object.keys(this.unsaid).length === 0) return
    const said = this.unsaid
    this.unsaid = {}
    this.link.request('set', said).catch((error) => {
      if (error instanceof Lost) this.unsaid = { ...said, ...this.unsaid }
      else console.warn('Aver: the server refused what the page said about the visitor:', (error as Problem).title)
    })
  }

  /** Keeps the session with what waits, here and in other tabs. */
  private save(): void {
    if (!this.token || !this.agreed) return
    const mine = this.talk.unsent.filter(whole).map(plain)
    for (const { client_id } of mine) this.own.add(client_id)
    const before = this.keep.load()
    const theirs = before?.token === this.token ? before.unsent.filter(({ client_id }) => !this.own.has(client_id)) : []
    const kept: Kept = { token: this.token, unsent: [...theirs, ...mine] }
    if (this.owner) kept.user = this.owner
    if (this.given) kept.consent = this.given
    this.keep.save(kept)
  }
}

function stated({ purpose, version, language, source }: Given): object {
  return { purpose, version, language, ...(source && { source }) }
}

function strings(fields: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

/** Reads [[[name, data, colour], …]] and adds when it happened. */
function events(args: unknown[]): object[] {
  const list = Array.isArray(args[0]) ? args[0] : [args]
  const at = new Date().toISOString()
  return list.filter((one) => Array.isArray(one) && typeof one[0] === 'string').map(([name, data, color]) => ({
    name, at, ...(data && { data }), ...(color && { color }),
  }))
}

/** Returns the SHA-256 of the token's user_id in hex, or undefined without one. The server checks the signature; here it
 * only tells whose conversation this browser may open again. */
async function owner(jwt: string): Promise<string | undefined> {
  if (!jwt) return undefined
  let id = jwt
  try {
    const payload = jwt.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/')
    id = String((JSON.parse(atob(payload)) as { user_id: unknown }).user_id)
  } catch { /* malformed: the server will say so */ }
  if (!crypto.subtle) return id // no secure context: development on plain HTTP
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(id))
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

function whole(draft: Draft): boolean {
  return draft.files.every((picked) => picked.uploaded)
}

function plain({ client_id, text, at, files, reply_to_email }: Draft): Kept['unsent'][number] {
  const attachments = files.map(({ uploaded }) => {
    const { id, name, type, size } = uploaded!
    return { id, name, type, size }
  })
  return { client_id, text, at, attachments, ...(reply_to_email && { reply_to_email }) }
}

function restore(kept: Kept['unsent'][number]): Draft {
  const files = kept.attachments.map((uploaded) => ({ file: new File([], uploaded.name, { type: uploaded.type }), uploaded, share: 1 }))
  return { client_id: kept.client_id, text: kept.text, at: kept.at, files, ...(kept.reply_to_email && { reply_to_email: kept.reply_to_email }) }
}

/** Makes a version 7 UUID (RFC 9562): the time comes first, so that the server's index of them grows at its end alone. */
export function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const now = Date.now()
  const view = new DataView(bytes.buffer)
  view.setUint32(0, now / 0x10000)
  view.setUint16(4, now % 0x10000)
  bytes[6] = (bytes[6]! & 0x0f) | 0x70
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

