// The round button and, after the first click, the frame above it.
import type { ToFrame, ToPage } from '../shared/bridge'
import { hex, inkOn, teal } from '../shared/colour'
import { chatIcon, closeIcon, icon } from '../shared/icons'
import { type Language, pickLanguage } from '../shared/language'
import type { Queue, Shown } from './queue'
import { style } from './style'
import { close_chat as arClose, open_chat as arOpen } from '../../strings/ar.json'
import { close_chat as deClose, open_chat as deOpen } from '../../strings/de.json'
import { close_chat as enClose, open_chat as enOpen } from '../../strings/en.json'
import { close_chat as esClose, open_chat as esOpen } from '../../strings/es.json'
import { close_chat as frClose, open_chat as frOpen } from '../../strings/fr.json'
import { close_chat as hiClose, open_chat as hiOpen } from '../../strings/hi.json'
import { close_chat as itClose, open_chat as itOpen } from '../../strings/it.json'
import { close_chat as nlClose, open_chat as nlOpen } from '../../strings/nl.json'
import { close_chat as plClose, open_chat as plOpen } from '../../strings/pl.json'
import { close_chat as ptClose, open_chat as ptOpen } from '../../strings/pt.json'

const labels: Record<Language, [open: string, close: string]> = {
  en: [enOpen, enClose], de: [deOpen, deClose], fr: [frOpen, frClose], es: [esOpen, esClose], it: [itOpen, itClose],
  pt: [ptOpen, ptClose], nl: [nlOpen, nlClose], pl: [plOpen, plClose], ar: [arOpen, arClose], hi: [hiOpen, hiClose],
}

// allow-same-origin lets the frame be of Aver's own origin, which the page is not. No forms, no modal windows, no top navigation.
const sandbox = 'allow-scripts allow-same-origin allow-downloads allow-popups allow-popups-to-escape-sandbox'

export class Panel implements Shown {
  opened = false
  visible = true
  loaded: () => void = () => {}
  private frame?: HTMLIFrameElement
  private language?: unknown
  private readonly host = document.createElement('div')
  private readonly box = document.createElement('div')
  private readonly button = document.createElement('button')
  private readonly badge = document.createElement('span')

  constructor(private readonly origin: string, private readonly website: string, private readonly queue: Queue) {
    queue.panel = this
    const root = this.host.attachShadow({ mode: 'open' })
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(style)
    root.adoptedStyleSheets = [sheet]
    this.box.hidden = true
    this.button.type = 'button'
    this.button.addEventListener('click', () => (this.opened ? this.close() : this.open(true)))
    root.append(this.box, this.button)
    root.addEventListener('keydown', (event) => {
      if ((event as KeyboardEvent).key === 'Escape' && this.opened) this.close()
    })
    this.host.dir = getComputedStyle(document.documentElement).direction === 'rtl' ? 'rtl' : 'ltr'
    this.paint(teal)
    this.draw()
    document.body.append(this.host)
    visualViewport?.addEventListener('resize', () => this.fit())
  }

  get window(): Window | null {
    return this.frame?.contentWindow ?? null
  }

  post(message: ToFrame): void {
    this.window?.postMessage(message, this.origin)
  }

  /** Opens the chat. The first time it must be asked for by a person: only then may anything be loaded. */
  open(asked: boolean): void {
    if (!this.frame && !asked) {
      this.queue.warn('opens the chat only in answer to a click or key')
      return
    }
    if (this.opened) return
    if (!this.frame) this.load()
    this.turn(true)
    this.frame!.focus()
    this.queue.emit('chat:opened', null)
  }

  close(): void {
    if (!this.opened) return
    const inside = document.activeElement === this.host || document.activeElement === document.body
    this.turn(false)
    if (inside) this.button.focus()
    this.queue.emit('chat:closed', null)
  }

  show(visible: boolean): void {
    if (!visible) this.close()
    this.visible = visible
    this.host.hidden = !visible
  }

  configure(key: string, value: unknown): void {
    if (key === 'color:accent') this.paint(hex(value, teal))
    if (key === 'position:reverse') this.host.toggleAttribute('data-reverse', value === true)
    if (key !== 'language') return
    this.language = value
    this.label()
  }

  /** Takes a message whose origin and source were checked. */
  hear(message: ToPage): void {
    switch (message.is) {
      case 'ready':
        this.host.toggleAttribute('data-ready', true)
        this.paint(hex(message.accent, teal))
        return
      case 'event':
        this.queue.emit(message.name, message.data)
        return
      case 'facts':
        this.queue.unread = message.unread
        this.queue.identifier = message.identifier
        this.label()
        return
      case 'close':
        this.close()
    }
  }

  private load(): void {
    const frame = document.createElement('iframe')
    frame.title = 'Chat'
    frame.setAttribute('sandbox', sandbox)
    frame.referrerPolicy = 'no-referrer'
    frame.addEventListener('load', () => this.loaded())
    frame.src = `${this.origin}/widget/frame?w=${encodeURIComponent(this.website)}&lang=${this.tongue()}`
    this.frame = frame
    this.box.append(frame)
  }

  private turn(open: boolean): void {
    this.opened = open
    this.box.hidden = !open
    this.fit()
    this.draw()
    this.post({ aver: 1, is: 'open', open })
  }

  /** Keeps the writing line above a phone's keyboard. */
  private fit(): void {
    const view = window.visualViewport
    if (view && this.opened) this.host.style.setProperty('--height', view.height + 'px')
  }

  private tongue(): Language {
    return pickLanguage([this.language as string, document.documentElement.lang, ...navigator.languages])
  }

  private draw(): void {
    this.button.replaceChildren(icon(this.opened ? closeIcon : chatIcon, 24), this.badge)
    this.label()
  }

  private label(): void {
    const [open, close] = labels[this.tongue()]
    const unread = this.opened ? 0 : this.queue.unread
    this.badge.textContent = unread > 99 ? '99+' : unread > 0 ? String(unread) : ''
    this.button.setAttribute('aria-label', this.opened ? close : unread > 0 ? `${open} (${unread})` : open)
    this.button.setAttribute('aria-expanded', String(this.opened))
  }

  private paint(accent: string): void {
    this.host.style.setProperty('--accent', accent)
    this.host.style.setProperty('--ink', inkOn(accent))
  }
}
