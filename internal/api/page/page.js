// Behaviour of the pages: what was found and the list of devices, erase and
// print on the record, and the two forms.
"use strict";
(() => {
  const head = { "Yamori-CSRF": "1", "Content-Type": "application/json" };
  const says = document.querySelector("[role=status]");
  const say = (key, more) => { says.textContent = document.body.dataset[key] + (more ? " " + more : ""); };

  document.getElementById("print")?.addEventListener("click", () => window.print());
  window.addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => { d.open = true; }));

  const erase = document.getElementById("erase");
  erase?.addEventListener("click", async () => {
    if (!window.confirm(document.body.dataset.ask)) return;
    erase.disabled = true;
    say("busy");
    try {
      const res = await fetch(erase.dataset.url, { method: "DELETE", headers: head });
      if (!res.ok) throw new Error((await res.json()).detail || String(res.status));
      document.getElementById("stored").remove();
      say("done");
    } catch (e) {
      erase.disabled = false;
      say("fail", e.message);
    }
  });

  const devices = document.getElementById("devices");
  const get = async (path) => {
    const res = await fetch(path, { headers: head });
    if (res.status === 401) location.replace("/login");
    if (!res.ok) throw new Error((await res.json()).detail || String(res.status));
    return res.json();
  };
  const table = (text) => Object.fromEntries((text || "").split("|").map((k) => k.split("=")));
  const kinds = table(devices?.dataset.kinds);
  const zone = document.body.dataset.zone || undefined; // the home's
  // Swedish writes dates as ISO 8601 does, and so does the rest of the program.
  const when = (at) => new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short", timeZone: zone }).format(new Date(at));
  const made = (name, ...inner) => {
    const e = document.createElement(name);
    e.append(...inner);
    return e;
  };
  const names = new Map();
  let owner = false; // who is none may not read what is stored
  const link = (id, name) => {
    if (!owner) return name;
    const a = made("a", name);
    a.href = "/devices/" + encodeURIComponent(id) + "/record";
    return a;
  };
  const row = (d) => {
    const make = [d.maker, d.model].filter(Boolean).join(" ");
    const name = d.name || d.hostname || [make, d.addresses[0]].filter(Boolean).join(" ") || d.id;
    names.set(d.id, name);
    return made("tr", ...[link(d.id, name), kinds[d.kind] || d.kind, when(d.last)].map((x) => made("td", x)));
  };
  const most = 5; // findings on the page
  const found = async (open) => {
    const box = document.getElementById("found"), words = table(box.dataset.words), list = box.querySelector("ul");
    const { items } = await get("/api/v1/findings?state=new&limit=" + most);
    for (const f of items) {
      const say = (kind, code) => words[kind + "." + code] || code;
      const what = say("category", f.category);
      const li = made("li", made("strong", what[0].toUpperCase() + what.slice(1)), document.documentElement.lang === "ja" ? "：" : ": ", link(f.device, f.device_name || names.get(f.device) || f.device || "?"), f.remote ? " → " + f.remote : "");
      li.append(made("small", [f.signature.replace(/^YAMORI /, ""), say("verdict", f.verdict), say("action", f.action), when(f.last)].filter(Boolean).join(" · ")));
      li.append(made("small", box.dataset.details + " " + f.id));
      list.append(li);
    }
    if (items.length === most && open > most) list.append(made("li", box.dataset.more.replace("%d", open - most)));
    box.querySelector("p").hidden = items.length > 0;
    box.hidden = false;
  };
  const show = async () => {
    const [st, me] = await Promise.all([get("/api/v1/status"), get("/api/v1/session")]);
    owner = me.role === "owner";
    const [watch, protect] = devices.dataset.modes.split("|");
    document.getElementById("state").textContent = (st.mode === "protect" ? protect : watch);
    let next = "";
    do {
      const page = await get("/api/v1/devices?limit=100" + (next ? "&cursor=" + encodeURIComponent(next) : ""));
      devices.tBodies[0].append(...page.items.map(row));
      next = page.next;
    } while (next);
    document.getElementById("of-devices").hidden = false;
    devices.hidden = names.size === 0;
    document.getElementById("no-devices").hidden = names.size > 0;
    await found(st.open);
    document.getElementById("logout").hidden = false;
  };
  if (devices) show().catch((e) => say("fail", e.message));
  document.getElementById("logout")?.addEventListener("click", async () => {
    await fetch("/api/v1/session", { method: "DELETE", headers: head });
    location.replace("/login");
  });

  const form = document.querySelector("form[data-url]");
  form?.addEventListener("submit", async (ev) => {
    ev.preventDefault();
    const body = Object.fromEntries([...new FormData(form)].filter(([, v]) => v !== ""));
    if (form.dataset.url.endsWith("/setup")) body.token = location.hash.replace(/^#token=/, "");
    say("busy");
    try {
      const res = await fetch(form.dataset.url, { method: "POST", headers: head, body: JSON.stringify(body) });
      if (!res.ok) {
        const p = await res.json();
        if (p.code === "code-needed") document.getElementById("code").hidden = false;
        const known = document.body.getAttribute("data-" + (p.code === "busy" ? "busy-now" : p.code === "invalid" ? "invalid-" + p.field : p.code));
        if (known) says.textContent = known;
        else say("fail", p.detail || p.title);
        return;
      }
      say("done");
      location.replace("/home");
    } catch (e) {
      say("fail", e.message);
    }
  });
})();
