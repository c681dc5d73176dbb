// Keeps the inbox up to date and sends without reloading. Everything here is also possible without it, by forms and links.
// Nodes are built or cloned from templates that the server drew, never parsed from text.
"use strict";
(() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const rows = one("#rows");
  if (!rows) return;
  const data = one("#thread-data")?.dataset;
  const thread = one(".thread");
  const form = one("#composer");
  const area = form && one("textarea", form);
  const words = (name, ...args) => args.reduce((text, arg) => text.replace("%", arg), data?.[`words${name}`] ?? "");

  // UUID version 7: the time, then chance. Sending again with the same one changes nothing.
  const uuid = () => {
    const b = crypto.getRandomValues(new Uint8Array(16));
    new DataView(b.buffer).setBigUint64(0, (BigInt(Date.now()) << 16n) | 0x7000n | BigInt(b[6] & 15) << 8n | BigInt(b[7]));
    b[8] = (b[8] & 0x3f) | 0x80;
    const h = [...b].map((n) => n.toString(16).padStart(2, "0")).join("");
    return [h.slice(0, 8), h.slice(8, 12), h.slice(12, 16), h.slice(16, 20), h.slice(20)].join("-");
  };

  // The socket. Requests get answers, pushes go to whoever named their kind. In milliseconds: how long without a frame until
  // we ask whether anybody is there, and until nobody is; how long to wait for an answer, and for it when the reader waits too.
  const silence = { ask: 40000, dead: 60000 };
  const patience = 15000;
  const impatience = 5000;
  const live = { socket: null, next: 1, waiting: new Map(), tries: 0, opened: 0, seen: 0, retry: 0, handlers: {} };
  const ask = (op, args = {}, limit = patience) => new Promise((resolve, reject) => {
    const socket = live.socket;
    if (socket?.readyState !== WebSocket.OPEN) return reject(new Error("not connected"));
    const id = live.next++;
    live.waiting.set(id, { resolve, reject, timer: setTimeout(() => leave(socket), limit) });
    socket.send(JSON.stringify({ id, op, ...args }));
  });
  const answered = (frame) => {
    const waiting = live.waiting.get(frame.id);
    if (!waiting) return;
    live.waiting.delete(frame.id);
    clearTimeout(waiting.timer);
    frame.error ? waiting.reject(frame.error) : waiting.resolve(frame.ok);
  };
  const told = (lost) => {
    const mark = one(".connection");
    if (!mark) return;
    if (!lost && !mark.hidden) window.aver?.toast(mark.dataset.back);
    mark.hidden = !lost;
  };
  const hear = (frame) => (held ? held.push(frame) : live.handlers[frame.push]?.(frame));
  const connect = () => {
    clearTimeout(live.retry);
    const socket = new WebSocket(`${location.protocol === "http:" ? "ws" : "wss"}://${location.host}/live`, "aver.v1");
    live.socket = socket;
    const opening = setTimeout(() => leave(socket), patience);
    socket.onopen = () => {
      clearTimeout(opening);
      live.seen = Date.now();
      begin(live.opened++ > 0);
    };
    socket.onmessage = (event) => {
      live.seen = Date.now();
      const frame = JSON.parse(event.data);
      frame.id ? answered(frame) : hear(frame);
    };
    socket.onclose = (event) => leave(socket, event.code, event.reason);
  };
  // Gives a connection up, closed or silent, and tries again after a while. A dead one takes a minute to close: nobody waits for it.
  const leave = (socket, code = 0, reason = "") => {
    if (socket !== live.socket) return;
    live.socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    for (const waiting of live.waiting.values()) {
      clearTimeout(waiting.timer);
      waiting.reject(new Error("not connected"));
    }
    live.waiting.clear();
    if (code >= 3500) return location.assign("/login");
    if (++live.tries > 1) told(true);
    const leaving = code === 3001 && /^retry=(\d+)$/.exec(reason);
    live.retry = setTimeout(connect, leaving ? +leaving[1] : Math.random() * Math.min(30000, 500 * 2 ** live.tries));
  };
  // The network or the reader is back: find out at once whether anybody is still there.
  const wake = () => {
    if (document.hidden) return;
    if (!live.socket) return connect();
    ask("ping", {}, impatience).catch(() => {});
  };
  const watch = () => {
    const quiet = Date.now() - live.seen;
    if (document.hidden || live.socket?.readyState !== WebSocket.OPEN) return; // timers are unreliable there, and nobody waits
    if (quiet > silence.dead) leave(live.socket);
    else if (quiet > silence.ask) ask("ping").catch(() => {});
  };
  setInterval(watch, 5000);
  addEventListener("online", wake);
  document.addEventListener("visibilitychange", wake);
  let resume = () => {}; // sends what waited for a connection
  const begin = async (again = false) => {
    const socket = live.socket;
    try {
      counts(await ask("list"));
      const whole = !data || (await catchUp());
      if (again || !whole) await redraw(); // notes, states and what was removed are told once only
      live.tries = 0;
      told(false);
      read();
      resume();
    } catch {
      leave(socket); // and again, after a moment
    }
  };
  const catchUp = async () => {
    const caught = await ask("subscribe", { conversation: data.thread, epoch: data.epoch, offset: +data.offset });
    const whole = caught.recovered || caught.offset <= +data.offset;
    data.epoch = caught.epoch;
    (caught.messages ?? []).forEach(show);
    markSeen(caught.read);
    return whole;
  };

  // What the server draws for an address, in a box that nobody sees: a page that says why there is nothing stays in it.
  const drawn = async (address) => {
    const box = document.createElement("div");
    let status = 0;
    box.hidden = true;
    box.addEventListener("htmx:after:request", (event) => (status = event.detail.ctx.response.status));
    document.body.append(box);
    await htmx.ajax("GET", address, { source: box, target: box, swap: "innerHTML" });
    box.remove();
    if (status !== 200 && status !== 204) throw new Error("not drawn");
    return box;
  };

  // Draws the page anew, but for what is being written. What is pushed meanwhile waits, and is told afterwards.
  let held = null;
  let turn = Promise.resolve();
  const redraw = () => (turn = turn.then(redrawNow, redrawNow));
  const redrawNow = async () => {
    held = [];
    try {
      const now = await drawn((data?.address ?? "/inbox") + rows.dataset.query);
      const focused = document.activeElement?.closest("[data-conversation]")?.dataset.conversation;
      rows.replaceChildren(...one("#rows", now).childNodes);
      if (focused) rowOf(focused)?.focus();
      if (data) redrawThread(now);
    } finally {
      const late = held;
      held = null;
      late.forEach(hear);
    }
  };
  const redrawThread = (now) => {
    for (const part of [".thread-tools", "#thread-state", ".column.third"]) one(part)?.replaceChildren(...(one(part, now)?.childNodes ?? []));
    Object.assign(data, one("#thread-data", now).dataset);
    const own = all(".bubble[data-client]", thread).filter((bubble) => !bubble.id || !one(`#${bubble.id}`, now)); // not stored yet, or just now
    inPlace(() => thread.replaceChildren(...one(".thread", now).childNodes, ...own));
  };
  // Changes the thread under the eyes of somebody who reads in it.
  const inPlace = (change) => {
    if (atEnd()) {
      change();
      return toEnd();
    }
    const scroll = thread.closest(".scroll");
    const topOf = (bubble) => bubble.getBoundingClientRect().top;
    const first = all(".bubble[id]", thread).find((bubble) => topOf(bubble) > topOf(scroll));
    const before = first && topOf(first);
    change();
    const after = first && document.getElementById(first.id);
    if (after) scroll.scrollTop += topOf(after) - before;
  };

  // The list: known lines change in place, new ones are drawn by the server.
  const rowOf = (id) => one(`[data-conversation="${CSS.escape(id)}"]`, rows);
  const list = () => one("[data-list]", rows);
  const asked = new Map(); // rows that are being drawn, with the newest of the news that came meanwhile
  const bring = async (c) => {
    asked.set(c.id, null);
    try {
      place(c.id, one("li", await drawn(`/inbox/${c.id}/row${rows.dataset.query}`)));
    } catch {} // without a connection: the list is read again when it is back
    const newer = asked.get(c.id);
    asked.delete(c.id);
    if (newer) changed(newer);
  };
  // Puts a row where its time has its place, instead of the one before. There is none if the list has no place for it.
  const place = (id, item) => {
    const before = rowOf(id);
    const focused = before && document.activeElement === before;
    before?.closest("li").remove();
    if (!item) return;
    const at = (li) => new Date(one("time", li).dateTime);
    list().insertBefore(item, all("li", list()).find((li) => at(li) <= at(item)) ?? null);
    if (id === data?.thread) rowOf(id).setAttribute("aria-current", "true");
    if (focused) rowOf(id).focus();
    one(".empty", rows)?.remove();
  };
  const count = (row, unread) => {
    row.classList.toggle("unread", unread > 0);
    let badge = one(".count", row);
    if (!unread) return badge?.remove();
    if (!badge) {
      badge = document.createElement("span");
      badge.className = "count";
      one(".conversation-text", row).append(badge);
    }
    badge.textContent = unread;
  };
  const stamp = (node, at) => {
    node.dateTime = at;
    node.title = "";
    delete node.dataset.told;
    node.replaceWith(node.cloneNode(true)); // so that the page's own script tells the time anew
  };
  const counts = (waiting) => {
    for (const [view, n] of Object.entries(waiting)) {
      const chip = one(`[data-view="${view}"] .chip`);
      let badge = chip && one(".count", chip);
      if (!chip || (!n && !badge)) continue;
      if (!n) {
        badge.remove();
        continue;
      }
      if (!badge) {
        badge = document.createElement("span");
        badge.className = "count";
        one("span", chip).after(badge);
      }
      badge.textContent = n;
    }
  };
  let counting = 0;
  const changed = (c) => {
    clearTimeout(counting);
    counting = setTimeout(() => ask("list").then(counts, () => {}), 500 + Math.random() * 1000);
    const elsewhere = c.id === data?.thread && (c.state !== data.state || (c.assignee ?? "none") !== data.assignee || (c.team ?? "none") !== data.team);
    if (elsewhere) return redraw().catch(() => {}); // somebody closed or took what is open here
    if (asked.has(c.id)) return asked.set(c.id, c);
    const { query, state, whole } = rows.dataset;
    const row = rowOf(c.id);
    const item = row?.closest("li");
    if (!row && (query.includes("after=") || query.includes("q="))) return;
    if (c.state !== state && !query.includes("q=")) {
      if (item && row.getAttribute("aria-current") !== "true") item.remove();
      return;
    }
    if (!row || !whole || !c.preview) return bring(c); // only the server knows whether a filter lets it through, and who may read its words
    const before = one("time", row)?.dateTime;
    one(".row-note", row).textContent = c.preview;
    count(row, c.unread);
    if (before && new Date(before) < new Date(c.last_at) && new Date(c.last_at) - new Date(before) >= 1000) {
      stamp(one("time", row), c.last_at);
      const focused = document.activeElement === row;
      list().prepend(item);
      if (focused) row.focus();
    }
  };

  // The thread.
  const clone = (name) => document.getElementById(`bubble-${name}`).content.firstElementChild.cloneNode(true);
  const setMark = (bubble, mark) => {
    const footer = one("footer", bubble);
    const fresh = one("footer", document.getElementById(`mark-${mark}`).content).cloneNode(true);
    footer ? footer.replaceWith(fresh) : bubble.append(fresh);
  };
  const size = (n) => (n < 1000 ? `${n} B` : n < 1e6 ? `${Math.round(n / 1000)} kB` : `${(n / 1e6).toFixed(1)} MB`);
  const fill = (bubble, m) => {
    const said = one(".said", bubble);
    if (!said) return;
    const written = one(".written", bubble);
    if (m.text) written.textContent = m.text;
    else written.remove();
    for (const file of m.attachments ?? []) {
      const link = clone("file");
      if (file.id) link.href = `/attachments/${file.id}`;
      else link.removeAttribute("href"); // it is on its way
      one(".file-name", link).textContent = file.name;
      one(".soft", link).textContent = size(file.size);
      said.append(link);
    }
  };
  const atEnd = () => {
    const scroll = thread.closest(".scroll");
    return scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 120;
  };
  const toEnd = () => {
    const scroll = thread.closest(".scroll");
    scroll.scrollTop = scroll.scrollHeight;
  };
  const put = (bubble, m) => {
    const stay = !atEnd() && m.from.kind === "visitor";
    const next = all(".bubble", thread).find((b) => /^m\d+$/.test(b.id) && +b.id.slice(1) > m.seq) ?? null; // it was overtaken
    const last = next ? null : all(".bubble", thread).at(-1);
    const name = m.from.kind === "visitor" ? data.name : m.from.name || words("Team");
    const strong = one("header strong", bubble);
    if (strong) strong.textContent = name;
    const time = one("time", bubble);
    if (time) {
      time.dateTime = m.at;
      time.textContent = "";
    }
    const voice = [...bubble.classList].find((c) => ["theirs", "ours", "note"].includes(c));
    if (voice && last?.classList.contains(voice) && one("header strong", last)?.textContent === name) bubble.classList.add("group");
    one(".thread > p.soft", document)?.remove();
    thread.insertBefore(bubble, next);
    if (!stay) toEnd();
  };
  const voices = { visitor: "theirs", operator: "ours", assistant: "ours", system: "event", note: "note" };
  const show = (m) => {
    const id = m.note ? `n${m.note}` : `m${m.seq}`;
    if (!m.note) data.offset = Math.max(+data.offset, m.seq);
    if (document.getElementById(id)) return;
    const mine = m.client_id && one(`[data-client="${CSS.escape(m.client_id)}"]`, thread);
    if (mine) {
      mine.id = id;
      if (!m.note) setMark(mine, "sent");
      return read();
    }
    const voice = voices[m.from.kind];
    const bubble = clone(voice);
    bubble.id = id;
    if (voice === "event") bubble.firstElementChild.firstChild.textContent = m.text;
    fill(bubble, m);
    if (voice === "ours") setMark(bubble, "sent");
    put(bubble, m);
    if (m.from.kind === "visitor") typing(false);
    read();
  };
  const markSeen = (seq) => {
    for (const bubble of all(".bubble.ours", thread)) if (/^m\d+$/.test(bubble.id) && +bubble.id.slice(1) <= seq && !one(".sent.read", bubble)) setMark(bubble, "read");
  };
  let quiet = 0;
  const typing = (on) => {
    const place = one("#typing");
    place.hidden = !on;
    clearTimeout(quiet);
    if (!on) return;
    quiet = setTimeout(typing, 5000, false);
    if (atEnd()) toEnd();
  };
  let seen = 0;
  const read = () => {
    const last = +data?.offset;
    if (!data || document.visibilityState !== "visible" || !document.hasFocus() || last <= seen) return;
    seen = last;
    for (const input of all("[name=seen]")) input.value = last; // what is closed now has been seen up to here
    const row = rowOf(data.thread);
    if (row) count(row, 0);
    ask("read", { conversation: data.thread, seq: last }).catch(() => (seen = 0));
  };
  const mine = (frame) => data && frame.channel.split("/")[0] === data.thread;
  live.handlers = {
    conversation: (frame) => (frame.channel === "inbox" ? changed(frame.data) : null),
    message: (frame) => {
      if (!mine(frame)) return;
      if (frame.offset > +data.offset + 1) return begin(); // a hole: ask for what is missing
      show(frame.data);
    },
    note: (frame) => mine(frame) && show({ ...frame.data, from: { ...frame.data.from, kind: "note" } }),
    typing: (frame) => mine(frame) && frame.data.from.kind === "visitor" && typing(frame.data.on),
    read: (frame) => mine(frame) && frame.data.by === "visitor" && markSeen(frame.data.seq),
    redacted: (frame) => {
      const bubble = mine(frame) && document.getElementById(frame.data.note ? `n${frame.data.note}` : `m${frame.data.seq}`);
      if (!bubble) return;
      const gone = document.createElement("p");
      gone.className = "removed";
      gone.textContent = words("Removed");
      one(".said", bubble)?.replaceChildren(gone);
    },
  };
  if (data) {
    addEventListener("focus", read);
    document.addEventListener("visibilitychange", read);
  }
  connect();

  // S opens the menu of times.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "s" || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select") || one("dialog[open]")) return;
    const menu = one("input[name=pick]")?.closest("details");
    if (!menu) return;
    event.preventDefault();
    menu.open = true;
    one("button", menu)?.focus();
  });
  if (!form) return;

  // Sending: shown at once, marked when it is durable, kept until it is. What found no connection goes again when there is
  // one, oldest first and with the same client_id, so that it arrives once.
  all(".needs-script", form).forEach((node) => (node.hidden = false));
  const uploads = new Map(); // of the message that is being written
  const outbox = []; // what has no acknowledgement: {bubble, message, files, failed}
  const grow = () => area.dispatchEvent(new Event("input", { bubbles: true }));
  let flushing = false;
  let later = 0;
  const flush = async () => {
    if (flushing) return;
    flushing = true;
    try {
      for (let next; (next = outbox.find((entry) => !entry.failed)); ) await deliver(next);
    } catch {
      clearTimeout(later);
      if (live.socket) later = setTimeout(flush, 2000 + Math.random() * 3000); // an upload was cut off while the socket stands
    } finally {
      flushing = false;
    }
  };
  const deliver = async (entry) => {
    const { bubble, message, files } = entry;
    setMark(bubble, "sending");
    try {
      for (const file of files) await handIn(file);
      all(".file", bubble).forEach((link, n) => (link.href = `/attachments/${files[n].id}`));
      const ack = await ask("reply", { ...message, attachments: files.map((file) => file.id) });
      outbox.splice(outbox.indexOf(entry), 1);
      acknowledged(bubble, message, ack);
    } catch (error) {
      if (!error.code) throw error; // nobody answered: it goes again
      entry.failed = true;
      failed(entry, error);
    }
  };
  const acknowledged = (bubble, message, ack) => {
    const id = message.note ? `n${ack.note}` : `m${ack.seq}`;
    const known = document.getElementById(id);
    if (known && known !== bubble) return bubble.remove(); // it had arrived before, without our hearing of it
    bubble.id = id;
    if (!message.note) advance(ack.seq);
    read();
    message.note ? one("footer", bubble)?.remove() : one(".sent.read", bubble) || setMark(bubble, "sent");
  };
  // Another process may have taken a message before ours that we have not been told of: that one must not be skipped.
  const advance = (seq) => {
    if (seq === +data.offset + 1) data.offset = seq;
    else if (seq > +data.offset) begin();
  };
  // What is refused because of what it is is refused however often it is sent.
  const lasting = ({ code, errors: [fault] = [] }) => code === "too-large" ? fault?.code !== "day" : code === "invalid" && fault?.field === "file";
  const failed = (entry, error) => {
    const { bubble } = entry;
    setMark(bubble, "failed");
    if (lasting(error)) return one("footer", bubble).append(`. ${error.detail ?? error.title ?? ""}`);
    one("footer", bubble).append(`. ${error.title ?? ""} ${words("Failed")}`);
    const again = () => {
      bubble.onclick = bubble.onkeydown = null;
      bubble.removeAttribute("tabindex");
      entry.failed = false;
      flush();
    };
    bubble.tabIndex = 0;
    bubble.onclick = again;
    bubble.onkeydown = (event) => event.key === "Enter" && again();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault(); // the form itself could not bring the files, and would lose them
    const text = area.value.trim();
    const files = [...uploads.values()];
    if (!text && !files.length) return area.focus();
    const note = one("[name=kind]:checked", form).value === "note";
    const message = { conversation: data.thread, client_id: uuid(), text, note };
    const bubble = clone(note ? "note" : "ours");
    bubble.dataset.client = message.client_id;
    fill(bubble, { text, attachments: files });
    put(bubble, { from: { kind: note ? "note" : "operator", name: one(".user-name")?.textContent }, at: new Date().toISOString() });
    area.value = "";
    grow();
    uploads.clear();
    one("#uploads").replaceChildren();
    one("#uploads").hidden = true;
    lastTyped = 0;
    setMark(bubble, "sending");
    outbox.push({ bubble, message, files, failed: false });
    flush();
  });
  addEventListener("beforeunload", (event) => outbox.some(({ bubble }) => !bubble.id) && event.preventDefault()); // what has come back is stored
  resume = () => {
    flush();
    uploads.forEach(prepare);
  };
  let lastTyped = 0;
  area.addEventListener("input", () => {
    const replying = one("[name=kind]:checked", form).value === "reply";
    if (!replying || !area.value.trim() || area.value.startsWith("/") || Date.now() - lastTyped < 3000) return;
    lastTyped = Date.now();
    ask("typing", { conversation: data.thread, on: true }).catch(() => {});
  });

  // Ready answers: a slash at the beginning opens them, further letters narrow them down.
  const canned = one("#canned");
  const options = () => all("[data-shortcut]", canned).filter((item) => !item.hidden);
  const choose = (item) => {
    for (const other of all("li", canned)) other.setAttribute("aria-selected", String(other === item));
    item?.scrollIntoView({ block: "nearest" });
  };
  const narrow = () => {
    const typed = /^\/(\S*)$/.exec(area.value);
    canned.hidden = !typed;
    if (!typed) return;
    const word = typed[1].toLowerCase();
    for (const item of all("[data-shortcut]", canned)) item.hidden = !item.dataset.shortcut.startsWith(word) && !(word.length > 1 && item.dataset.text.toLowerCase().includes(word));
    choose(options()[0]);
    if (!options().length && word) canned.hidden = true;
  };
  const insert = (item) => {
    canned.hidden = true;
    if (item?.dataset.text) area.value = item.dataset.text;
    area.focus();
    grow();
  };
  area.addEventListener("input", narrow);
  area.addEventListener("blur", () => setTimeout(() => (canned.hidden = true), 200));
  area.addEventListener("keydown", (event) => {
    if (canned.hidden) return;
    const list = options();
    const at = list.findIndex((item) => item.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown") choose(list[Math.min(list.length - 1, at + 1)]);
    else if (event.key === "ArrowUp") choose(list[Math.max(0, at - 1)]);
    else if (event.key === "Enter" || event.key === "Tab") insert(list[at]);
    else if (event.key === "Escape") canned.hidden = true;
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
  canned.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    insert(event.target.closest("[data-shortcut]"));
  });
  one("#canned-button").addEventListener("click", () => {
    area.value = "/";
    area.focus();
    narrow();
  });

  // Files: sent at once, with progress; the message names them. Without a connection they wait for it beside their message.
  const handIn = (file) => (file.going ??= send(file).finally(() => (file.going = null)));
  const send = (file) => new Promise((resolve, reject) => {
    if (file.id) return resolve();
    const request = new XMLHttpRequest();
    file.stop = () => request.abort();
    request.open("POST", `/uploads/${data.thread}`);
    request.setRequestHeader("X-File-Name", encodeURIComponent(file.name));
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("Accept", "application/json");
    request.upload.onprogress = (event) => (file.bar.value = event.total ? event.loaded / event.total : 0);
    request.onerror = request.onabort = () => reject(new Error("no answer"));
    request.onload = () => {
      let answer = {};
      try {
        answer = JSON.parse(request.responseText);
      } catch {}
      if (request.status !== 201) return reject({ code: "refused", ...answer });
      Object.assign(file, answer);
      resolve();
    };
    request.send(file.content);
  });
  // Hands a file in while its message is still being written.
  const prepare = (file, key) => handIn(file).then(() => file.bar.remove(), (error) => {
    if (!error.code || !uploads.has(key)) return; // goes with its message, or its message says why not
    file.drop();
    window.aver?.toast(error.detail ?? error.title ?? words("Failed"));
  });
  const add = (content) => {
    if (uploads.size === 10) return window.aver?.toast(words("Many"));
    const key = uuid();
    const item = document.createElement("li");
    const [name, bar, drop] = ["span", "progress", "button"].map((tag) => document.createElement(tag));
    name.textContent = content.name;
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", words("Uploading", content.name));
    drop.type = "button";
    drop.className = "drop";
    drop.textContent = "×";
    drop.setAttribute("aria-label", words("Remove", content.name));
    item.append(name, bar, drop);
    one("#uploads").append(item);
    one("#uploads").hidden = false;
    const file = { content, name: content.name, size: content.size, bar, stop: () => {} };
    file.drop = drop.onclick = () => {
      uploads.delete(key);
      file.stop();
      item.remove();
      one("#uploads").hidden = !uploads.size;
    };
    uploads.set(key, file);
    prepare(file, key);
  };
  const picker = one("#attach");
  one("#attach-button").addEventListener("click", () => picker.click());
  picker.addEventListener("change", () => {
    [...picker.files].forEach(add);
    picker.value = "";
  });
  area.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (files.length) {
      event.preventDefault();
      files.forEach(add);
    }
  });
  const column = form.closest(".column");
  column.addEventListener("dragover", (event) => event.dataTransfer.types.includes("Files") && event.preventDefault());
  column.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    [...event.dataTransfer.files].forEach(add);
  });
})();
