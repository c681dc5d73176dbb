// Taking back what was agreed to, as easily as it was given, and forgetting the conversation on a shared computer.
import { notice } from './agreement'
import { h } from './dom'
import { excuse } from './rights'
import type { Screen } from './screen'
import type { Visitor } from './visitor'
import type { Config } from './wire'
import { moment, t } from './words'

export class SettingsScreen implements Screen {
  readonly title = t('settings')
  readonly el = h('div.screen')
  private said = ''
  private drawn = ''

  constructor(private readonly config: Config, private readonly visitor: Visitor) {}

  enter(): void {
    this.said = ''
  }

  /** Taking an agreement back takes no more steps than giving it: one press to see it, one to do it. */
  shortcut(): { title: string; act: () => void } | undefined {
    return this.visitor.given && { title: t('withdraw'), act: () => void this.withdraw() }
  }

  update(): void {
    const state = [this.visitor.given?.version, this.visitor.token, this.said].join()
    if (this.drawn === state) return
    this.drawn = state
    this.el.replaceChildren(
      h('p.done', { role: 'status', hidden: this.said === '' }, this.said),
      h('section', {}, h('h3', {}, t('consent')), ...this.consent()),
      this.config.gpc ? h('section', {}, h('h3', {}, t('gpc')), h('p', {}, t('gpc_text'))) : '',
      h('section', {}, h('h3', {}, t('device')), ...this.device()))
  }

  private consent(): (Node | string)[] {
    const { given } = this.visitor
    if (!this.config.consent.required) return [h('p', {}, t('consent_not_needed'))]
    if (!given) return [h('p', {}, t('consent_none'))]
    const when = t('consent_given', { date: moment(new Date(given.at)), version: given.version })
    return [
      h('p', {}, when), given.version === this.config.consent.version ? notice(this.config) : '', h('p', {}, t('withdraw_text')),
      h('button', { type: 'button', onclick: () => void this.withdraw() }, t('withdraw')),
    ]
  }

  private device(): Node[] {
    if (!this.visitor.token) return [h('p', {}, t('device_nothing'))]
    return [
      h('p', {}, t('device_text', { name: this.config.name })),
      h('button', { type: 'button', onclick: () => this.forget() }, t('device_forget')),
    ]
  }

  private async withdraw(): Promise<void> {
    try {
      await this.visitor.withdraw()
      this.tell(t('withdrawn'))
    } catch (error) {
      this.tell(excuse(error))
    }
  }

  private forget(): void {
    this.visitor.reset()
    this.tell(t('device_done'))
  }

  private tell(words: string): void {
    this.said = words
    this.update()
  }
}
