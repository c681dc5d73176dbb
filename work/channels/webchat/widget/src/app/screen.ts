// The frame around every screen: who answers, the ways between the screens, the keyboard.
import { backIcon, closeIcon, icon, moreIcon } from '../shared/icons'
import { h, place, say } from './dom'
import type { Config } from './wire'
import { t } from './words'

export interface Screen {
  readonly el: HTMLElement
  /** Empty for the conversation, which has the website's name above it. */
  readonly title: string
  update(): void
  focus?(): void
  /** The screen is turned to. */
  enter?(): void
  /** What the menu offers to do on this screen at once. */
  shortcut?(): { title: string; act: () => void } | undefined
}

export class Shell {
  screen: Screen
  private readonly name = h('h1')
  private readonly who = h('p.who')
  private readonly heading = h('h2', { tabindex: -1 })
  private readonly main = h('main')
  private readonly back = button('back', backIcon, t('back'), () => this.show(this.home))
  private readonly more = button('more', moreIcon, t('more'), () => this.menu(this.items.hidden === true))
  private readonly items = h('ul.menu', { id: 'menu', hidden: true })

  constructor(private readonly config: Config, private readonly home: Screen, private readonly others: Screen[], private readonly close: () => void) {
    this.screen = home
    this.more.setAttribute('aria-controls', 'menu')
    this.more.setAttribute('aria-expanded', 'false')
    const logo = config.logo_url?.startsWith('/') ? h('img.logo', { src: config.logo_url, alt: '', width: 32, height: 32 }) : null
    document.title = config.name
    const wrapper = h('div.more', {}, this.more, this.items)
    document.body.replaceChildren(
      h('header', {}, this.back, logo, h('div.title', {}, this.name, this.who), wrapper, button('close', closeIcon, t('close_chat'), close)), this.main)
    document.addEventListener('keydown', (event) => this.key(event))
    document.addEventListener('pointerdown', (event) => {
      if (!wrapper.contains(event.target as Node)) this.menu(false)
    })
    this.draw()
  }

  show(screen: Screen): void {
    this.menu(false)
    this.screen = screen
    screen.enter?.()
    this.draw()
    this.focus()
  }

  update(): void {
    say(this.name, this.config.name)
    const { kind, name } = this.config.answered_by
    const who = t(`who_${kind}` as 'who_team', { name })
    say(this.who, this.config.online || kind === 'assistant' ? who : `${who} · ${t('away')}`)
    this.who.classList.toggle('online', this.config.online)
    this.screen.update()
  }

  focus(): void {
    if (this.screen.focus) this.screen.focus()
    else this.heading.focus()
  }

  private draw(): void {
    const away = this.screen !== this.home
    this.back.hidden = !away
    this.heading.textContent = this.screen.title
    place(this.main, away ? [this.heading, this.screen.el] : [this.screen.el])
    this.update()
  }

  private menu(open: boolean): void {
    if (this.items.hidden === !open) return
    if (open) this.items.replaceChildren(...this.others.flatMap((other) => this.choices(other)))
    this.items.hidden = !open
    this.more.setAttribute('aria-expanded', String(open))
  }

  private choices(other: Screen): HTMLElement[] {
    const item = (title: string, act: () => void): HTMLElement => h('li', {}, h('button', { type: 'button', onclick: act }, title))
    const shortcut = other.shortcut?.()
    const more = shortcut && item(shortcut.title, () => {
      this.show(other)
      shortcut.act()
    })
    return [item(other.title, () => this.show(other)), ...(more ? [more] : [])]
  }

  private key(event: KeyboardEvent): void {
    if (event.key === 'Escape') {
      event.preventDefault()
      if (!this.items.hidden) {
        this.menu(false)
        this.more.focus()
      } else this.close()
    }
    if (event.key === 'Tab') this.trap(event)
  }

  /** Keeps Tab inside the chat while it is open; Escape leaves. */
  private trap(event: KeyboardEvent): void {
    const stops = [...document.querySelectorAll<HTMLElement>('a[href], button, input, textarea, [tabindex="0"]')].filter(
      (stop) => stop.tabIndex >= 0 && !stop.matches(':disabled') && stop.checkVisibility())
    const [first, last] = [stops[0], stops.at(-1)]
    const edge = event.shiftKey ? first : last
    if (document.activeElement !== edge && document.activeElement !== document.body) return
    event.preventDefault()
    ;(event.shiftKey ? last : first)?.focus()
  }
}

function button(name: string, shape: readonly string[], label: string, onclick: () => void): HTMLButtonElement {
  return h(`button.icon.${name}` as 'button', { type: 'button', 'aria-label': label, title: label, onclick }, icon(shape))
}
