// The conversation screen.
import { askAgreement, noticeLink } from './agreement'
import { Composer } from './composer'
import { h, say } from './dom'
import { icon, sendIcon } from '../shared/icons'
import type { Screen } from './screen'
import type { Draft } from './talk'
import { type Note, Transcript } from './transcript'
import type { Visitor } from './visitor'
import type { Config } from './wire'
import { count, regionName, t } from './words'

export class ChatScreen implements Screen {
  readonly title = ''
  readonly el: HTMLElement
  readonly composer: Composer
  readonly notes: Note[] = []
  private readonly transcript: Transcript
  private readonly intro = h('p.greeting', { dir: 'auto' })
  private readonly older = h('button.link.older', { type: 'button', onclick: () => void this.visitor.talk.older().catch(() => {}) }, t('older'))
  private readonly typing = h('p.typing', { role: 'status' })
  private readonly scroll: HTMLElement
  private readonly latest = h('button.icon.latest', { type: 'button', 'aria-label': t('latest'), title: t('latest'), hidden: true }, icon(sendIcon))
  private readonly connection = h('p.connection', { role: 'status', hidden: true })
  private readonly reconnect = h('button.link', { type: 'button', onclick: () => this.visitor.reconnect() }, t('retry'))
  private readonly agreement = h('div')
  private readonly where = h('p.where')
  private pending: Draft[] = [] // what waits for the agreement
  private bottom = true

  constructor(private readonly config: Config, private readonly visitor: Visitor) {
    this.transcript = new Transcript(visitor)
    this.composer = new Composer(config, visitor, (draft) => this.submit(draft))
    this.scroll = h('div.scroll', { tabindex: 0, role: 'region', 'aria-label': t('conversation') }, this.intro, this.older, this.transcript.el, this.typing)
    this.el = h('div.chat', {}, h('div.reading', {}, this.scroll, this.latest), this.connection, this.agreement, this.composer.el, this.where,
      h('p.dropping', { 'aria-hidden': 'true' }, t('drop')))
    this.scroll.addEventListener('scroll', () => this.scrolled(), { passive: true })
    this.latest.addEventListener('click', () => this.toEnd())
    new ResizeObserver(() => this.bottom && this.toEnd()).observe(this.scroll)
    new ResizeObserver(() => this.bottom && this.toEnd()).observe(this.transcript.el) // a picture arrived
    this.drops()
  }

  update(): void {
    const { config, visitor } = this
    say(this.intro, config.online ? config.reply_time_text || t('greeting') : config.offline_message || t('greeting_away'))
    this.older.hidden = !visitor.talk.more
    this.transcript.update(this.notes)
    const { typing } = visitor.talk
    say(this.typing, typing === '' ? '' : typing === '…' ? t('typing_someone') : t('typing', { name: typing }))
    this.status()
    this.composer.update()
    this.drawWhere()
    if (this.bottom) this.toEnd()
  }

  focus(): void {
    const touch = matchMedia('(pointer: coarse)').matches // focus would bring the keyboard up over what there is to read
    const asking = this.agreement.querySelector('h2')
    if (asking) asking.focus()
    else if (touch || this.composer.text.checkVisibility?.() === false) this.scroll.focus({ preventScroll: true })
    else this.composer.focus()
  }

  /** Shows the notice; what waits for it goes out with the agreement. */
  ask(): void {
    if (this.agreement.firstChild) return
    this.agreement.append(askAgreement(this.config, (agreed) => void this.answered(agreed)))
    this.agreement.querySelector('h2')!.focus()
  }

  /** Forgets what is on the screen. */
  clear(): void {
    this.pending = []
    this.notes.length = 0
    this.agreement.replaceChildren()
    this.composer.clear()
  }

  submit(draft: Draft): void {
    if (this.config.identity.enforced && !this.visitor.signedIn) return
    if (this.visitor.agreed) {
      this.composer.sent(draft)
      this.bottom = true
      this.visitor.say(draft)
      return
    }
    this.pending = [...this.pending.filter((other) => other.client_id !== draft.client_id), draft]
    this.ask()
  }

  private async answered(agreed: boolean): Promise<void> {
    this.agreement.replaceChildren()
    this.composer.focus()
    const drafts = this.pending
    this.pending = []
    if (!agreed) return
    try {
      await this.visitor.agree()
    } catch {
      this.pending = drafts
      this.ask()
      return
    }
    for (const draft of drafts) this.submit(draft)
  }

  /** One line that says where the data goes. */
  private drawWhere(): void {
    const { region, consent } = this.config
    const shown = region + consent.notice_url
    if (this.where.dataset.shown === shown) return
    this.where.dataset.shown = shown
    const link = noticeLink(consent.notice_url)
    this.where.replaceChildren(t('stored', { region: regionName(region) }), ...(link ? [' · ', link] : []))
  }

  private status(): void {
    const { visitor } = this
    const { waiting } = visitor.talk
    const shown = visitor.stopped || visitor.away
    const words = visitor.stopped ? t('stopped') : t('no_connection') + (waiting > 0 ? ' ' + count('waiting', waiting) : '')
    if (shown && this.connection.dataset.said !== words) {
      this.connection.dataset.said = words
      this.connection.replaceChildren(words, ...(visitor.stopped ? [' ', this.reconnect] : []))
    }
    if (!shown) delete this.connection.dataset.said
    this.connection.hidden = !shown
  }

  private scrolled(): void {
    const { scrollTop, clientHeight, scrollHeight } = this.scroll
    this.bottom = scrollHeight - clientHeight - scrollTop < 48
    this.latest.hidden = this.bottom
  }

  private toEnd(): void {
    this.scroll.scrollTop = this.scroll.scrollHeight
  }

  private drops(): void {
    const over = (on: boolean): void => void this.el.classList.toggle('over', on)
    this.el.addEventListener('dragover', (event) => {
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      over(true)
    })
    this.el.addEventListener('dragleave', (event) => {
      if (!this.el.contains(event.relatedTarget as Node | null)) over(false)
    })
    this.el.addEventListener('drop', (event) => {
      over(false)
      this.composer.add([...(event.dataTransfer?.files ?? [])], event)
    })
  }
}
