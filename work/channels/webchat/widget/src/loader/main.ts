// The loader: a quiet button in the customer's page. Before the first click it stores nothing and asks for nothing; the chat
// itself is a frame of Aver's origin, made on that click. It never throws into the page.
import { type Call, type ToFrame, isBridge } from '../shared/bridge'
import { Panel } from './panel'
import { Queue } from './queue'

interface Site extends Window {
  $aver?: unknown
  AVER_WEBSITE_ID?: unknown
}

function start(site: Site, origin: string, website: string): void {
  const queue = new Queue()
  const panel = new Panel(origin, website, queue)
  let waiting: Call[] = []
  let ready = false

  const post = (message: ToFrame): void => panel.post(message)
  queue.forward = (call) => {
    if (ready) post({ aver: 1, is: 'call', call })
    else waiting.push(call)
  }
  panel.loaded = () => {
    ready = true
    post({ aver: 1, is: 'init', calls: waiting, open: panel.opened })
    waiting = []
  }
  addEventListener('message', (event) => {
    if (event.origin !== origin || !event.source || event.source !== panel.window || !isBridge(event.data)) return
    panel.hear(event.data as never)
  })
  queue.take(site)
}

function main(): void {
  const site = window as Site
  const script = document.currentScript as HTMLScriptElement | null
  const website = site.AVER_WEBSITE_ID
  if (!script?.src || (site.$aver as { loaded?: boolean } | undefined)?.loaded) return
  if (typeof website !== 'string' || website === '') {
    console.warn('Aver: set AVER_WEBSITE_ID before loading l.js.')
    return
  }
  const run = (): void => start(site, new URL(script.src).origin, website)
  if (document.body) run()
  else addEventListener('DOMContentLoaded', run, { once: true })
}

main()
