// "Your data": a copy and erasure (GDPR articles 15, 17 and 20), where the person is anyway.
import { downloadIcon, icon } from '../shared/icons'
import { h, place, say } from './dom'
import { download, save } from './files'
import type { Screen } from './screen'
import type { Visitor } from './visitor'
import { type Config, get, Lost, post, Problem, type Receipt } from './wire'
import { moment, t } from './words'

interface Offer {
  title: string
  label: string
  kinds: { value: string; label: string; help: string }[]
  words: string
  help: string
  ask: string
  told?: string[]
  told_title: string
  except?: string[]
  except_title: string
  ends?: string
  ends_title: string
}

interface Receipts {
  title: string
  text: string
  save: string
  receipts: { id: string; text: string; url: string; at: string }[]
}

interface Task {
  state: 'queued' | 'running' | 'done' | 'failed'
  done: number
  total: number
  url?: string
}

const askAgain = 1_000 // milliseconds

/** What to tell after a failure: the server's words if it has any. */
export function excuse(error: unknown): string {
  if (error instanceof Lost) return t('no_answer')
  return (error instanceof Problem && error.title) || t('failed')
}

export class RightsScreen implements Screen {
  readonly title = t('my_data')
  readonly el = h('div.screen')
  private readonly intro: HTMLElement
  private readonly nothing: HTMLElement
  private readonly copy: HTMLElement
  private readonly erase = h('section')
  private readonly more = h('section')
  private readonly proofs = h('section')
  private offered = false
  private readonly progress = h('div.steps', { 'aria-live': 'polite' })
  private receipt: Receipt | undefined
  private erased = false

  constructor(private readonly config: Config, private readonly visitor: Visitor, private readonly again: () => void) {
    const { my_data_url, name } = config
    this.intro = h('p', {}, t('my_data_intro', { name }))
    const elsewhere = my_data_url && /^(https:\/\/|\/)/.test(my_data_url)
      ? h('p', {}, h('a', { href: my_data_url, target: '_blank', rel: 'noopener' }, t('elsewhere'))) : null
    this.nothing = h('section', {}, h('p', {}, t('nothing_kept')), elsewhere)
    this.copy = h('section', {}, h('h3', {}, t('copy_title')), h('p', {}, t('copy_text')), this.progress)
    this.offerCopy()
    this.offerErasure()
  }

  enter(): void {
    if (this.visitor.token && !this.erased) void this.offerReceipts()
  }

  update(): void {
    if (this.erased) return
    const parts = this.visitor.token ? [this.copy, this.proofs, this.more, this.erase] : [this.nothing]
    if (this.visitor.token && !this.offered) void this.offerMore()
    place(this.el, [this.intro, ...parts])
  }

  /** Shows that everything is gone, with the receipt if the server gave one. */
  showErased(receipt?: Receipt): void {
    this.erased = true
    this.receipt = receipt
    const title = h('h3', { tabindex: -1 }, t('erased_title'))
    const paper = receipt ? h('div.receipt', {},
      h('p', {}, t('receipt'), ' ', h('code', {}, receipt.id)), h('p.small', {}, moment(new Date(receipt.at))), h('p', {}, receipt.text)) : null
    this.el.replaceChildren(h('section', {}, title, h('p', {}, t('erased_text')), paper, h('div.buttons', {},
      receipt ? h('button', { type: 'button', onclick: () => this.saveReceipt() }, icon(downloadIcon), t('receipt_save')) : null,
      h('button.primary', { type: 'button', onclick: () => this.startNew() }, t('start_new')))))
    title.focus()
  }

  async askCopy(): Promise<void> {
    this.showProgress({ state: 'queued', done: 0, total: 0 })
    try {
      const { task } = await post<{ task: string }>('/widget/v1/privacy/export', this.visitor.token, {})
      let state: Task
      for (;;) {
        state = await get<Task>('/widget/v1/privacy/tasks/' + encodeURIComponent(task), this.visitor.token)
        if (state.state === 'done' || state.state === 'failed') break
        this.showProgress(state)
        await new Promise((resolve) => setTimeout(resolve, askAgain))
      }
      if (state.state === 'done' && state.url) this.offerDownload(state.url)
      else this.offerCopy(t('copy_failed'))
    } catch (error) {
      this.visitor.refused(error)
      this.offerCopy(excuse(error))
    }
  }

  private offerCopy(error = ''): void {
    this.progress.replaceChildren(h('p.error', {}, error),
      h('button', { type: 'button', onclick: () => void this.askCopy() }, t('copy_ask')))
  }

  private showProgress({ state, done, total }: Task): void {
    const words = state === 'queued' || total === 0 ? t('copy_queued') : t('copy_running', { done, total })
    const bar = h('progress', { 'aria-label': t('copy_title'), ...(total > 0 && { max: total, value: done }) })
    this.progress.replaceChildren(h('p', {}, words), bar)
  }

  private offerDownload(url: string): void {
    const error = h('p.error', { role: 'alert' })
    const fetchIt = (): void => {
      download(url, this.visitor.token, 'data.zip').catch((reason) => say(error, excuse(reason)))
    }
    this.progress.replaceChildren(h('p', {}, t('copy_ready')), error,
      h('button.primary', { type: 'button', onclick: fetchIt }, icon(downloadIcon), t('copy_download')))
  }

  /** The rights without a screen of their own. Their words come from the server, as those of the page for everybody do. */
  private async offerMore(): Promise<void> {
    this.offered = true
    try {
      const offer = await get<Offer>('/widget/v1/privacy/rights?lang=' + encodeURIComponent(this.config.language), this.visitor.token)
      this.showMore(offer)
    } catch {
      this.offered = false // the copy and the erasure are there; it is tried again when the screen is opened
    }
  }

  private showMore({ title, label, kinds, words, help, ask, told, told_title, except, except_title, ends, ends_title }: Offer): void {
    const error = h('p.error', { role: 'alert' })
    const kind = h('select', {}, ...kinds.map((k) => h('option', { value: k.value }, k.label)))
    const about = h('p.small', {}, kinds[0]?.help)
    kind.addEventListener('change', () => say(about, kinds[kind.selectedIndex]?.help ?? ''))
    const text = h('textarea', { rows: 3, maxlength: 2000 })
    const send = h('button', { type: 'button', onclick: () => void this.askFor(kind.value, text.value, error) }, ask)
    this.more.replaceChildren(h('h3', {}, title), h('label', {}, label, ' ', kind), about, h('label', {}, words, ' ', text), h('p.small', {}, help), error, send)
    const list = (heading: string, lines: string[]): void => this.more.append(h('h3', {}, heading), h('ul.lines', {}, ...lines.map((line) => h('li', {}, ...line.split('\n').flatMap((part, n) => (n ? [h('br'), part] : [part]))))))
    if (told) list(told_title, told)
    if (ends) this.more.append(h('h3', {}, ends_title), h('p', {}, ends))
    if (except) list(except_title, except)
  }

  private async offerReceipts(): Promise<void> {
    try {
      this.showReceipts(await get<Receipts>('/widget/v1/privacy/receipts?lang=' + encodeURIComponent(this.config.language), this.visitor.token))
    } catch { /* it is tried again when the screen is opened */ }
  }

  /** What the person agreed to and took back, each with its receipt. The words come from the server, too. */
  private showReceipts({ title, text, save: label, receipts }: Receipts): void {
    const error = h('p.error', { role: 'alert' })
    const line = ({ id, text, url, at }: Receipts['receipts'][number]): HTMLElement =>
      h('li', {}, h('p', {}, text), h('p.small', {}, moment(new Date(at))), h('button', {
        type: 'button', 'aria-label': `${label}: ${text}`,
        onclick: () => { download(url, this.visitor.token, `receipt-${id}.json`).catch((reason) => say(error, excuse(reason))) },
      }, icon(downloadIcon), label))
    if (receipts.length > 0) this.proofs.replaceChildren(h('h3', {}, title), h('p', {}, text), error, h('ul.proofs', {}, ...receipts.map(line)))
  }

  private async askFor(kind: string, words: string, error: HTMLElement): Promise<void> {
    try {
      const { id, text } = await post<{ id: string; text: string }>('/widget/v1/privacy/requests', this.visitor.token, { kind, words, language: this.config.language })
      this.more.replaceChildren(h('p', { role: 'status' }, text), h('p.small', {}, h('code', {}, id)))
    } catch (reason) {
      this.visitor.refused(reason)
      say(error, excuse(reason))
    }
  }

  private offerErasure(error = ''): void {
    this.erase.replaceChildren(h('h3', {}, t('erase_title')), h('p', {}, t('erase_text')),
      h('p.error', { role: 'alert' }, error),
      h('button.danger', { type: 'button', onclick: () => this.confirm() }, t('erase_ask')))
  }

  confirm(): void {
    const title = h('h3', { tabindex: -1 }, t('erase_sure'))
    this.erase.replaceChildren(title, h('p', {}, t('erase_text')), h('div.buttons', {},
      h('button.danger', { type: 'button', onclick: () => void this.eraseNow() }, t('erase_yes')),
      h('button', { type: 'button', onclick: () => this.offerErasure() }, t('erase_no'))))
    title.focus()
  }

  private async eraseNow(): Promise<void> {
    this.erase.replaceChildren(h('p', { role: 'status' }, t('erasing')), h('progress', { 'aria-label': t('erasing') }))
    try {
      await this.visitor.erase() // showErased follows
    } catch (error) {
      this.visitor.refused(error)
      if (!this.erased) this.offerErasure(excuse(error))
    }
  }

  private saveReceipt(): void {
    save(this.receipt!.url, `receipt-${this.receipt!.id}.json`)
  }

  private startNew(): void {
    this.erased = false
    this.receipt = undefined
    this.offered = false
    this.more.replaceChildren()
    this.proofs.replaceChildren()
    this.offerCopy()
    this.offerErasure()
    this.again()
  }
}
