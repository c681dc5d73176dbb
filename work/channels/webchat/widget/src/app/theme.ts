// The tenant's accent in shades that can be read on our papers, set through CSSOM, which no policy forbids.
import { hex, inkOn, legible, teal } from '../shared/colour'

export function theme(accent: unknown, scheme: unknown): string {
  const colour = hex(accent, teal)
  const root = document.documentElement
  const set = (name: string, value: string): void => root.style.setProperty(name, value)
  set('--accent', colour)
  set('--on-accent', inkOn(colour))
  set('--accent-light', legible(colour, '#f3f1ec', '#1c1a17', 5))
  set('--accent-dark', legible(colour, '#2a2825', '#f2efe9', 6))
  if (scheme === 'light' || scheme === 'dark') root.dataset.scheme = scheme
  else delete root.dataset.scheme
  return colour
}
