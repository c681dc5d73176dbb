// Everything the widget keeps in the browser, and the only module that may: one localStorage entry of the frame's own origin
// (the customer's page cannot read it). It exists from the visitor's first message on, never before, so that a reload
// finds the conversation and what was not sent yet; session:reset, erasure, withdrawal of consent and a refused
// token remove it. A browser that forbids storage costs the visitor the reload, nothing else.

/** An agreement, as it was given. */
export interface Given {
  purpose: string
  version: string
  language: string
  source?: 'page'
  at: string
}

/** A message without an acknowledgement. Files that are not uploaded yet cannot be kept. */
export interface Unsent {
  client_id: string
  text: string
  at: string
  reply_to_email?: string
  attachments: { id: string; name: string; type: string; size: number }[]
}

export interface Kept {
  token: string
  /** SHA-256 of the signed user_id the session belongs to, absent for a visitor without one. */
  user?: string
  consent?: Given
  unsent: Unsent[]
}

/** What one tab stores, the process of another sees a moment later; the lock must not be quicker. In milliseconds. */
const settling = 100

export class Keep {
  private readonly key: string

  /** gone is called when another tab forgot: then this one is to forget too; came when another tab kept something. */
  constructor(website: string, gone: () => void, came: () => void) {
    this.key = 'aver:' + website
    addEventListener('storage', (event) => {
      if (event.key !== this.key) return
      if (event.newValue === null) gone()
      else came()
    })
  }

  /** Works while no other tab does; where the browser has no locks for us, each tab works by itself. */
  async alone(work: () => Promise<void>): Promise<void> {
    let begun = false
    try {
      await navigator.locks.request(this.key, async () => {
        begun = true
        await work()
        await new Promise((done) => setTimeout(done, settling))
      })
    } catch (error) {
      if (begun) throw error
      await work()
    }
  }

  load(): Kept | null {
    try {
      const kept = JSON.parse(localStorage.getItem(this.key) ?? 'null') as Kept | null
      return kept && typeof kept.token === 'string' && Array.isArray(kept.unsent) ? kept : null
    } catch {
      return null
    }
  }

  save(kept: Kept): void {
    try {
      localStorage.setItem(this.key, JSON.stringify(kept))
    } catch { /* forbidden or full: it stays in memory */ }
  }

  clear(): void {
    try {
      localStorage.removeItem(this.key)
    } catch { /* forbidden: nothing is there */ }
  }
}
