// The conversation as it is read: days, groups, marks, attachments. Rows are made once and kept, so that the text stays
// selectable while things happen around it.
import { alertIcon, deliveredIcon, fileIcon, icon, sentIcon, waitingIcon } from '../shared/icons'
import { h, linked, place, say } from './dom'
import { address, download, isPicture, type Picked, save } from './files'
import type { Draft, Talk } from './talk'
import type { Visitor } from './visitor'
import type { Attachment, Message } from './wire'
import { ago, day, exact, size, t } from './words'

/** A bubble the page asked for; it is shown here and nowhere stored. */
export interface Note {
  client_id: string
  text: string
  at: string
  name: string
}

interface Item {
  key: string
  side: 'visitor' | 'other' | 'system'
  name: string
  avatar?: string | undefined
  at: Date
  text: string
  message?: Message
  draft?: Draft
}

interface Row {
  el: HTMLElement
  from: HTMLElement
  meta: HTMLElement
  files: HTMLElement
  drawn: string
  removed: boolean
}

const many = 5 // rows at once are history, not news
const together = 5 * 60_000 // messages of one sender within this time are one group

export class Transcript {
  readonly el = h('div.log', { role: 'log', 'aria-live': 'polite', 'aria-label': t('conversation') })
  private readonly rows = new Map<string, Row>()
  private readonly days = new Map<string, HTMLElement>()

  constructor(private readonly visitor: Visitor) {}

  private get talk(): Talk {
    return this.visitor.talk
  }

  update(notes: readonly Note[]): void {
    const now = new Date()
    const items = this.items(notes)
    const keys = new Set(items.map((item) => item.key))
    if (items.filter((item) => !this.rows.has(item.key)).length > many) this.hush()
    for (const key of this.rows.keys()) if (!keys.has(key)) this.rows.delete(key)
    const nodes: Node[] = []
    items.forEach((item, i) => {
      const before = items[i - 1]
      const after = items[i + 1]
      if (!before || before.at.toDateString() !== item.at.toDateString()) nodes.push(this.day(item.at, now))
      const row = this.row(item)
      row.el.classList.toggle('first', !same(before, item))
      this.meta(row, item, !same(item, after), now)
      nodes.push(row.el)
    })
    place(this.el, nodes)
  }

  /** Keeps a screen reader from reading out a whole history. */
  private hush(): void {
    this.el.setAttribute('aria-live', 'off')
    setTimeout(() => this.el.setAttribute('aria-live', 'polite'), 1_000)
  }

  private items(notes: readonly Note[]): Item[] {
    const said = this.talk.messages.map((m): Item => ({
      key: m.client_id ?? 's' + m.seq, side: m.from.kind === 'visitor' || m.from.kind === 'system' ? m.from.kind : 'other',
      name: m.from.kind === 'assistant' ? [m.from.name, t('assistant')].filter(Boolean).join(' · ') : m.from.name ?? '', avatar: m.from.avatar_url, at: new Date(m.at), text: m.text, message: m,
    }))
    for (const note of notes) {
      const item: Item = { key: note.client_id, side: 'other', name: note.name, at: new Date(note.at), text: note.text }
      const at = said.findIndex((other) => other.at > item.at)
      said.splice(at < 0 ? said.length : at, 0, item)
    }
    const waiting = this.talk.unsent.map((d): Item => ({ key: d.client_id, side: 'visitor', name: '', at: new Date(d.at), text: d.text, draft: d }))
    return [...said, ...waiting]
  }

  private day(at: Date, now: Date): HTMLElement {
    const key = at.toDateString()
    let el = this.days.get(key)
    if (!el) this.days.set(key, (el = h('p.day')))
    say(el, day(at, now))
    return el
  }

  private row(item: Item): Row {
    let row = this.rows.get(item.key)
    const removed = item.message?.redacted ?? false
    if (!row || row.removed !== removed) {
      const from = h('p.from', {}, item.avatar?.startsWith('/') ? h('img', { src: item.avatar, alt: '', width: 20, height: 20 }) : null, item.name)
      if (item.side === 'visitor') from.replaceChildren(t('you'))
      const meta = h('p.meta')
      const files = h('div.files')
      const text = removed ? h('div.bubble.removed', {}, t('removed')) : item.text ? h('div.bubble', { dir: 'auto', title: exact(item.at) }, ...linked(item.text)) : null
      row = { el: h(`div.row.${item.side}`, {}, from, text, files, meta), from, meta, files, drawn: '', removed }
      this.rows.set(item.key, row)
    }
    this.files(row, item)
    return row
  }

  private meta(row: Row, item: Item, last: boolean, now: Date): void {
    const failed = item.draft?.failed
    row.el.classList.toggle('failed', failed !== undefined)
    if (!last && failed === undefined) return place(row.meta, [])
    const known = row.meta.querySelector('time')
    const time = known ?? h('time', { datetime: item.at.toISOString(), title: exact(item.at) })
    say(time, ago(item.at, now))
    if (item.side !== 'visitor') return place(row.meta, [time])
    const state = this.state(item)
    if (row.meta.dataset.state === state && known) return
    row.meta.dataset.state = state
    row.meta.replaceChildren(...(failed === undefined ? [time, ...mark(state)] : this.failure(item.draft!, failed)))
  }

  private state(item: Item): string {
    if (item.draft) return item.draft.failed === undefined ? 'sending' : 'failed'
    const seq = item.message?.seq ?? 0
    return seq <= this.talk.read ? 'read' : seq <= this.talk.delivered ? 'delivered' : 'sent'
  }

  private failure(draft: Draft, why: string): Node[] {
    return [
      icon(alertIcon, 14), h('span', {}, `${t('not_sent')}: ${why}`),
      ...(draft.lasting ? [] : [h('button.link', { type: 'button', onclick: () => this.visitor.again(draft) }, t('retry'))]),
      h('button.link', { type: 'button', onclick: () => this.talk.drop(draft) }, t('discard')),
    ]
  }

  private files(row: Row, item: Item): void {
    const sent = item.message?.attachments ?? []
    const waiting = item.draft?.files ?? []
    const drawn = [...sent.map((a) => a.id), ...waiting.map((p) => p.file.name + Math.round(p.share * 50))].join()
    if (row.drawn === drawn) return
    row.drawn = drawn
    row.files.replaceChildren(...sent.map((a) => this.attachment(a)), ...waiting.map(pending))
  }

  private attachment(a: Attachment): HTMLElement {
    const fetchIt = (): void => {
      if (!a.url) void address(a, this.visitor.token).then((url) => save(url, a.name))
      else download(a.url, this.visitor.token, a.name).catch(() => {})
    }
    const label = h('span', {}, h('span.name', {}, a.name), h('span.size', {}, size(a.size)))
    const button = h('button.file', { type: 'button', title: t('download', { name: a.name }), onclick: fetchIt }, icon(fileIcon), label)
    if (isPicture(a.type)) {
      address(a, this.visitor.token).then((src) => {
        const picture = h('img', { src, alt: a.name })
        button.classList.add('picture')
        button.replaceChildren(picture)
      }, () => {})
    }
    return button
  }
}

function same(a: Item | undefined, b: Item | undefined): boolean {
  return a !== undefined && b !== undefined && a.side === b.side && a.name === b.name && b.at.getTime() - a.at.getTime() < together
}

function mark(state: string): Node[] {
  const shape = state === 'sending' ? waitingIcon : state === 'sent' ? sentIcon : deliveredIcon
  return [icon(shape, 14), h(`span.${state}` as 'span', {}, t(state as 'sent'))]
}

function pending(picked: Picked): HTMLElement {
  const label = h('span', {}, h('span.name', {}, picked.file.name), h('span.size', {}, size(picked.file.size)))
  const bar = picked.uploaded ? null : h('progress', { max: 1, value: picked.share, 'aria-label': t('uploading', { name: picked.file.name }) })
  return h('div.file', {}, icon(fileIcon), label, bar)
}
