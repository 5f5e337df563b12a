"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const one = (selector, inside = document) => inside.querySelector(selector);
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
  const said = one("#said");
  const say = (words) => { said.textContent = ""; requestAnimationFrame(() => { said.textContent = words; }); };

  // The theme: what the system says, until somebody says otherwise. Storage may be forbidden.
  const themes = ["system", "light", "dark"];
  const theme = one("#theme");
  const kept = () => { try { return localStorage.getItem("partywall-theme"); } catch { return null; } };
  const keep = (name) => { try { localStorage.setItem("partywall-theme", name); } catch { /* not kept */ } };
  const dress = (name) => {
    if (name === "system") delete root.dataset.theme; else root.dataset.theme = name;
    one("span", theme).textContent = name;
  };
  dress(themes.includes(kept()) ? kept() : "system");
  theme.addEventListener("click", () => {
    const next = themes[(themes.indexOf(root.dataset.theme ?? "system") + 1) % themes.length];
    dress(next);
    keep(next);
  });

  // What waits as text becomes part of the page when it is opened. It was escaped when it was written.
  const unpack = (card) => {
    const waiting = one('script[type="text/html"]', card);
    if (waiting) waiting.outerHTML = waiting.textContent;
  };
  for (const details of all(".card > details")) {
    details.addEventListener("toggle", () => { if (details.open) unpack(details); });
  }
  const open = (target) => {
    const details = target && one("details", target);
    if (target?.matches(".card") && details) { unpack(details); details.open = true; }
  };
  const arrive = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (!target) return;
    target.hidden = false;
    open(target);
    if (target.matches("[tabindex]")) target.focus({ preventScroll: true });
    target.scrollIntoView({ block: "start" });
  };
  addEventListener("hashchange", arrive);
  arrive();
  addEventListener("beforeprint", () => {
    for (const details of all("details")) { unpack(details); details.open = true; }
    for (const body of all(".folded")) body.classList.add("open");
  });

  // Copying: browsers refuse the clipboard to pages without a secure origin, as some do for files.
  const fallback = (text) => {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "vh";
    document.body.append(area);
    area.select();
    let copied = false;
    try { copied = document.execCommand("copy"); } catch { /* told below */ }
    area.remove();
    return copied;
  };
  const copy = async (text) => {
    try { await navigator.clipboard.writeText(text); return true; } catch { return fallback(text); }
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest(".copy");
    if (!button) return;
    const copied = await copy(button.dataset.copy);
    button.focus();
    const words = copied ? "Copied" : "Can't copy: select it";
    const label = button.firstChild;
    label.data = words;
    button.classList.toggle("done", copied);
    say(words);
    clearTimeout(Number(button.dataset.timer));
    button.dataset.timer = setTimeout(() => { label.data = "Copy"; button.classList.remove("done"); }, 2000);
  });

  // The matrix: where there is much, some of it is folded; arrow keys go from link to link.
  const unfold = (button, wanted) => {
    button.setAttribute("aria-expanded", String(wanted));
    button.closest("tbody").nextElementSibling.classList.toggle("open", wanted);
  };
  const unfolders = all(".unfold button");
  for (const button of unfolders) {
    button.addEventListener("click", () => unfold(button, button.getAttribute("aria-expanded") !== "true"));
  }
  const matrix = one(".matrix");
  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  matrix?.addEventListener("keydown", (event) => {
    const step = steps[event.key];
    const from = event.target.closest("td");
    if (!step || !from) return;
    event.preventDefault();
    const [down, right] = step;
    let row = from.parentElement;
    let column = from.cellIndex;
    const rows = down ? all("tbody tr[data-v]", matrix).filter((r) => r.offsetParent) : [row];
    let at = rows.indexOf(row);
    for (;;) {
      at += down;
      column += right;
      row = rows[at];
      if (!row || column < 1 || column >= row.cells.length) return;
      const link = one("a", row.cells[column]);
      if (link) { link.focus(); return; }
    }
  });

  // On a phone the filters wait behind a line; wider, they are always there.
  const narrow = matchMedia("(max-width: 44rem)");
  const makeRoom = () => { one(".filter").open = !narrow.matches; };
  narrow.addEventListener("change", makeRoom);
  makeRoom();

  // Filters: a thing is shown when it fits all that is asked; what names no tenant concerns each.
  const form = one("#filters");
  const fields = { text: one("#text"), surface: one("#surface"), layer: one("#layer"), tenant: one("#tenant") };
  const toggles = all(".toggle", form);
  const things = all("[data-v]").map((node) => ({
    node,
    row: node.matches(".matrix tr"),
    card: node.matches(".card"),
    states: node.dataset.v.split(" "),
    layer: node.dataset.l,
    tenants: node.dataset.t ? node.dataset.t.split(" ") : [],
    at: node.dataset.s.toLowerCase(),
    words: null,
  }));
  const words = (thing) => {
    thing.words ??= `${thing.at} ${thing.node.textContent.toLowerCase()}`;
    return thing.words;
  };
  const rows = things.filter((t) => t.row);
  const cards = things.filter((t) => t.card);
  const count = one("#count");
  const filter = () => {
    const text = fields.text.value.trim().toLowerCase();
    const surface = fields.surface.value.trim().toLowerCase();
    const layer = fields.layer.value;
    const tenant = fields.tenant.value;
    const states = toggles.filter((t) => t.getAttribute("aria-pressed") === "true").map((t) => t.dataset.state);
    const found = new Set();
    const fits = (thing) => (!states.length || states.some((s) => thing.states.includes(s)))
      && (!layer || !thing.layer || thing.layer === layer)
      && (!tenant || !thing.tenants.length || thing.tenants.includes(tenant))
      && (!surface || thing.at.includes(surface));
    for (const thing of things) {
      if (thing.row) continue;
      const shown = fits(thing) && (!text || words(thing).includes(text));
      thing.node.hidden = !shown;
      if (shown && text) found.add(thing.at);
    }
    for (const thing of rows) {
      thing.node.hidden = !(fits(thing) && (!text || thing.at.includes(text) || found.has(thing.at)));
    }
    const asked = Boolean(text || surface || layer || tenant || states.length);
    for (const button of unfolders) {
      const rest = all("tr[data-v]", button.closest("tbody").nextElementSibling);
      const shown = rest.filter((row) => !row.hidden).length;
      button.closest("tbody").hidden = shown === 0;
      if (asked) unfold(button, shown > 0 && shown < rest.length && shown <= 200);
    }
    for (const title of all(".matrix .group")) {
      let body = title.nextElementSibling;
      let shown = false;
      while (body && !body.matches(".group")) {
        shown ||= Boolean(one("tr[data-v]:not([hidden])", body));
        body = body.nextElementSibling;
      }
      title.hidden = !shown;
    }
    const told = (some, noun) => `${some.filter((t) => !t.node.hidden).length} of ${some.length} ${noun}`;
    const parts = [told(rows, count.dataset.noun)];
    if (cards.length) parts.push(told(cards, "breached"));
    count.textContent = asked ? `Showing ${parts.join(", ")}.` : "";
  };
  let waiting = 0;
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => {
    for (const toggle of toggles) toggle.setAttribute("aria-pressed", "false");
    for (const button of unfolders) unfold(button, false);
    requestAnimationFrame(filter);
  });
  for (const toggle of toggles) {
    toggle.addEventListener("click", () => {
      toggle.setAttribute("aria-pressed", String(toggle.getAttribute("aria-pressed") !== "true"));
      filter();
    });
  }
})();
