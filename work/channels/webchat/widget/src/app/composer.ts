// Where the visitor writes: text, files, and outside business hours an address for the answer.
import { attachIcon, closeIcon, fileIcon, icon, sendIcon } from '../shared/icons'
import { h, place, say } from './dom'
import { allowed, isPicture, type Picked } from './files'
import type { Draft } from './talk'
import { uuid, type Visitor } from './visitor'
import type { Config } from './wire'
import { size, t } from './words'

const longest = 8_000 // characters of a message
const typingEvery = 3_000

export class Composer {
  readonly text = h('textarea', { rows: 1, maxlength: longest, 'aria-label': t('write'), placeholder: t('write') })
  readonly el: HTMLElement
  private picked: Picked[] = []
  private id = '' // of what stands here, once the visitor wanted to send it
  private typedAt = 0
  private readonly tray = h('div.tray')
  private readonly error = h('p.error', { role: 'alert' })
  private readonly email = h('input', { type: 'email', id: 'email', autocomplete: 'email', 'aria-describedby': 'email-help' })
  private readonly offline = h('div.offline', { hidden: true },
    h('label', { for: 'email' }, t('email')), this.email, h('p', { id: 'email-help' }, t('email_help')))
  private readonly send = h('button.send', { type: 'button', 'aria-label': t('send'), title: t('send') }, icon(sendIcon))
  private readonly file = h('input', { type: 'file', multiple: true, hidden: true, tabindex: -1, 'aria-label': t('attach') })
  private readonly attach = h('button.icon', { type: 'button', 'aria-label': t('attach'), title: t('attach') }, icon(attachIcon))
  private readonly writing = h('div.writing', {}, this.attach, this.file, this.text, this.send)
  private readonly signIn = h('p.sign-in', {}, t('sign_in'))

  constructor(private readonly config: Config, private readonly visitor: Visitor, private readonly submit: (draft: Draft) => void) {
    this.el = h('div.composer', {}, this.offline, this.tray, this.error, this.writing, this.signIn)
    this.text.addEventListener('input', () => this.changed())
    this.text.addEventListener('blur', () => this.typed(false))
    this.text.addEventListener('keydown', (event) => this.key(event))
    this.text.addEventListener('paste', (event) => this.add([...(event.clipboardData?.files ?? [])], event))
    this.send.addEventListener('click', () => this.go())
    this.attach.addEventListener('click', () => this.file.click())
    this.file.addEventListener('change', () => {
      this.add([...(this.file.files ?? [])])
      this.file.value = ''
    })
    this.email.addEventListener('keydown', (event) => event.key === 'Enter' && this.go())
  }

  update(): void {
    const locked = this.config.identity.enforced && !this.visitor.signedIn
    this.writing.hidden = locked
    this.signIn.hidden = !locked
    this.offline.hidden = locked || this.config.online || (this.visitor.email !== '' && this.email.value === '')
    this.attach.hidden = this.config.attachments.types.length === 0
    this.file.accept = this.config.attachments.types.join()
    this.ready()
  }

  focus(): void {
    this.text.focus()
  }

  fill(text: string): void {
    this.text.value = text.slice(0, longest)
    this.changed()
  }

  /** Forgets what was written if this is it; the page may have said the message. */
  sent(draft: Draft): void {
    if (draft.client_id === this.id) this.clear()
  }

  clear(): void {
    this.picked = []
    this.id = ''
    this.email.value = ''
    say(this.error, '')
    this.draw()
    this.fill('')
    this.typed(false)
  }

  /** Takes files that were picked, pasted or dropped, within the website's limits. */
  add(files: File[], event?: Event): void {
    if (files.length === 0 || this.attach.hidden) return
    event?.preventDefault()
    const { max_bytes, types } = this.config.attachments
    const refused = files.map((file) => {
      if (!allowed(file, types)) return t('wrong_type', { name: file.name })
      if (file.size > max_bytes) return t('too_large', { name: file.name, limit: size(max_bytes) })
      this.picked.push({ file, share: 0 })
      return ''
    })
    say(this.error, refused.filter(Boolean).join(' '))
    this.draw()
    this.ready()
  }

  private key(event: KeyboardEvent): void {
    const touch = matchMedia('(pointer: coarse)').matches // there, Enter is the only way to a new line
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || touch) return
    event.preventDefault()
    this.go()
  }

  private go(): void {
    const text = this.text.value.trim()
    if (text === '' && this.picked.length === 0) return
    const email = this.offline.hidden ? '' : this.email.value.trim()
    const wrong = email !== '' && !this.email.checkValidity()
    this.email.toggleAttribute('aria-invalid', wrong)
    if (wrong) {
      say(this.error, t('email_wrong'))
      this.email.focus()
      return
    }
    say(this.error, '')
    const reply = email || (this.config.online ? '' : this.visitor.email)
    this.id ||= uuid()
    this.submit({ client_id: this.id, text, at: new Date().toISOString(), files: this.picked, ...(reply && { reply_to_email: reply }) })
  }

  private changed(): void {
    this.text.style.height = 'auto'
    this.text.style.height = Math.min(this.text.scrollHeight + 2, 132) + 'px'
    this.ready()
    const now = Date.now()
    if (this.text.value === '') this.typed(false)
    else if (now - this.typedAt > typingEvery) {
      this.typedAt = now
      this.visitor.talk.typed(true)
    }
  }

  private typed(on: false): void {
    if (this.typedAt === 0) return
    this.typedAt = 0
    this.visitor.talk.typed(on)
  }

  private ready(): void {
    this.send.disabled = this.text.value.trim() === '' && this.picked.length === 0
  }

  private draw(): void {
    place(this.tray, this.picked.map((picked) => {
      const remove = (): void => {
        this.picked = this.picked.filter((other) => other !== picked)
        this.draw()
        this.ready()
        this.focus()
      }
      const label = t('remove', { name: picked.file.name })
      return h('div.chip', {},
        isPicture(picked.file.type) ? thumbnail(picked.file) : icon(fileIcon),
        h('span.name', {}, picked.file.name),
        h('button.icon', { type: 'button', 'aria-label': label, title: label, onclick: remove }, icon(closeIcon, 16)))
    }))
  }
}

function thumbnail(file: File): HTMLImageElement {
  const src = URL.createObjectURL(file)
  const picture = h('img', { src, alt: '', width: 32, height: 32 })
  picture.addEventListener('load', () => URL.revokeObjectURL(src))
  return picture
}
