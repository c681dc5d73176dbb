// The frame's end of the bridge to the customer's page.
import { type Call, isBridge, type ToFrame, type ToPage } from '../shared/bridge'

export interface PageEvents {
  init(calls: Call[], open: boolean): void
  call(call: Call): void
  open(open: boolean): void
}

export class Page {
  /** The origin of the page around us, as the browser tells it: empty until it has spoken. */
  origin = ''

  constructor(private readonly on: PageEvents) {
    addEventListener('message', (event) => {
      if (event.source !== parent || parent === window || !isBridge(event.data)) return
      if (this.origin === '' && event.data.is === 'init' && event.origin !== 'null') this.origin = event.origin
      if (event.origin === this.origin) this.hear(event.data as ToFrame)
    })
  }

  post(message: ToPage): void {
    if (this.origin !== '') parent.postMessage(message, this.origin)
  }

  emit(name: string, data: unknown = null): void {
    this.post({ aver: 1, is: 'event', name, data })
  }

  private hear(message: ToFrame): void {
    switch (message.is) {
      case 'init':
        return this.on.init(message.calls, message.open)
      case 'call':
        return this.on.call(message.call)
      case 'open':
        return this.on.open(message.open)
    }
  }
}
