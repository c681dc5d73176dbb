// The notice before the first message: the website's own words, their version and language, and a button that says what it
// does. Nothing is sent while it stands.
import { direction } from '../shared/language'
import { h, linked } from './dom'
import type { Config } from './wire'
import { languageName, t } from './words'

/** Returns the notice's text, version and link, for here and for the settings. */
export function notice(config: Config): HTMLElement {
  const { text, version, language, notice_url } = config.consent
  const words = h('blockquote', { lang: language, dir: direction(language), tabindex: 0 }, ...text.split(/\n+/).map((line) => h('p', {}, ...linked(line))))
  return h('div.notice', {}, words,
    h('p.small', {}, t('consent_version', { version, language: languageName(language) })), noticeLink(notice_url))
}

export function noticeLink(url: string): HTMLElement | null {
  return /^(https?:\/\/|\/)/.test(url) ? h('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, t('notice')) : null
}

/** Asks for the agreement; answers once. */
export function askAgreement(config: Config, answer: (agreed: boolean) => void): HTMLElement {
  const title = h('h2', { id: 'agreement', tabindex: -1 }, t('consent_title'))
  return h('section.agreement', { 'aria-labelledby': 'agreement' }, title, notice(config),
    h('div.buttons', {},
      h('button.primary', { type: 'button', onclick: () => answer(true) }, t('consent_agree')),
      h('button', { type: 'button', onclick: () => answer(false) }, t('consent_later'))))
}
