// Behaviour of the pages: the list of devices, erase and print on the record,
// and the two forms.
"use strict";
(() => {
  const head = { "Yamori-CSRF": "1", "Content-Type": "application/json" };
  const says = document.querySelector("[role=status]");
  const say = (key, more) => { says.textContent = document.body.dataset[key] + (more ? " " + more : ""); };

  document.getElementById("print")?.addEventListener("click", () => window.print());

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
  const kinds = Object.fromEntries((devices?.dataset.kinds || "").split("|").map((k) => k.split("=")));
  const row = (d) => {
    const tr = document.createElement("tr"), a = document.createElement("a");
    a.href = "/devices/" + encodeURIComponent(d.id) + "/record";
    a.textContent = d.name || [d.maker, d.model].filter(Boolean).join(" ") || d.addresses[0] || d.id;
    for (const x of [a, kinds[d.kind] || d.kind, new Date(d.last).toLocaleString(document.documentElement.lang, { dateStyle: "short", timeStyle: "short" })]) {
      const td = document.createElement("td");
      td.append(x);
      tr.append(td);
    }
    return tr;
  };
  const show = async () => {
    const st = await get("/api/v1/status");
    const [watch, protect] = devices.dataset.modes.split("|");
    document.getElementById("state").textContent = (st.mode === "protect" ? protect : watch);
    let next = "";
    do {
      const page = await get("/api/v1/devices?limit=100" + (next ? "&cursor=" + encodeURIComponent(next) : ""));
      devices.tBodies[0].append(...page.items.map(row));
      next = page.next;
    } while (next);
    devices.hidden = false;
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
        const known = document.body.getAttribute("data-" + (p.code === "busy" ? "busy-now" : p.code));
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
