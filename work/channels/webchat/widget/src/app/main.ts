// The chat, in a frame of Aver's own origin. It starts on the visitor's first click and speaks PROTOCOL.md.
import type { Call } from '../shared/bridge'
import { type Language, pickLanguage } from '../shared/language'
import { ChatScreen } from './chat'
import { h } from './dom'
import { Page } from './page'
import { RightsScreen } from './rights'
import { Shell } from './screen'
import { SettingsScreen } from './settings'
import { theme } from './theme'
import { uuid, Visitor } from './visitor'
import { type Config, getConfig, Lost } from './wire'
import { speak, t } from './words'

class App {
  private readonly visitor: Visitor
  private readonly chat: ChatScreen
  private readonly rights: RightsScreen
  private readonly shell: Shell
  private opened = false
  private drawing = false
  private renewal = 0
  private colours: { accent?: unknown; scheme?: unknown } = {}

  constructor(private readonly config: Config, private readonly page: Page) {
    this.paint()
    this.visitor = new Visitor(config, () => page.origin, {
      changed: () => this.draw(),
      started: (conversation) => page.emit('chat:initiated', { conversation }),
      sent: (message) => page.emit('message:sent', message),
      received: ({ conversation, seq, at, from }) => page.emit('message:received', { conversation, seq, at, from: from.kind }),
      agreement: () => void this.askAgain(),
      loaded: (contact) => page.emit('session:loaded', contact),
      erased: (receipt) => this.erased(receipt),
      config: (changes) => this.configured(changes),
      up: () => this.renew(0, 2_000), // what was told meanwhile was not heard
    })
    this.chat = new ChatScreen(config, this.visitor)
    this.rights = new RightsScreen(config, this.visitor, () => this.shell.show(this.chat))
    const settings = new SettingsScreen(config, this.visitor)
    this.shell = new Shell(config, this.chat, [this.rights, settings], () => page.post({ aver: 1, is: 'close' }))
    document.addEventListener('visibilitychange', () => this.look())
    setInterval(() => this.draw(), 30_000) // "5 min ago" grows older
    this.renewAtChange()
  }

  /** The page has said what it queued before the first click. */
  begin(calls: Call[], open: boolean): void {
    this.page.post({ aver: 1, is: 'ready', accent: this.paint() })
    for (const call of calls) this.call(call)
    this.open(open)
    void this.visitor.resume()
  }

  open(open: boolean): void {
    this.opened = open
    this.draw()
    if (open) this.shell.focus()
    this.look()
  }

  call(call: Call): void {
    if (call.verb === 'config') this.configure(call)
    else if (call.verb === 'do') this.act(call)
    else if (call.key === 'message:text') this.chat.composer.fill(String(call.args[0] ?? ''))
    else this.visitor.set(call)
    this.draw()
  }

  private configure({ key, args }: Call): void {
    if (key === 'color:accent') this.colours.accent = args[0]
    if (key === 'color:scheme') this.colours.scheme = args[0]
    this.paint()
  }

  private act({ key, args }: Call): void {
    switch (key) {
      case 'session:reset':
        this.visitor.reset()
        this.chat.clear()
        return
      case 'message:send':
        if (typeof args[1] === 'string') this.chat.submit({ client_id: uuid(), text: args[1], at: new Date().toISOString(), files: [] })
        return
      case 'message:show':
        if (typeof args[1] !== 'string') return
        this.chat.notes.push({ client_id: uuid(), text: args[1], at: new Date().toISOString(), name: this.config.answered_by.name })
        return
      case 'message:read':
        return this.visitor.talk.markRead()
      case 'privacy:export':
      case 'privacy:erase':
        this.shell.show(this.rights)
        if (!this.visitor.token) return
        if (key === 'privacy:erase') this.rights.confirm() // the person decides, never the page
        else void this.rights.askCopy()
        return
      case 'consent:withdraw':
        this.visitor.withdraw().catch(() => {})
    }
  }

  private configured(changes: Partial<Config>): void {
    Object.assign(this.config, changes)
    this.renewAtChange()
    this.draw()
  }

  /** Asks for the configuration again at a moment between two, in milliseconds from now: not all widgets at once. The
   * notice stays as it is; another is shown when the server asks for it. */
  private renew(from: number, to: number): void {
    clearTimeout(this.renewal)
    this.renewal = window.setTimeout(() => {
      const { website, language, consent } = this.config
      getConfig(website, language).then((fresh) => this.configured({ ...fresh, language, consent }), () => this.renew(20_000, 40_000))
    }, from + Math.random() * (to - from))
  }

  /** Office hours begin and end without a word of the server's. */
  private renewAtChange(): void {
    clearTimeout(this.renewal)
    const left = Date.parse(this.config.until) - Date.now()
    if (left > 0) this.renew(left, left + 10_000)
    else if (left <= 0) this.renew(20_000, 40_000) // this clock is ahead of the server's
  }

  private paint(): string {
    return theme(this.colours.accent ?? this.config.accent, this.colours.scheme ?? this.config.color_scheme)
  }

  /** The wording changed meanwhile, or the session is gone: show the notice as it is now. */
  private async askAgain(): Promise<void> {
    const fresh = await getConfig(this.config.website, this.config.language).catch(() => null)
    if (fresh) Object.assign(this.config, fresh)
    this.visitor.given = undefined
    this.shell.show(this.chat)
    this.chat.ask()
  }

  private erased(receipt: Parameters<RightsScreen['showErased']>[0]): void {
    this.chat.clear()
    this.shell.show(this.rights)
    this.rights.showErased(receipt)
  }

  private look(): void {
    this.visitor.talk.look(this.opened && !document.hidden && this.shell.screen === this.chat)
  }

  private draw(): void {
    if (this.drawing) return
    this.drawing = true
    queueMicrotask(() => {
      this.drawing = false
      this.shell.update()
      this.look()
      this.page.post({ aver: 1, is: 'facts', unread: this.visitor.talk.unread, identifier: this.visitor.contact })
    })
  }
}

/** Says that the chat cannot be had, with a way to try again and a way out. */
function sorry(page: Page, error: unknown): void {
  document.body.replaceChildren(h('main.sorry', {}, h('h1', {}, t('unreachable')), h('div.buttons', {},
    h('button.primary', { type: 'button', onclick: () => location.reload() }, t('retry')),
    h('button', { type: 'button', onclick: () => page.post({ aver: 1, is: 'close' }) }, t('close_chat')))))
  page.post({ aver: 1, is: 'ready', accent: theme(null, null) })
  if (!(error instanceof Lost)) console.error('Aver:', error)
}

/** Fetches what the first picture needs: words and configuration, at the same time. */
async function prepare(website: string, wanted: Language): Promise<Config> {
  const words = speak(wanted)
  const config = await getConfig(website, wanted)
  await words
  const language = pickLanguage([config.language, wanted])
  if (language !== wanted) await speak(language)
  return config
}

function main(): void {
  const query = new URLSearchParams(location.search)
  const early: Call[] = []
  let app: App | undefined
  let open = false
  let heard = (): void => {}
  const said = new Promise<void>((resolve) => (heard = resolve))
  const page = new Page({
    init: (calls, shown) => {
      early.push(...calls)
      open = shown
      heard()
    },
    call: (call) => {
      if (app) app.call(call)
      else early.push(call)
    },
    open: (shown) => {
      open = shown
      app?.open(shown)
    },
  })
  prepare(query.get('w') ?? '', pickLanguage([query.get('lang'), ...navigator.languages]))
    .then(async (config) => {
      await said
      app = new App(config, page)
      app.begin(early, open)
    })
    .catch((error) => said.then(() => sorry(page, error)))
}

main()
