// The button and panel, in a shadow root with an adopted sheet: the page's style does not reach in, ours does not reach
// out, and no policy against inline style is in the way. Nothing here takes part in the page's layout.
export const style = `
:host { all: initial !important; position: fixed !important; z-index: 2147483000 !important; inset: auto !important; width: 0 !important; height: 0 !important }
:host([hidden]) { display: none !important }
* { box-sizing: border-box }
button {
  position: fixed; bottom: calc(16px + env(safe-area-inset-bottom)); inset-inline-end: 16px; width: 56px; height: 56px; margin: 0; padding: 0;
  display: grid; place-items: center; border: 1px solid rgb(255 255 255 / .5); border-radius: 50%; cursor: pointer;
  background: var(--accent); color: var(--ink); font: 600 13px/1 system-ui, sans-serif; -webkit-tap-highlight-color: transparent;
}
button:hover { filter: brightness(1.12) }
button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; box-shadow: 0 0 0 2px #fff }
button span {
  position: absolute; top: -4px; inset-inline-end: -4px; min-width: 22px; height: 22px; padding: 0 6px; display: grid; place-items: center;
  border: 2px solid #fff; border-radius: 11px; background: #a3261b; color: #fff; font-size: 12px; font-variant-numeric: tabular-nums;
}
button span:empty { display: none }
svg { pointer-events: none }
div {
  position: fixed; bottom: calc(84px + env(safe-area-inset-bottom)); inset-inline-end: 16px; width: 392px; max-width: calc(100vw - 32px);
  height: min(660px, 100dvh - 108px); overflow: hidden; border: 1px solid #8a857c; border-radius: 10px; background: #fdfcfa;
  box-shadow: 0 8px 32px rgb(20 19 17 / .18);
}
div[hidden] { display: none }
iframe { display: block; width: 100%; height: 100%; border: 0; color-scheme: normal }
:host([data-reverse]) button, :host([data-reverse]) div { inset-inline-end: auto; inset-inline-start: 16px }
@media (prefers-color-scheme: dark) { div { border-color: #5d584f; background: #191816 } }
@media (prefers-reduced-motion: no-preference) {
  div { animation: rise .12s ease-out } @keyframes rise { from { opacity: 0; translate: 0 6px } }
}
@media (max-width: 480px), (max-height: 440px) {
  div, :host([data-reverse]) div { inset: 0; width: 100%; max-width: none; height: var(--height, 100dvh); border: 0; border-radius: 0; box-shadow: none }
  :host([data-ready]) div:not([hidden]) ~ button { display: none }
  :host(:not([data-ready])) div:not([hidden]) ~ button { bottom: auto; top: 8px; inset-inline-end: 8px; width: 44px; height: 44px }
}
@media print { :host { display: none !important } }
`
