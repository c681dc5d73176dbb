// Small conveniences for every page. Nothing here is needed to read a page or send a form.
// Nodes are built, never parsed from text, so that Trusted Types have nothing to stop.
"use strict";
(() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const on = (type, act, options) => document.addEventListener(type, act, options);
  const make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const typing = (node) => node.matches?.("textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])");
  const lang = document.documentElement.lang;

  // Times: "3 min ago", with the exact one as the hint. The page brings absolute ones.
  const steps = [[60, "second", 1], [3600, "minute", 60], [86400, "hour", 3600], [30 * 86400, "day", 86400], [365 * 86400, "month", 30 * 86400], [Infinity, "year", 365 * 86400]];
  const short = new Intl.RelativeTimeFormat(lang, { numeric: "auto", style: "short" });
  const long = new Intl.RelativeTimeFormat(lang, { numeric: "auto" });
  const exact = new Intl.DateTimeFormat(lang, { dateStyle: "long", timeStyle: "long" });
  const tell = (time) => {
    const at = new Date(time.dateTime);
    const seconds = Math.trunc((at - Date.now()) / 1000);
    const [, unit, size] = steps.find(([end]) => Math.abs(seconds) < end);
    const words = Math.abs(seconds) < 10 ? short.format(0, "second") : (size < 86400 ? short : long).format(Math.trunc(seconds / size), unit);
    if (time.textContent !== words) time.textContent = words;
    if (!time.dataset.told) {
      time.dataset.told = "yes";
      time.title = exact.format(at);
    }
  };
  const far = (time) => {
    const days = Math.trunc((new Date(time.dateTime) - Date.now()) / 86400000);
    time.title = Math.abs(days) < 60 ? long.format(days, "day") : long.format(Math.trunc(days / 30), "month");
  };
  const tellAll = (root = document) => {
    all("time[data-ago]", root).forEach(tell);
    all("time[data-day]", root).forEach(far);
  };
  setInterval(tellAll, 20000, document);

  // Toasts: one sentence, gone after eight seconds or a click.
  const toasts = () => one("#toasts");
  const leave = (toast) => {
    toast.classList.add("going");
    setTimeout(() => toast.remove(), 150);
  };
  const toast = (words) => {
    const node = make("div", { class: "toast" }, make("p", {}, words));
    toasts()?.append(node);
    setTimeout(leave, 8000, node);
  };
  on("toast", (event) => toast(event.detail?.value ?? event.detail)); // a server says HX-Trigger: {"toast": "…"}

  // What has just come into the page, at first or by a swap.
  const arrive = (root) => {
    tellAll(root);
    one("[data-focus]", root)?.focus();
    all("[data-match]", root).forEach(match);
    all("[data-end]", root).forEach((node) => (node.scrollTop = node.scrollHeight));
    all("[data-composer]", root).forEach(compose);
    if (root === document) all(".toast").forEach((node) => setTimeout(leave, 8000, node));
  };

  // A thread stays at its end while one reads there; who has scrolled up is left alone.
  const follow = (node) => {
    const scroll = node.closest("[data-end]");
    if (scroll && scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight - node.offsetHeight < 120) scroll.scrollTop = scroll.scrollHeight;
  };

  // A dangerous act waits until the name has been typed back. The server checks it too.
  const match = (input) => {
    const button = one(".danger", input.form);
    if (button) button.disabled = input.value.trim() !== input.dataset.match;
  };
  on("input", (event) => event.target.dataset?.match !== undefined && match(event.target));

  // The composer's words follow whether one replies or notes; Ctrl+Enter sends.
  const compose = (form) => {
    const kind = one("[name=kind]:checked", form)?.value ?? "reply";
    const area = one("textarea", form);
    if (area.dataset[kind]) {
      area.placeholder = area.dataset[kind];
      area.setAttribute("aria-label", area.dataset[kind]);
    }
    for (const word of all("button [data-reply]", form)) word.textContent = word.dataset[kind];
  };
  on("change", (event) => event.target.name === "kind" && event.target.form?.matches("[data-composer]") && compose(event.target.form));

  // Dialogs, copying, menus, dismissing: by click.
  const open = (id) => {
    const dialog = document.getElementById(id);
    if (!dialog?.showModal || dialog.open) return;
    dialog.showModal();
    dialog.dispatchEvent(new CustomEvent("opened"));
  };
  const copy = async (button) => {
    await navigator.clipboard.writeText(button.dataset.copy);
    const before = button.title;
    button.classList.add("done");
    button.title = button.dataset.copied;
    toast(button.dataset.copied);
    setTimeout(() => {
      button.classList.remove("done");
      button.title = before;
    }, 2000);
  };
  const beside = (box, { clientX: x, clientY: y }) => x < box.left || x > box.right || y < box.top || y > box.bottom;
  on("click", (event) => {
    const target = event.target;
    const opener = target.closest("[data-opens]");
    if (opener) open(opener.dataset.opens);
    const copier = target.closest("[data-copy]");
    if (copier) copy(copier);
    const gone = target.closest(".toast");
    if (gone) leave(gone);
    if (target.matches("dialog") && beside(target.getBoundingClientRect(), event)) target.close();
    for (const menu of all("details.menu[open]")) if (!menu.contains(target) || opener) menu.open = false;
  });

  // Keys: J K Enter in lists, single letters on what carries data-key, G and a letter to a noun, ? for help, Ctrl+K.
  const rows = () => all("[data-list] [data-row]").filter((row) => row.offsetParent);
  const step = (by) => {
    const list = rows();
    if (!list.length) return;
    const now = document.activeElement?.matches("[data-row]") ? document.activeElement : one("[data-row][aria-current=true]");
    const at = list.indexOf(now);
    const next = list[at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.max(0, Math.min(list.length - 1, at + by))];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  };
  one("#shortcuts")?.addEventListener("opened", () => {
    const name = (node) => node.title || node.getAttribute("aria-label") || node.labels?.[0]?.textContent || node.textContent;
    const here = all("[data-key]").filter((node) => node.offsetParent);
    one("[data-keys]").replaceChildren(...here.map((node) => make("div", {}, make("dt", {}, name(node).trim()), make("dd", {}, make("kbd", {}, node.dataset.key.toUpperCase())))));
  });
  let going = 0; // when G was pressed
  const press = (key) => {
    const node = all(`[data-key="${CSS.escape(key)}"]`).find((n) => n.offsetParent && !n.disabled);
    if (!node) return false;
    if (node.matches("input[type=radio]")) {
      node.click();
      one("textarea", node.form)?.focus();
    } else if (typing(node)) node.focus();
    else node.click();
    return true;
  };
  on("keydown", (event) => {
    const key = event.key.toLowerCase();
    if ((event.ctrlKey || event.metaKey) && key === "k" && one("#palette")) {
      event.preventDefault();
      open("palette");
      return;
    }
    if ((event.ctrlKey || event.metaKey) && key === "enter" && event.target.form?.matches("[data-composer]")) {
      event.preventDefault();
      event.target.form.requestSubmit();
      return;
    }
    if (key === "escape") {
      const menu = one("details.menu[open]");
      if (menu) {
        menu.open = false;
        one("summary", menu).focus();
      } else if (typing(event.target) && !event.target.closest("dialog")) event.target.blur();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || one("dialog[open]")) return;
    if (Date.now() - going < 1000) {
      going = 0;
      const noun = one(`[data-go="${CSS.escape(key)}"]`);
      if (noun) {
        event.preventDefault();
        noun.click();
        return;
      }
    }
    if (key === "j") step(1);
    else if (key === "k") step(-1);
    else if (key === "g") going = Date.now();
    else if (event.key === "?") open("shortcuts");
    else if (!press(event.key)) return;
    event.preventDefault();
  });

  // The palette finds the nouns, whatever carries data-command, and what the page's own search answers: an element
  // with data-palette="/path" is asked GET /path?q=…, which answers [{"title": …, "note": …, "href": …}].
  const palette = one("#palette");
  if (palette) {
    const text = one("input", palette);
    const list = one("ul", palette);
    let asked = 0;
    const commands = () => all(".rail-nav a, [data-command]").map((node) => ({
      title: (node.dataset.command || one("span", node)?.textContent || node.textContent).trim(),
      note: node.dataset.go ? `G ${node.dataset.go.toUpperCase()}` : "",
      go: () => node.click(),
    }));
    const choose = (item) => {
      for (const other of all("[role=option]", list)) other.setAttribute("aria-selected", String(other === item));
      text.setAttribute("aria-activedescendant", item?.id ?? "");
      item?.scrollIntoView({ block: "nearest" });
    };
    const show = (found) => {
      list.replaceChildren(...found.slice(0, 50).map((command, n) => {
        const item = make("li", { role: "option", id: `palette-${n}`, "aria-selected": "false" }, make("span", {}, command.title));
        if (command.note) item.append(make("span", { class: "soft" }, command.note));
        item.addEventListener("click", () => {
          palette.close();
          command.go();
        });
        return item;
      }));
      if (!found.length) list.append(make("li", { class: "none" }, text.dataset.none));
      choose(one("[role=option]", list));
    };
    const ask = async () => {
      const turn = ++asked;
      const words = text.value.trim().toLowerCase();
      const own = commands().filter((command) => command.title.toLowerCase().includes(words));
      show(own);
      const source = one("[data-palette]")?.dataset.palette;
      if (!source || words.length < 2) return;
      await new Promise((done) => setTimeout(done, 120));
      if (turn !== asked) return;
      const answer = await fetch(`${source}?q=${encodeURIComponent(words)}`, { headers: { Accept: "application/json" } });
      if (turn !== asked || !answer.ok) return;
      const found = await answer.json();
      show([...own, ...found.map(({ title, note, href }) => ({ title, note, go: () => new URL(href, location).origin === location.origin && location.assign(href) }))]);
    };
    palette.addEventListener("opened", () => {
      text.value = "";
      text.focus();
      ask();
    });
    text.addEventListener("input", ask);
    text.addEventListener("keydown", (event) => {
      const items = all("[role=option]", list);
      const at = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
      if (event.key === "ArrowDown") choose(items[Math.min(items.length - 1, at + 1)]);
      else if (event.key === "ArrowUp") choose(items[Math.max(0, at - 1)]);
      else if (event.key === "Enter") items[at]?.click();
      else return;
      event.preventDefault();
    });
  }

  window.aver = { toast, open };
  new MutationObserver((changes) => {
    for (const change of changes) for (const node of change.addedNodes) if (node.nodeType === 1 && node.isConnected) {
      if (node.matches("time[data-ago]")) tell(node);
      else arrive(node);
      if (node.matches(".bubble, .typing")) follow(node);
    }
  }).observe(document.body, { childList: true, subtree: true });
  arrive(document);
})();
