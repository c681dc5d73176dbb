// The one colour a tenant chooses, and shades of it that can be read (WCAG 2.2, 1.4.3 and 1.4.11).
export const teal = '#0f5f5c'

type RGB = [number, number, number]

/** Returns #rrggbb in lower case, or the fallback for anything else. */
export function hex(value: unknown, fallback: string): string {
  return typeof value === 'string' && /^#[0-9a-f]{6}$/i.test(value) ? value.toLowerCase() : fallback
}

/** Returns white or near-black, whichever is easier to read on the colour. */
export function inkOn(colour: string): string {
  return contrast(colour, '#ffffff') >= contrast(colour, '#141311') ? '#ffffff' : '#141311'
}

/** Moves the colour towards the ink until it can be read on the paper. */
export function legible(colour: string, paper: string, ink: string, least = 4.5): string {
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = mix(colour, ink, share)
    if (contrast(mixed, paper) >= least) return mixed
  }
  return ink
}

export function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)]
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05)
}

function parse(colour: string): RGB {
  const n = parseInt(colour.slice(1), 16)
  return [n >> 16, (n >> 8) & 255, n & 255]
}

function mix(a: string, b: string, share: number): string {
  const [x, y] = [parse(a), parse(b)]
  return '#' + x.map((v, i) => Math.round(v + (y[i]! - v) * share).toString(16).padStart(2, '0')).join('')
}

function luminance(colour: string): number {
  const [r, g, b] = parse(colour).map((v) => {
    const c = v / 255
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  }) as RGB
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
