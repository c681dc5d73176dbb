// Makes elements. Text goes in as text nodes, attributes by setAttribute: no markup is ever parsed, so Trusted Types have
// nothing to guard and a message cannot become anything but words.

type Child = Node | string | null | undefined | false
type Props = Record<string, string | number | boolean | null | undefined | ((event: never) => void)>

/** Makes <tag class…>: h('p.note', {title: 'x', onclick: f}, 'text', child). */
export function h<K extends keyof HTMLElementTagNameMap>(spec: K | `${K}.${string}`, props: Props = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const [tag, ...classes] = spec.split('.') as [K, ...string[]]
  const element = document.createElement(tag)
  element.classList.add(...classes)
  for (const [key, value] of Object.entries(props)) {
    if (typeof value === 'function') element.addEventListener(key.slice(2), value as EventListener)
    else if (value === true) element.setAttribute(key, '')
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, String(value))
  }
  element.append(...children.filter((child): child is Node | string => child !== null && child !== undefined && child !== false))
  return element
}

/** Puts the children in place of what is there, leaving alone those that already stand where they belong, so that selection,
 * focus and what a screen reader follows are not disturbed. */
export function place(parent: Element, children: readonly Node[]): void {
  const keep = new Set(children)
  for (const node of [...parent.childNodes]) if (!keep.has(node)) node.remove()
  children.forEach((child, i) => {
    if (parent.childNodes[i] !== child) parent.insertBefore(child, parent.childNodes[i] ?? null)
  })
}

/** Sets text only when it differs, so that a live region speaks once. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

const address = /\bhttps?:\/\/[^\s<>"'“”‘’«»]+/g

/** Returns the text as nodes, web addresses as links that tell the other side nothing. */
export function linked(text: string): Node[] {
  const nodes: Node[] = []
  let from = 0
  for (const match of text.matchAll(address)) {
    const url = trimmed(match[0])
    nodes.push(document.createTextNode(text.slice(from, match.index)))
    nodes.push(h('a', { href: url, target: '_blank', rel: 'noopener noreferrer nofollow ugc' }, url))
    from = match.index + url.length
  }
  nodes.push(document.createTextNode(text.slice(from)))
  return nodes
}

/** Leaves the full stop and the closing bracket of the sentence out of the address. */
function trimmed(url: string): string {
  url = url.replace(/[.,;:!?…'*_]+$/, '')
  while (url.endsWith(')') && url.split(')').length > url.split('(').length) url = url.slice(0, -1)
  return url
}
